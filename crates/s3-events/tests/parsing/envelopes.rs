//! What a message is, before its records are looked at.

use anyhow::Result;
use s3_events::{Notification, ParseError, parse};
use serde_json::json;

use crate::fixture;

fn unknown(body: &str) -> bool {
    matches!(parse(body), Err(ParseError::Unknown(_)))
}

#[test]
fn test_events_are_known_plain_and_through_sns() -> Result<()> {
    assert_eq!(parse(&fixture("aws-test-event")?), Ok(Notification::Test));
    assert_eq!(parse(&fixture("sns-aws-test-event")?), Ok(Notification::Test));
    // moto sends fewer fields.
    let moto =
        r#"{"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026-11-23T06:21:23", "Bucket": "in"}"#;
    assert_eq!(parse(moto), Ok(Notification::Test));
    Ok(())
}

#[test]
fn nobody_is_subscribed_by_a_body() -> Result<()> {
    assert!(unknown(&fixture("sns-subscription-confirmation")?));
    assert!(unknown(&fixture("sns-unsubscribe-confirmation")?));
    Ok(())
}

#[test]
fn sns_is_unwrapped_once() -> Result<()> {
    let once = fixture("sns-aws-2.1-put")?;
    assert!(parse(&once).is_ok());
    assert!(unknown(&json!({ "Type": "Notification", "Message": once }).to_string()));
    Ok(())
}

#[test]
fn sns_carries_eventbridge_too() -> Result<()> {
    let plain = fixture("eventbridge-object-created")?;
    assert_eq!(parse(&json!({ "Type": "Notification", "Message": plain }).to_string()), parse(&plain));
    Ok(())
}

#[test]
fn sns_without_a_notification_inside_is_refused() {
    let message = |message: &str| parse(&json!({ "Type": "Notification", "Message": message }).to_string());
    assert!(matches!(message("the disk is full"), Err(ParseError::NotJson(_))));
    assert!(matches!(message("{}"), Err(ParseError::Unknown(_))));
    assert!(matches!(message(""), Err(ParseError::NotJson(_))));
    assert!(matches!(parse(r#"{"Type":"Notification"}"#), Err(ParseError::NotJson(_))));
    assert!(unknown(r#"{"Type":"Alarm","Message":"{}"}"#));
    assert!(unknown(r#"{"Type":"Notification","Message":{"Records":[]}}"#), "the message is a text");
}

#[test]
fn other_json_is_not_a_notification() {
    for body in [
        "{}",
        "[]",
        "null",
        "5",
        r#""Records""#,
        r#"{"Records":[]}"#,
        r#"{"Records":null}"#,
        r#"{"Records":{}}"#,
        r#"{"Records":"none"}"#,
        r#"{"Event":"s3:SomethingElse"}"#,
        r#"{"Event":7}"#,
        r#"{"detail-type":"Object Created","source":"aws.s3"}"#,
        r#"{"detail-type":"EC2 Instance State-change Notification","source":"aws.ec2","detail":{}}"#,
    ] {
        assert!(unknown(body), "{body}: {:?}", parse(body));
    }
}

#[test]
fn an_eventbridge_event_of_something_else_in_s3_is_refused() {
    let call = r#"{"detail-type":"AWS API Call via CloudTrail","source":"aws.s3","detail":{"eventName":"PutObject"}}"#;
    assert_eq!(parse(call), Err(ParseError::Record { index: 0, problem: "no bucket".to_owned() }));
}

#[test]
fn records_under_both_names_are_refused() {
    assert!(unknown(r#"{"Records":[],"records":[]}"#));
}
