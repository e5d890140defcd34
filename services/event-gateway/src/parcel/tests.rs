use serde_json::{Value, json};

use super::*;

fn record(key: &str) -> Value {
    json!({
        "eventVersion": "2.0", "eventSource": "minio:s3", "eventName": "s3:ObjectCreated:Put",
        "requestParameters": {"authorization": "canary"},
        "s3": {"bucket": {"name": "inbox"}, "object": {"key": key, "size": 1, "eTag": "e"}},
    })
}

fn body(records: &[Value]) -> Vec<u8> {
    json!({ "Records": records }).to_string().into_bytes()
}

fn parcel(body: &[u8]) -> anyhow::Result<Parcel> {
    match read(body) {
        Reading::Parcel(parcel) => Ok(parcel),
        Reading::Test => anyhow::bail!("a test event"),
    }
}

fn keys(message: &str) -> anyhow::Result<Vec<String>> {
    match s3_events::parse(message)? {
        Notification::Objects(events) => Ok(events.into_iter().map(|event| event.key).collect()),
        Notification::Test => anyhow::bail!("a test event"),
    }
}

#[test]
fn long_bodies_become_several_messages_in_order() -> anyhow::Result<()> {
    let names: Vec<String> = (0..1_200).map(|n| format!("{n}-{}", "k".repeat(400))).collect();
    let records: Vec<Value> = names.iter().map(|name| record(name)).collect();
    let parcel = parcel(&body(&records))?;
    assert!(parcel.messages.len() > 1 && parcel.messages.iter().all(|message| message.len() <= 256_000));
    let mut sent = Vec::new();
    for message in &parcel.messages {
        sent.extend(keys(message)?);
    }
    assert_eq!(sent, names);
    assert_eq!(parcel.content, Content::Events { created: 1_200, removed: 0, other: 0 });
    Ok(())
}

#[test]
fn a_record_that_fits_no_message_is_poison() -> anyhow::Result<()> {
    let parcel = parcel(&body(&[record("small"), record(&"k".repeat(300 << 10))]))?;
    assert_eq!(parcel.content, Content::Poison("record too large"));
    assert!(parcel.messages.iter().all(|message| message.len() <= MAX_MESSAGE));
    Ok(())
}

#[test]
fn characters_that_a_queue_refuses_are_escaped() -> anyhow::Result<()> {
    let mut ceph = record("a\u{fffe}b\u{ffff}\u{1}");
    ceph["eventSource"] = "ceph:s3".into();
    let parcel = parcel(&body(&[ceph]))?;
    let [message] = parcel.messages.as_slice() else { anyhow::bail!("{parcel:?}") };
    assert!(message.is_ascii() && !message.contains(char::is_control), "{message}");
    assert_eq!(keys(message)?, ["a\u{fffe}b\u{ffff}\u{1}"]);
    Ok(())
}

#[test]
fn parcels_are_named_by_what_they_say() -> anyhow::Result<()> {
    let mut other_request = record("a");
    other_request["requestParameters"] = json!({"x-request-id": "another"});
    let id = parcel(&body(&[record("a")]))?.id();
    assert_eq!(parcel(&body(&[other_request]))?.id(), id);
    assert_ne!(parcel(&body(&[record("b")]))?.id(), id);
    Ok(())
}

#[test]
fn test_events_are_not_sent() {
    let body = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}).to_string();
    assert_eq!(read(body.as_bytes()), Reading::Test);
}

#[test]
fn every_other_body_is_poison_that_no_worker_reads() -> anyhow::Result<()> {
    let deep = "[".repeat(100_000);
    for bad in [&b""[..], b"\xff\xfe", b"{", b"{}", b"[]", b"null", br#"{"Records":[]}"#, deep.as_bytes()] {
        let parcel = parcel(bad)?;
        assert!(matches!(parcel.content, Content::Poison(_)));
        let [message] = parcel.messages.as_slice() else { anyhow::bail!("{parcel:?}") };
        assert!(s3_events::parse(message).is_err());
    }
    Ok(())
}
