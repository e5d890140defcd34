//! Single fields of a record.

use anyhow::{Context, Result};
use s3_events::{ParseError, Sender, parse};
use serde_json::{Value, json};

use crate::{fixture, only, record};

fn object(object: &Value) -> Result<s3_events::ObjectEvent> {
    only(&record("aws:s3", "ObjectCreated:Put", &object.to_string()))
}

fn problem(body: &str) -> Option<(usize, String)> {
    match parse(body) {
        Err(ParseError::Record { index, problem }) => Some((index, problem)),
        _ => None,
    }
}

#[test]
fn every_minor_version_of_2_is_read_and_no_other_major_version() -> Result<()> {
    let body =
        |version: &str| record("aws:s3", "ObjectCreated:Put", r#"{"key":"a"}"#).replace("2.1", version);
    for version in ["2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.10", "2"] {
        only(&body(version))?;
    }
    for version in ["3.0", "1.0", "20.1", "x", ".2", " 2.1"] {
        assert!(problem(&body(version)).is_some(), "{version}");
    }
    // Some emulators send none.
    only(
        r#"{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"b"},"object":{"key":"k"}}}]}"#,
    )?;
    Ok(())
}

#[test]
fn the_sender_is_known_by_its_event_source() -> Result<()> {
    for (source, sender) in [
        ("aws:s3", Sender::Aws),
        ("minio:s3", Sender::Minio),
        ("rustfs:s3", Sender::RustFs),
        ("ceph:s3", Sender::Ceph),
        ("garage:s3", Sender::Other),
        ("", Sender::Other),
    ] {
        assert_eq!(only(&record(source, "ObjectCreated:Put", r#"{"key":"a"}"#))?.sender, sender, "{source}");
    }
    Ok(())
}

#[test]
fn an_unversioned_object_has_no_version_id() -> Result<()> {
    for version in [json!(null), json!(""), json!("null")] {
        assert_eq!(object(&json!({ "key": "a", "versionId": version }))?.version_id, None);
    }
    assert_eq!(object(&json!({ "key": "a" }))?.version_id, None);
    assert_eq!(object(&json!({ "key": "a", "versionId": "v1" }))?.version_id.as_deref(), Some("v1"));
    Ok(())
}

#[test]
fn an_etag_has_no_quotes() -> Result<()> {
    assert_eq!(object(&json!({ "key": "a", "eTag": "\"6f-2\"" }))?.etag.as_deref(), Some("6f-2"));
    for none in [json!(null), json!(""), json!("\"\"")] {
        assert_eq!(object(&json!({ "key": "a", "eTag": none }))?.etag, None);
    }
    Ok(())
}

#[test]
fn sizes_are_numbers_or_texts_or_unknown() -> Result<()> {
    for (size, bytes) in [
        (json!(0), Some(0)),
        (json!(u64::MAX), Some(u64::MAX)),
        (json!("1024"), Some(1024)),
        (json!(""), None),
        (json!(null), None),
        (json!(-1), None),
    ] {
        assert_eq!(object(&json!({ "key": "a", "size": size }))?.bytes, bytes, "{size}");
    }
    for size in [json!(1.5), json!("1 KB"), json!("-1"), json!(true), json!([1]), json!({ "bytes": 1 })] {
        let body = record("aws:s3", "ObjectCreated:Put", &json!({ "key": "a", "size": size }).to_string());
        assert_eq!(problem(&body), Some((0, "the size is not a count of bytes".to_owned())), "{size}");
    }
    Ok(())
}

#[test]
fn a_record_needs_a_name_a_bucket_and_a_key() {
    let complete = record("aws:s3", "ObjectCreated:Put", r#"{"key":"a"}"#);
    for (there, instead, expected) in [
        (r#""ObjectCreated:Put""#, r#""""#, "no name of the event"),
        (r#""ObjectCreated:Put""#, r#""s3:""#, "no name of the event"),
        (r#""ObjectCreated:Put""#, "null", "no name of the event"),
        (r#""landing""#, r#""""#, "no bucket"),
        (r#"{"name":"landing"}"#, "null", "no bucket"),
        (r#""landing""#, "[]", "the bucket's name is not a text"),
        (r#"{"key":"a"}"#, "{}", "no key"),
        (r#"{"key":"a"}"#, r#"{"key":""}"#, "no key"),
        (r#"{"key":"a"}"#, r#"{"key":7}"#, "the key is not a text"),
    ] {
        assert!(complete.contains(there));
        assert_eq!(problem(&complete.replace(there, instead)), Some((0, expected.to_owned())), "{instead}");
    }
}

#[test]
fn the_record_at_fault_is_named_and_none_is_returned() {
    let good = json!({ "eventName": "ObjectCreated:Put", "s3": { "bucket": { "name": "b" }, "object": { "key": "k" } } });
    for bad in [json!(null), json!({}), json!("s3"), json!([good]), json!({ "s3": [] })] {
        let body = json!({ "Records": [good, good, bad, good] }).to_string();
        assert_eq!(problem(&body).map(|(index, _)| index), Some(2), "{bad}");
    }
}

#[test]
fn a_field_under_two_names_is_refused() {
    let body = record("rustfs:s3", "ObjectCreated:Put", r#"{"key":"a","eTag":"1","etag":"2"}"#);
    assert_eq!(problem(&body).map(|(index, _)| index), Some(0));
}

#[test]
fn names_with_underscores_are_read_too() -> Result<()> {
    let body = r#"{"records":[{"event_version":"2.1","event_source":"rustfs:s3","event_time":"t","event_name":
        "ObjectCreatedPut","s3":{"bucket":{"name":"b"},"object":{"key":"k","etag":"e","version_id":"v"}}}]}"#;
    let event = only(body)?;
    assert_eq!((event.sender, event.name.as_str()), (Sender::RustFs, "ObjectCreatedPut"));
    assert_eq!((event.time.as_deref(), event.version_id.as_deref()), (Some("t"), Some("v")));
    Ok(())
}

#[test]
fn nothing_of_requests_and_responses_is_kept() -> Result<()> {
    let body = fixture("rustfs-1.0.1-put")?;
    for secret in ["***redacted***", "testkey", "1ff71644-8e4b-4e7c-a111-c7c9be032991"] {
        assert!(body.contains(secret));
        assert!(!format!("{:?}", parse(&body)).contains(secret), "{secret}");
    }
    // Nor in errors.
    let secret = "AWS4-HMAC-SHA256 Credential";
    for there in [r#""eventSource": "rustfs:s3""#, r#""eventVersion": "2.1""#, r#""size": 1000"#] {
        assert!(body.contains(there));
        let (name, _) = there.split_once(' ').context("no value")?;
        for value in [format!(r#"["{secret}"]"#), secret.to_owned()] {
            let error = parse(&body.replacen(there, &format!("{name} {value}"), 1)).err();
            let error = format!("{:?}", error.context("read")?);
            assert!(!error.contains("AWS4"), "{value}: {error}");
        }
    }
    let error =
        parse(&body.replace(r#"{"s3SchemaVersion""#, &format!(r#""{secret}","x":{{"s3SchemaVersion""#)));
    assert!(error.is_err() && !format!("{error:?}").contains(secret), "{error:?}");
    Ok(())
}
