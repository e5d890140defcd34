//! Bodies that nobody understands, kept for people.
//!
//! A message of this form is put on the queue: no worker can read it, so after its last delivery the queue moves it to
//! the dead letters. `body_base64` is cut when it is long; `body_bytes` says how long it was.
//!
//! ```json
//! {"imageml_poison": {"reason": "not JSON: …", "body_bytes": 3, "truncated": false, "body_base64": "Pj8+"}}
//! ```

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// Of the body; 4/3 of it in base64 are 180 KiB.
const MAX_BYTES: usize = 135 << 10;

/// Of a message that the queue refused. Fits a queue that takes only short ones (Amazon S3 itself needs 64 KB).
const MAX_REFUSED_BYTES: usize = 16 << 10;

/// What of a record is about the request that caused it: who, from where and, with some RustFS builds, its
/// `Authorization` header (rustfs/rustfs#2292). Without case and underscores, as builds differ.
const PRIVATE: [&str; 3] = ["requestparameters", "responseelements", "authorization"];

/// The message for a body. What is private in it is left out if it is JSON; of what is not JSON nobody can say what is
/// private.
pub(crate) fn message(reason: &str, body: &[u8]) -> String {
    match serde_json::from_slice::<Value>(body) {
        Ok(mut json) => {
            redact(&mut json);
            write(reason, json.to_string().as_bytes(), MAX_BYTES)
        }
        Err(_) => write(reason, body, MAX_BYTES),
    }
}

/// The message for one that the queue will not take.
pub(crate) fn of_refused(message: &str) -> String {
    write("the queue refused the message", message.as_bytes(), MAX_REFUSED_BYTES)
}

fn write(reason: &str, body: &[u8], max: usize) -> String {
    let kept = body.get(..max).unwrap_or(body);
    json!({ "imageml_poison": {
        "reason": reason,
        "body_bytes": body.len(),
        "truncated": kept.len() < body.len(),
        "body_base64": STANDARD.encode(kept),
    }})
    .to_string()
}

/// Also in texts that are JSON: SNS sends notifications so. The depth is bounded, by the parser's own limit and by the
/// escapes that texts within texts need.
fn redact(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !is_private(name));
            fields.values_mut().for_each(redact);
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        Value::String(text) if text.trim_start().starts_with(['{', '[', '"']) => {
            if let Ok(mut inner) = serde_json::from_str::<Value>(text) {
                redact(&mut inner);
                *text = inner.to_string();
            }
        }
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}

fn is_private(name: &str) -> bool {
    let name: String = name.chars().filter(|&c| c != '_').flat_map(char::to_lowercase).collect();
    PRIVATE.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(message: &str) -> anyhow::Result<(Value, Vec<u8>)> {
        let json: Value = serde_json::from_str(message)?;
        let body = STANDARD.decode(json["imageml_poison"]["body_base64"].as_str().unwrap_or("?"))?;
        Ok((json, body))
    }

    #[test]
    fn bodies_are_kept_byte_by_byte() -> anyhow::Result<()> {
        let (json, body) = kept(&message("why", b"\xff{\0"))?;
        assert_eq!(body, b"\xff{\0");
        assert_eq!(json["imageml_poison"]["reason"], "why");
        assert_eq!(json["imageml_poison"]["body_bytes"], 3);
        assert_eq!(json["imageml_poison"]["truncated"], false);
        Ok(())
    }

    #[test]
    fn long_bodies_are_cut_and_say_so() -> anyhow::Result<()> {
        let message = message("why", &vec![b'x'; 1 << 20]);
        let (json, body) = kept(&message)?;
        assert_eq!((body.len(), message.len() < 184_320 + 200), (138_240, true));
        assert_eq!(json["imageml_poison"]["body_bytes"], 1 << 20);
        assert_eq!(json["imageml_poison"]["truncated"], true);
        Ok(())
    }

    #[test]
    fn what_is_private_is_left_out_at_every_depth() -> anyhow::Result<()> {
        let record = json!({"requestParameters": {"authorization": "canary"}, "response_elements": "canary",
            "deeper": [{"RequestParameters": ["canary"], "Authorization": "canary", "stays": 1}]});
        let in_text = json!({"Type": "Notification", "Message": json!({"Records": [record]}).to_string()});
        for body in
            [record.clone(), json!({"Records": [record]}), in_text.clone(), json!([in_text.to_string()])]
        {
            let (_, kept) = kept(&message("why", body.to_string().as_bytes()))?;
            let kept = String::from_utf8(kept)?;
            assert!(kept.contains("stays") && !kept.contains("canary"), "{kept}");
        }
        Ok(())
    }
}
