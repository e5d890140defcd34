//! One form for the events of every sender.

use serde::Serialize;

use crate::{ObjectEvent, key};

/// The shape that we write: that of the S3 user guide's example of version 2.1.
const EVENT_VERSION: &str = "2.1";

#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "Records")]
    records: Vec<Record<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    event_version: &'static str,
    event_source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_time: Option<&'a str>,
    event_name: &'a str,
    s3: S3<'a>,
}

#[derive(Serialize)]
struct S3<'a> {
    bucket: Bucket<'a>,
    object: Object<'a>,
}

#[derive(Serialize)]
struct Bucket<'a> {
    name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Object<'a> {
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e_tag: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequencer: Option<&'a str>,
}

/// The events as one S3 notification (JSON, version 2.1, `Records`), with nothing in it that is not in the events.
///
/// [`parse`](crate::parse) reads it back as the same events, the sender included, but for `raw_key`: keys are written
/// in the way of Amazon S3, so a key that came as `raw%2Fa+b.jpg` comes back as `raw/a+b.jpg`. Senders of raw keys keep
/// them raw. That holds for what [`parse`](crate::parse) returns; it refuses an empty list and a body over
/// [`MAX_BODY_BYTES`](crate::MAX_BODY_BYTES).
#[must_use]
pub fn canonical(events: &[ObjectEvent]) -> String {
    let body = Body { records: events.iter().map(record).collect() };
    serde_json::to_string(&body).expect("texts and integers are always JSON")
}

fn record(event: &ObjectEvent) -> Record<'_> {
    Record {
        event_version: EVENT_VERSION,
        event_source: event.sender.event_source(),
        event_time: event.time.as_deref(),
        event_name: &event.name,
        s3: S3 {
            bucket: Bucket { name: &event.bucket },
            object: Object {
                key: key::encode(event.sender, &event.key),
                size: event.bytes,
                e_tag: event.etag.as_deref(),
                version_id: event.version_id.as_deref(),
                sequencer: event.sequencer.as_deref(),
            },
        },
    }
}
