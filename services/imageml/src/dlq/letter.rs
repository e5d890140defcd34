//! What a dead letter tells.

use std::time::UNIX_EPOCH;

use queue::Message;
use s3_events::{Notification, ObjectEvent, Poison};
use serde_json::{Value, json};
use types::escape_key;

use crate::output;

/// Of a body, in characters.
const PREVIEW: usize = 200;

/// As much as [`PREVIEW`] characters of 4 bytes need, and one more, which says that it goes on.
const PREVIEW_BYTES: usize = PREVIEW * 4 + 1;

/// Objects that are listed by name. S3 sends one with each message, others may send many.
const OBJECTS: usize = 10;

/// The longest name shown: S3 allows keys of 1,024 bytes, strangers send what they like.
const NAME: usize = 1_024;

/// A message, as far as a listing keeps it.
#[derive(Debug)]
pub(super) struct Letter {
    pub(super) id: String,
    pub(super) receive_count: u32,
    /// Seconds since 1970.
    pub(super) sent_at: Option<i64>,
    pub(super) about: About,
    /// The beginning of the body; of poison, that of the body which the gateway was sent.
    pub(super) preview: String,
    pub(super) body_bytes: usize,
}

/// What a body is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum About {
    /// A notification: something kept every worker from finishing.
    Objects { first: Vec<Named>, more: usize },
    /// The sender only said that it can reach the queue.
    Test,
    /// The event gateway could not read what it was sent, and kept it.
    Poison { reason: String },
    /// No worker can read it.
    Unreadable { problem: String },
}

/// An object that a notification names, and what it says of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    event: String,
    bucket: String,
    key: String,
    version: Option<String>,
}

impl Letter {
    pub(super) fn read(message: &Message) -> Self {
        let since_1970 = message.sent_at.and_then(|sent_at| sent_at.duration_since(UNIX_EPOCH).ok());
        let (about, preview) = read(&message.body);
        Self {
            id: message.id.clone(),
            receive_count: message.receive_count,
            sent_at: since_1970.and_then(|time| i64::try_from(time.as_secs()).ok()),
            about,
            preview,
            body_bytes: message.body.len(),
        }
    }

    pub(super) fn document(&self) -> Value {
        let (objects, more) = match &self.about {
            About::Objects { first, more } => (first.iter().map(Named::document).collect(), *more),
            About::Test | About::Poison { .. } | About::Unreadable { .. } => (Vec::new(), 0),
        };
        json!({
            "id": self.id,
            "receive_count": self.receive_count,
            "sent_at": self.sent_at.map(output::time),
            "about": self.about.name(),
            "problem": self.about.problem(),
            "objects": objects,
            "more_objects": more,
            "preview": self.preview,
            "body_bytes": self.body_bytes,
        })
    }
}

impl About {
    fn name(&self) -> &'static str {
        match self {
            Self::Objects { .. } => "objects",
            Self::Test => "test",
            Self::Poison { .. } => "poison",
            Self::Unreadable { .. } => "unreadable",
        }
    }

    fn problem(&self) -> Option<&str> {
        match self {
            Self::Objects { .. } | Self::Test => None,
            Self::Poison { reason } => Some(reason),
            Self::Unreadable { problem } => Some(problem),
        }
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Objects { first, more } => {
                let mut text = first.iter().map(Named::text).collect::<Vec<_>>().join(", ");
                if *more > 0 {
                    text += &format!(" and {more} more");
                }
                text
            }
            Self::Test => "the sender's test message".to_owned(),
            Self::Poison { reason } => format!("poison: {reason}"),
            Self::Unreadable { problem } => format!("unreadable: {problem}"),
        }
    }
}

impl Named {
    fn of(event: &ObjectEvent) -> Self {
        Self {
            event: beginning(&event.name, NAME),
            bucket: beginning(&event.bucket, NAME),
            key: beginning(&event.key, NAME),
            version: event.version_id.as_deref().map(|version| beginning(version, NAME)),
        }
    }

    fn text(&self) -> String {
        format!("{} s3://{}/{}", self.event, self.bucket, self.key)
    }

    fn document(&self) -> Value {
        json!({ "event": self.event, "bucket": self.bucket, "key": self.key, "version": self.version })
    }
}

/// What a body is, and its beginning.
fn read(body: &str) -> (About, String) {
    let about = match s3_events::parse(body) {
        Ok(Notification::Objects(events)) => About::Objects {
            first: events.iter().take(OBJECTS).map(Named::of).collect(),
            more: events.len().saturating_sub(OBJECTS),
        },
        Ok(Notification::Test) => About::Test,
        Err(error) => match Poison::read(body) {
            Some(poison) => {
                let preview = original(&poison).unwrap_or_else(|| preview(body));
                return (About::Poison { reason: beginning(&poison.reason, NAME) }, preview);
            }
            None => About::Unreadable { problem: error.to_string() },
        },
    };
    (about, preview(body))
}

/// The beginning of what the gateway was sent.
fn original(poison: &Poison) -> Option<String> {
    poison.body(PREVIEW_BYTES).map(|body| preview(&String::from_utf8_lossy(&body)))
}

/// Bodies are other people's: they must not steer the terminal, also not of those who print JSON there.
fn preview(body: &str) -> String {
    escape_key(&beginning(body, PREVIEW))
}

fn beginning(text: &str, characters: usize) -> String {
    let mut rest = text.chars();
    let mut beginning: String = rest.by_ref().take(characters).collect();
    if rest.next().is_some() {
        beginning.push('…');
    }
    beginning
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_body_is_shown_escaped_and_says_that_it_was_cut() {
        // ESC [ as one character: a terminal takes it for the start of a command.
        let (about, preview) = read(&format!("\u{9b}31m{}", "ü".repeat(300)));
        assert!(matches!(about, About::Unreadable { .. }), "{about:?}");
        assert_eq!(preview, format!("\\u{{9b}}31m{}…", "ü".repeat(196)));
        assert_eq!(read("short").1, "short");
    }

    #[test]
    fn poison_shows_what_the_gateway_was_sent() {
        // `printf '??>' | base64`
        let (about, preview) = read(r#"{"imageml_poison": {"reason": "why", "body_base64": "Pz8+"}}"#);
        assert_eq!(about, About::Poison { reason: "why".to_owned() });
        assert_eq!(preview, "??>");
    }

    #[test]
    fn long_poison_is_cut_between_characters() {
        // 240 characters of 4 bytes: the gateway keeps more of a body than is shown.
        let message = Poison::new("why", "😀".repeat(240).as_bytes(), 1000).message();
        assert_eq!(read(&message).1, format!("{}…", "😀".repeat(200)));
    }

    #[test]
    fn poison_whose_base64_is_broken_shows_the_message() {
        let message = r#"{"imageml_poison": {"reason": "why", "body_base64": "!"}}"#;
        assert_eq!(read(message).1, message);
    }

    #[test]
    fn ten_objects_of_many_are_named() {
        let record = json!({ "s3": { "bucket": { "name": "b" }, "object": { "key": "k" } },
            "eventName": "ObjectCreated:Put" });
        let (about, _) = read(&json!({ "Records": vec![record; 12] }).to_string());
        let text = about.text();
        assert_eq!(text.matches("ObjectCreated:Put s3://b/k").count(), 10, "{text}");
        assert!(text.ends_with(" and 2 more"), "{text}");
    }
}
