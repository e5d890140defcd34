//! What can go wrong with a queue.

use std::time::Duration;

use types::Disposition;

/// A failed call to a queue, or a failed entry of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// Away, throttling or failing.
    #[error("queue unavailable: {0}")]
    Unavailable(String),
    /// We may not do this, or our credentials are not good.
    #[error("access to the queue denied: {0}")]
    Denied(String),
    /// There is no such queue, or the URL names none.
    #[error("{0}")]
    Configuration(String),
    /// The delivery is not ours any more: it was hidden for too long and came back, or was deleted.
    #[error("the delivery is not ours any more: {0}")]
    Lost(String),
    /// The queue will never take this (too large, characters that it does not allow, …).
    #[error("refused by the queue: {0}")]
    Invalid(String),
}

impl QueueError {
    /// What the caller should do.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Unavailable(_) | Self::Denied(_) | Self::Configuration(_) => {
                Disposition::Outage { after: Duration::from_secs(2) }
            }
            Self::Lost(_) => Disposition::Cancelled,
            Self::Invalid(_) => Disposition::Retry { after: Duration::from_secs(30) },
        }
    }
}
