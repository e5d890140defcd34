//! From a body to events.

mod json;
mod scalar;
mod wire;

use std::mem;

use serde_json::value::RawValue;

use self::json::{Named, WellFormed};
use self::wire::{Envelope, Record, S3};
use crate::sender::EVENT_BRIDGE;
use crate::{EventKind, Notification, ObjectEvent, ParseError, Sender, key};

/// The largest body that is looked at: 1 MiB. Amazon S3 sends at most 64 KB (S3 user guide); others state no limit.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// Reads the body of a queue message or of a webhook request.
///
/// # Errors
/// When it is no notification of object events, or when one of its records says too little: a message is read as a
/// whole or not at all.
pub fn parse(body: &str) -> Result<Notification, ParseError> {
    if body.len() > MAX_BODY_BYTES {
        return Err(ParseError::TooLarge { bytes: body.len() });
    }
    let mut outer = envelope(body)?;
    match text(mem::take(&mut outer.sns_type), "Type")? {
        Some(kind) if outer.records.is_none() => {
            let message = text(outer.sns_message, "Message")?;
            unwrap_sns(&kind, &message.unwrap_or_default())
        }
        Some(_) | None => read(outer),
    }
}

/// Unwraps one level: a queue subscribed to a topic holds no deeper ones, and a body cannot make us go on for ever.
fn unwrap_sns(kind: &str, message: &str) -> Result<Notification, ParseError> {
    match kind {
        "Notification" => {
            let inner = envelope(message).map_err(|error| match error {
                ParseError::NotJson(why) => ParseError::NotJson(format!("SNS Message: {why}")),
                other => other,
            })?;
            read(inner)
        }
        // Whoever may subscribe us confirms it elsewhere: to fetch a SubscribeURL is to fetch what a stranger names.
        "SubscriptionConfirmation" | "UnsubscribeConfirmation" => {
            Err(ParseError::Unknown("an SNS message about a subscription".to_owned()))
        }
        _ => Err(ParseError::Unknown("a Type that SNS does not have".to_owned())),
    }
}

fn envelope(body: &str) -> Result<Envelope<'_>, ParseError> {
    serde_json::from_str::<WellFormed>(body).map_err(|error| ParseError::NotJson(error.to_string()))?;
    match serde_json::from_str::<Named<Envelope<'_>>>(body) {
        Ok(Named(envelope)) => Ok(envelope),
        Err(_) => Err(ParseError::Unknown("not an object, or Records is not a list".to_owned())),
    }
}

fn read(envelope: Envelope<'_>) -> Result<Notification, ParseError> {
    if let Some(records) = envelope.records {
        if records.is_empty() {
            return Err(ParseError::Unknown("Records is empty".to_owned()));
        }
        let events = records.into_iter().enumerate().map(|(index, raw)| numbered(index, from_record(raw)));
        return Ok(Notification::Objects(events.collect::<Result<_, _>>()?));
    }
    if text(envelope.event, "Event")?.as_deref() == Some("s3:TestEvent") {
        return Ok(Notification::Test);
    }
    let from_s3 = text(envelope.source, "source")?.as_deref() == Some(EVENT_BRIDGE);
    if let (true, Some(name), Some(detail)) =
        (from_s3, text(envelope.detail_type, "detail-type")?, envelope.detail)
    {
        let time = text(envelope.time, "time")?;
        let event = named::<S3>(detail).and_then(|s3| event(Sender::EventBridge, Some(name), time, s3));
        return Ok(Notification::Objects(vec![numbered(0, event)?]));
    }
    Err(ParseError::Unknown("neither Records, nor a test event, nor an EventBridge event of S3".to_owned()))
}

fn text(field: scalar::Scalar, name: &str) -> Result<Option<String>, ParseError> {
    field.text(name).map_err(ParseError::Unknown)
}

fn numbered<T>(index: usize, result: Result<T, String>) -> Result<T, ParseError> {
    result.map_err(|problem| ParseError::Record { index, problem })
}

fn named<'a, T: serde::Deserialize<'a> + Default>(raw: &'a RawValue) -> Result<T, String> {
    match serde_json::from_str::<Named<T>>(raw.get()) {
        Ok(Named(value)) => Ok(value),
        Err(_) => Err("something is not an object, or is there under two names".to_owned()),
    }
}

fn from_record(raw: &RawValue) -> Result<ObjectEvent, String> {
    let Record { version, source, name, time, s3: Named(s3) } = named(raw)?;
    check_version(version.text("eventVersion")?.as_deref())?;
    let sender = Sender::of(source.text("eventSource")?.as_deref());
    event(sender, name.text("eventName")?, time.text("eventTime")?, s3)
}

/// The S3 user guide: "we recommend that you do an equal-to comparison on the major version number". Minor versions
/// only add fields.
fn check_version(version: Option<&str>) -> Result<(), String> {
    match version.map(|version| version.split('.').next()) {
        None | Some(Some("2")) => Ok(()),
        Some(_) => Err("the major version of the record is not 2".to_owned()),
    }
}

fn event(sender: Sender, name: Option<String>, time: Option<String>, s3: S3) -> Result<ObjectEvent, String> {
    let S3 { bucket: Named(bucket), object: Named(object) } = s3;
    // Amazon S3 and Ceph write no prefix, MinIO and RustFS do.
    let name = name.map(|name| name.trim_start_matches("s3:").to_owned()).filter(|name| !name.is_empty());
    let name = name.ok_or("no name of the event")?;
    let bucket = bucket.name.text("the bucket's name")?.ok_or("no bucket")?;
    let sent = object.key.text("the key")?.ok_or("no key")?;
    let (key, raw_key) = key::decode(sender, sent)?;
    let etag = object.etag.text("the ETag")?.map(|etag| etag.trim_matches('"').to_owned());
    Ok(ObjectEvent {
        kind: EventKind::of(&name),
        name,
        sender,
        bucket,
        key,
        raw_key,
        bytes: object.size.bytes("the size")?,
        etag: etag.filter(|etag| !etag.is_empty()),
        version_id: object.version_id.text("the version id")?.filter(|version| version != "null"),
        sequencer: object.sequencer.text("the sequencer")?,
        time,
    })
}
