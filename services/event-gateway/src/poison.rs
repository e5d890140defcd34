//! What becomes of bodies that nobody understands: [`Poison`], without what is private in them.

use s3_events::Poison;
use serde_json::Value;

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
    let poison = match serde_json::from_slice::<Value>(body) {
        Ok(mut json) => {
            redact(&mut json);
            Poison::new(reason, json.to_string().as_bytes(), MAX_BYTES)
        }
        Err(_) => Poison::new(reason, body, MAX_BYTES),
    };
    poison.message()
}

/// The message for one that the queue will not take.
pub(crate) fn of_refused(message: &str) -> String {
    Poison::new("the queue refused the message", message.as_bytes(), MAX_REFUSED_BYTES).message()
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
    use anyhow::Context as _;
    use serde_json::json;

    use super::*;

    fn kept(message: &str) -> anyhow::Result<(Poison, Vec<u8>)> {
        let poison = Poison::read(message).context("no poison")?;
        let body = poison.body(usize::MAX).context("no base64")?;
        Ok((poison, body))
    }

    #[test]
    fn bodies_are_kept_byte_by_byte() -> anyhow::Result<()> {
        let (poison, body) = kept(&message("why", b"\xff{\0"))?;
        assert_eq!(body, b"\xff{\0");
        assert_eq!((poison.reason.as_str(), poison.body_bytes, poison.truncated), ("why", 3, false));
        Ok(())
    }

    #[test]
    fn long_bodies_are_cut_and_say_so() -> anyhow::Result<()> {
        let message = message("why", &vec![b'x'; 1 << 20]);
        let (poison, body) = kept(&message)?;
        assert_eq!((body.len(), message.len() < 184_320 + 200), (138_240, true));
        assert_eq!((poison.body_bytes, poison.truncated), (1 << 20, true));
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
