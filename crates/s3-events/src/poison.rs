//! Bodies that nobody understands, kept for people.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// A body that could not be read, as a message that no worker can read either: after its last delivery the queue moves
/// it to the dead letters.
///
/// ```json
/// {"imageml_poison": {"reason": "not JSON: …", "body_bytes": 3, "truncated": false, "body_base64": "Pz8+"}}
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poison {
    /// Why it could not be read.
    pub reason: String,
    /// How long the body was.
    #[serde(default)]
    pub body_bytes: u64,
    /// Whether only its beginning is kept.
    #[serde(default)]
    pub truncated: bool,
    #[serde(default)]
    body_base64: String,
}

/// What is on the wire. [`parse`](crate::parse) reads no message of this form.
#[derive(Serialize, Deserialize)]
struct Message<P> {
    imageml_poison: P,
}

impl Poison {
    /// Keeps at most `max_bytes` of a body. The message has 4/3 of that, and the reason.
    #[must_use]
    pub fn new(reason: &str, body: &[u8], max_bytes: usize) -> Self {
        let kept = body.get(..max_bytes).unwrap_or(body);
        Self {
            reason: reason.to_owned(),
            body_bytes: body.len() as u64,
            truncated: kept.len() < body.len(),
            body_base64: STANDARD.encode(kept),
        }
    }

    /// The poison in a message; `None` when it is another one.
    #[must_use]
    pub fn read(message: &str) -> Option<Self> {
        serde_json::from_str(message).ok().map(|Message { imageml_poison }| imageml_poison)
    }

    /// The message.
    #[must_use]
    pub fn message(&self) -> String {
        serde_json::to_string(&Message { imageml_poison: self }).expect("texts and numbers are always JSON")
    }

    /// The beginning of the body, at most `max_bytes` of it; `None` when that is not base64.
    #[must_use]
    pub fn body(&self, max_bytes: usize) -> Option<Vec<u8>> {
        // Four characters stand for three bytes.
        let base64 = self.body_base64.get(..max_bytes.div_ceil(3).saturating_mul(4));
        let mut body = STANDARD.decode(base64.unwrap_or(&self.body_base64)).ok()?;
        body.truncate(max_bytes);
        Some(body)
    }
}

impl fmt::Debug for Poison {
    /// Without the body, which is other people's, and long.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poison")
            .field("reason", &self.reason)
            .field("body_bytes", &self.body_bytes)
            .field("truncated", &self.truncated)
            .finish_non_exhaustive()
    }
}
