//! The one form for every sender's events.

use anyhow::Result;
use proptest::prelude::*;
use s3_events::{EventKind, Notification, ObjectEvent, ParseError, Sender, canonical, parse};

use crate::{created, fixture, objects};

/// The same but for the key as sent: the canonical form sends it in its own way.
fn without_raw_keys(events: &[ObjectEvent]) -> Vec<ObjectEvent> {
    events.iter().map(|event| ObjectEvent { raw_key: None, ..event.clone() }).collect()
}

#[test]
fn the_form_is_that_of_the_s3_user_guide_and_holds_nothing_else() -> Result<()> {
    let events = objects(&fixture("rustfs-1.0.1-put")?)?;
    assert_eq!(
        canonical(&events),
        concat!(
            r#"{"Records":[{"eventVersion":"2.1","eventSource":"rustfs:s3","eventTime":"2026-11-23T08:12:11.047Z","#,
            r#""eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"landing"},"object":{"key":"raw/a+b%2B%C3%A9.jpg","#,
            r#""size":1000,"eTag":"468f6c1cff2cdf9064668f60686bfef7","sequencer":"18EA9E5EB3E97D5E"}}}]}"#
        )
    );
    Ok(())
}

#[test]
fn senders_of_raw_keys_keep_them_raw() {
    for sender in [Sender::Ceph, Sender::EventBridge] {
        assert!(canonical(&[created(sender, "a+b 100%2F.jpg")]).contains(r#""key":"a+b 100%2F.jpg""#));
    }
}

#[test]
fn the_events_of_every_fixture_come_back() -> Result<()> {
    let mut read = 0;
    for file in std::fs::read_dir(format!("{}/tests/fixtures", env!("CARGO_MANIFEST_DIR")))? {
        if let Ok(Notification::Objects(events)) = parse(&std::fs::read_to_string(file?.path())?) {
            assert_eq!(without_raw_keys(&objects(&canonical(&events))?), without_raw_keys(&events));
            read += 1;
        }
    }
    assert!(read >= 11, "{read} fixtures with events");
    Ok(())
}

#[test]
fn no_events_are_no_notification() {
    assert!(matches!(parse(&canonical(&[])), Err(ParseError::Unknown(_))));
}

fn any_event() -> impl Strategy<Value = ObjectEvent> {
    let sender = prop::sample::select(vec![
        Sender::Aws,
        Sender::EventBridge,
        Sender::Minio,
        Sender::RustFs,
        Sender::Ceph,
        Sender::Other,
    ]);
    let name = prop::sample::select(vec![
        ("ObjectCreated:Put", EventKind::Created),
        ("ObjectCreatedCompleteMultipartUpload", EventKind::Created),
        ("Object Created", EventKind::Created),
        ("ObjectRemoved:Delete", EventKind::Removed),
        ("Object Deleted", EventKind::Removed),
        ("ObjectCreated:PutTagging", EventKind::Other),
        ("Something:New", EventKind::Other),
    ]);
    let optional = || prop::option::of(".{1,12}");
    let etag = prop::option::of("[^\"]{1,12}");
    let version = prop::option::of(".{1,12}".prop_filter("means none", |version| version != "null"));
    let texts = (".{1,12}", ".{1,40}", etag, version, optional(), optional());
    (sender, name, any::<Option<u64>>(), texts).prop_map(|(sender, (name, kind), bytes, texts)| {
        let (bucket, key, etag, version_id, sequencer, time) = texts;
        let name = name.to_owned();
        ObjectEvent {
            kind,
            name,
            sender,
            bucket,
            key,
            raw_key: None,
            bytes,
            etag,
            version_id,
            sequencer,
            time,
        }
    })
}

proptest! {
    #[test]
    fn any_events_come_back(events in prop::collection::vec(any_event(), 1..5)) {
        let again = objects(&canonical(&events)).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(without_raw_keys(&again), events);
        // The form of the form is the form.
        prop_assert_eq!(canonical(&again), canonical(&without_raw_keys(&again)));
    }
}
