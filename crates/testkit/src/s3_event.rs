//! Messages as Amazon S3 sends them.

use anyhow::Context;
use serde_json::{Value, json};

const EVENT: &str = include_str!("../../s3-events/tests/fixtures/aws-2.1-put.json");

/// The message that tells of a new object.
///
/// # Errors
/// None, as long as the fixture is an event.
pub fn created_event(bucket: &str, key: &str, bytes: usize, etag: &str) -> anyhow::Result<String> {
    let mut event: Value = serde_json::from_str(EVENT)?;
    let record = event.pointer_mut("/Records/0/s3").context("an S3 event")?;
    record["bucket"]["name"] = json!(bucket);
    record["object"] = json!({ "key": key, "size": bytes, "eTag": etag, "sequencer": "0055AED6DCD90281E5" });
    Ok(event.to_string())
}
