//! Bodies that nobody should send: an error, and never a panic.

use anyhow::Result;
use proptest::prelude::*;
use s3_events::{MAX_BODY_BYTES, Notification, ParseError, parse};
use serde_json::{Value, json};

use crate::{fixture, only, record};

fn not_json(body: &str) -> bool {
    matches!(parse(body), Err(ParseError::NotJson(_)))
}

#[test]
fn what_is_not_json_is_refused() {
    for body in [
        "",
        " ",
        "{",
        "{]",
        "Records",
        "{\"Records\":[}",
        "{} {}",
        "\u{feff}{}",
        "{'a':1}",
        "\"\\ud800\"",
        "{\"a\":\"\u{1}\"}",
    ] {
        assert!(not_json(body), "{body:?}");
    }
    for number in ["NaN", "Infinity", "-Infinity", "1e999", "01", "0x10", "1."] {
        assert!(
            not_json(&record("aws:s3", "ObjectCreated:Put", &format!(r#"{{"key":"a","size":{number}}}"#))),
            "{number}"
        );
    }
}

#[test]
fn a_size_beyond_64_bits_is_refused() {
    for number in
        ["18446744073709551616", "1e30", "123456789012345678901234567890", "\"18446744073709551616\""]
    {
        let body = record("aws:s3", "ObjectCreated:Put", &format!(r#"{{"key":"a","size":{number}}}"#));
        assert!(matches!(parse(&body), Err(ParseError::Record { index: 0, .. })), "{number}");
    }
}

#[test]
fn depth_is_limited_wherever_it_is() {
    let deep = |(open, close): (&str, &str)| open.repeat(100_000) + "1" + &close.repeat(100_000);
    for brackets in [("[", "]"), (r#"{"a":"#, "}")] {
        let deep = deep(brackets);
        assert!(not_json(&deep));
        assert!(not_json(&format!(r#"{{"Records":{deep}}}"#)));
        let good = record("aws:s3", "ObjectCreated:Put", r#"{"key":"a"}"#);
        assert!(not_json(
            &good.replace(r#""eventVersion""#, &format!(r#""requestParameters":{deep},"eventVersion""#))
        ));
        let wrapped = json!({ "Type": "Notification", "Message": deep }).to_string();
        assert!(wrapped.len() > MAX_BODY_BYTES || not_json(&wrapped));
    }
    assert!(not_json(&"[".repeat(100_000)));
}

#[test]
fn a_name_twice_in_one_object_is_refused() -> Result<()> {
    let good = record("aws:s3", "ObjectCreated:Put", r#"{"key":"a"}"#);
    only(&good)?;
    for (there, twice) in [
        (r#""key":"a""#, r#""key":"a","key":"b""#),
        (r#""key":"a""#, r#""key":"a","k\u0065y":"b""#),
        (r#""key":"a""#, r#""key":"a","userMetadata":{"x":1,"x":2}"#),
        (r#""Records":"#, r#""Records":[],"Records":"#),
        (r#""eventVersion":"2.1""#, r#""eventVersion":"2.1","eventVersion":"2.1""#),
    ] {
        assert!(good.contains(there));
        assert!(not_json(&good.replace(there, twice)), "{twice}");
    }
    Ok(())
}

#[test]
fn lists_do_not_pass_for_objects() {
    let by_position = [
        r#"[[{"s3":{}}],null]"#,
        r#"{"Records":[["2.1","aws:s3","ObjectCreated:Put","t",{"bucket":{"name":"b"},"object":{"key":"k"}}]]}"#,
        r#"{"Records":[{"eventName":"ObjectCreated:Put","s3":[{"name":"b"},{"key":"k"}]}]}"#,
        r#"{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":["b"],"object":["k"]}}]}"#,
    ];
    for body in by_position {
        assert!(parse(body).is_err(), "{body}");
    }
}

#[test]
fn a_body_of_the_largest_size_is_read_and_no_larger_one() -> Result<()> {
    let good = record("aws:s3", "ObjectCreated:Put", r#"{"key":"a"}"#);
    let largest = good.clone() + &" ".repeat(MAX_BODY_BYTES - good.len());
    only(&largest)?;
    assert_eq!(parse(&(largest + " ")), Err(ParseError::TooLarge { bytes: MAX_BODY_BYTES + 1 }));
    Ok(())
}

/// Whatever comes out says of which object it is.
fn check(body: &str) -> Result<(), TestCaseError> {
    if let Ok(Notification::Objects(events)) = parse(body) {
        prop_assert!(!events.is_empty());
        prop_assert!(events.iter().all(|event| !event.bucket.is_empty() && !event.key.is_empty()));
    }
    Ok(())
}

/// All that the parser looks for, and what it does not expect there.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ -~]{0,8}".prop_map(Value::from),
        prop::sample::select(vec![
            "2.1",
            "aws:s3",
            "ceph:s3",
            "s3:TestEvent",
            "aws.s3",
            "Notification",
            "Object Created",
            "%ff"
        ])
        .prop_map(Value::from),
    ];
    let name = prop::sample::select(vec![
        "Records",
        "records",
        "Event",
        "Type",
        "Message",
        "detail",
        "detail-type",
        "source",
        "time",
        "s3",
        "bucket",
        "object",
        "name",
        "key",
        "size",
        "eTag",
        "versionId",
        "sequencer",
        "eventName",
        "eventSource",
        "eventVersion",
        "eventTime",
    ]);
    leaf.prop_recursive(6, 64, 6, move |inner| {
        let fields = prop::collection::vec((name.clone(), inner.clone()), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            fields.prop_map(|fields| Value::Object(
                fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
            )),
        ]
    })
}

const FIXTURES: [&str; 6] = [
    "aws-2.1-put",
    "sns-aws-2.1-put",
    "eventbridge-object-created",
    "minio-2.0-put",
    "rustfs-before-1138-put",
    "ceph-2.1-put",
];

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused(body in any::<String>()) {
        check(&body)?;
    }

    #[test]
    fn any_bytes_made_text_are_parsed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn any_json_is_parsed_or_refused(body in any_json()) {
        check(&body.to_string())?;
    }

    /// Three places of a real body overwritten.
    #[test]
    fn damaged_bodies_are_parsed_or_refused(
        name in prop::sample::select(FIXTURES.to_vec()),
        damage in prop::collection::vec((any::<prop::sample::Index>(), "[\\x00-\\x7f]{0,3}"), 3),
    ) {
        let mut body = fixture(name).map_err(|error| TestCaseError::fail(error.to_string()))?.into_bytes();
        for (place, text) in damage {
            let at = place.index(body.len());
            body.splice(at..=at, text.bytes());
        }
        check(&String::from_utf8_lossy(&body))?;
    }
}
