//! Behaviour of the parser, on bodies that the senders' documentation and source code show, and on bodies that nobody
//! should send. Where each fixture is from, `senders.rs` says.

mod canonical;
mod envelopes;
mod hostile;
mod keys;
mod kinds;
mod poison;
mod recorded;
mod records;
mod senders;
mod sequence;

use anyhow::{Result, bail, ensure};
use s3_events::{EventKind, Notification, ObjectEvent, Sender, parse};

fn fixture(name: &str) -> Result<String> {
    Ok(std::fs::read_to_string(format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR")))?)
}

fn objects(body: &str) -> Result<Vec<ObjectEvent>> {
    match parse(body)? {
        Notification::Objects(events) => Ok(events),
        Notification::Test => bail!("a test event"),
    }
}

/// The only event of a body.
fn only(body: &str) -> Result<ObjectEvent> {
    let mut events = objects(body)?;
    ensure!(events.len() == 1, "{} events", events.len());
    Ok(events.remove(0))
}

fn only_of(name: &str) -> Result<ObjectEvent> {
    only(&fixture(name)?)
}

/// A body with one record, whose `s3.object` is given as JSON.
fn record(source: &str, name: &str, object: &str) -> String {
    format!(
        r#"{{"Records":[{{"eventVersion":"2.1","eventSource":"{source}","eventName":"{name}","s3":{{"bucket":{{"name":"landing"}},"object":{object}}}}}]}}"#
    )
}

/// A creation by `sender` of an object of which only the key is known.
fn created(sender: Sender, key: &str) -> ObjectEvent {
    ObjectEvent {
        kind: EventKind::Created,
        name: "ObjectCreated:Put".to_owned(),
        sender,
        bucket: "landing".to_owned(),
        key: key.to_owned(),
        raw_key: None,
        bytes: None,
        etag: None,
        version_id: None,
        sequencer: None,
        time: None,
    }
}
