//! What a body becomes on the queue.

use s3_events::{EventKind, Notification, ObjectEvent, ParseError, canonical};
use sha2::{Digest as _, Sha256};

use crate::answer::Outcome;
use crate::poison;

/// The longest message that we send. SQS took 256 KiB for most of its life, and many servers still do.
const MAX_MESSAGE: usize = 250 << 10;

/// Names a parcel by its content.
pub(crate) type ParcelId = [u8; 32];

/// A body, read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Nothing is to be sent.
    Test,
    /// This is.
    Parcel(Parcel),
}

/// Messages for the queue, all of one request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parcel {
    pub(crate) messages: Vec<String>,
    pub(crate) content: Content,
}

/// What the messages of a parcel are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// Events: how many of each kind.
    Events { created: u64, removed: u64, other: u64 },
    /// One message that no worker can read, and why. Never what was in the body.
    Poison(&'static str),
}

impl Parcel {
    pub(crate) fn id(&self) -> ParcelId {
        let mut digest = Sha256::new();
        for message in &self.messages {
            digest.update((message.len() as u64).to_be_bytes());
            digest.update(message);
        }
        digest.finalize().into()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.messages.iter().map(String::len).sum()
    }

    /// How its request ends when it is on the queue.
    pub(crate) fn outcome(&self) -> Outcome {
        match self.content {
            Content::Events { .. } => Outcome::Accepted,
            Content::Poison(_) => Outcome::Poison,
        }
    }
}

/// Reads a body. Every body becomes something: who may send is believed to have meant something by it.
pub(crate) fn read(body: &[u8]) -> Reading {
    let Ok(text) = std::str::from_utf8(body) else {
        return poisoned("not UTF-8", "the body is not UTF-8", body);
    };
    match s3_events::parse(text) {
        Ok(Notification::Test) => Reading::Test,
        Ok(Notification::Objects(events)) => {
            let mut messages = Vec::new();
            pack(&events, &mut messages);
            if messages.iter().any(|message| message.len() > MAX_MESSAGE) {
                return poisoned("record too large", "one record is too large for a message", body);
            }
            Reading::Parcel(Parcel { messages, content: count(&events) })
        }
        Err(error) => poisoned(class(&error), &error.to_string(), body),
    }
}

/// As few messages as there must be, in the order of the events; a message is larger than allowed only when one event
/// is.
fn pack(events: &[ObjectEvent], messages: &mut Vec<String>) {
    let message = transportable(canonical(events));
    if message.len() <= MAX_MESSAGE || events.len() < 2 {
        messages.push(message);
        return;
    }
    let (first, second) = events.split_at(events.len() / 2);
    pack(first, messages);
    pack(second, messages);
}

/// SQS takes the characters of XML 1.0. JSON as we write it escapes all others but these two, which stand in strings
/// only.
fn transportable(json: String) -> String {
    if json.contains(['\u{fffe}', '\u{ffff}']) {
        json.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
    } else {
        json
    }
}

fn count(events: &[ObjectEvent]) -> Content {
    let of = |kind| events.iter().filter(|event| event.kind == kind).count() as u64;
    Content::Events {
        created: of(EventKind::Created),
        removed: of(EventKind::Removed),
        other: of(EventKind::Other),
    }
}

fn poisoned(class: &'static str, reason: &str, body: &[u8]) -> Reading {
    Reading::Parcel(Parcel { messages: vec![poison::message(reason, body)], content: Content::Poison(class) })
}

/// What the log may say of it.
fn class(error: &ParseError) -> &'static str {
    match error {
        ParseError::TooLarge { .. } => "too large",
        ParseError::NotJson(_) => "not JSON",
        ParseError::Unknown(_) => "no notification",
        ParseError::Record { .. } => "bad record",
    }
}

#[cfg(test)]
mod tests;
