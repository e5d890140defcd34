//! What a queue gives out.

use std::fmt;
use std::time::SystemTime;

/// The right to answer one delivery of a message. Never printed: whoever has it can delete the message.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Receipt(String);

impl Receipt {
    /// As the queue gave it.
    pub fn new(handle: impl Into<String>) -> Self {
        Self(handle.into())
    }

    /// For the adapter that sends it back.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receipt(***)")
    }
}

/// One delivery of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The same at each delivery.
    pub id: String,
    /// What was sent.
    pub body: String,
    /// Another one at each delivery.
    pub receipt: Receipt,
    /// How often it was delivered, this time included; approximate, at least 1.
    pub receive_count: u32,
    /// When it was sent, by the queue's clock, if it says so.
    pub sent_at: Option<SystemTime>,
}
