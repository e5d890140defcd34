//! What the engine tells about its work: metrics and progress bars listen.

use std::fmt::Debug;
use std::time::Duration;

use object_storage::ObjectSummary;
use types::RejectReason;

use crate::IgnoreReason;

/// How one delivery ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Processed and published.
    Done,
    /// Nothing to do: it was settled before.
    AlreadySettled,
    /// In quarantine.
    Rejected(RejectReason),
    /// Not work for this stage.
    Ignored(IgnoreReason),
    /// It failed and will be tried again.
    Retried,
    /// Not ready, held by another worker, or handed back at shutdown.
    HandedBack,
}

impl Ending {
    /// The metric label.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::AlreadySettled => "already_settled",
            Self::Rejected(_) => "rejected",
            Self::Ignored(_) => "ignored",
            Self::Retried => "retried",
            Self::HandedBack => "handed_back",
        }
    }

    /// Every metric label.
    pub const LABELS: [&str; 6] =
        ["done", "already_settled", "rejected", "ignored", "retried", "handed_back"];
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageFate {
    /// All its records are settled, and it was deleted.
    Deleted,
    /// It could not be deleted, comes again and is found settled.
    NotDeleted,
    /// It was given back to the queue.
    GivenBack,
    /// It does not parse: left for the dead-letter queue.
    Unreadable,
    /// The queue took it away from us while we had it: it was hidden for too long, or somebody else deleted it.
    Lost,
    /// It came again while we had it: both deliveries get one answer.
    Repeated,
    /// The sender's test of the connection.
    Test,
}

impl MessageFate {
    /// Every fate.
    pub const ALL: [Self; 7] = [
        Self::Deleted,
        Self::NotDeleted,
        Self::GivenBack,
        Self::Repeated,
        Self::Unreadable,
        Self::Lost,
        Self::Test,
    ];

    /// The metric label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::NotDeleted => "not_deleted",
            Self::GivenBack => "given_back",
            Self::Repeated => "repeated",
            Self::Unreadable => "unreadable",
            Self::Lost => "lost",
            Self::Test => "test",
        }
    }
}

/// Something happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// The source found objects that are new to this process.
    Discovered {
        /// How many.
        objects: u64,
        /// How many of them were settled before and are not delivered.
        settled: u64,
    },
    /// The source found something that is not work, and does not deliver it.
    Ignored {
        /// Why.
        reason: IgnoreReason,
    },
    /// The source looked for work and got an answer, be it that there is none.
    Polled,
    /// Messages came from a queue.
    Received {
        /// How many.
        messages: u64,
        /// Since the first of them was sent, if the queue says.
        age: Option<Duration>,
    },
    /// What became of a message.
    Message(MessageFate),
    /// Work on a delivery began; exactly one `Finished` follows.
    Started {
        /// The object.
        object: &'a ObjectSummary,
    },
    /// A step of the protocol took this long.
    Step {
        /// Its name as in docs/protocol.md.
        step: &'static str,
        /// How long.
        took: Duration,
    },
    /// Outputs were uploaded.
    Uploaded {
        /// How many bytes.
        bytes: u64,
    },
    /// A delivery ended.
    Finished {
        /// The object.
        object: &'a ObjectSummary,
        /// How.
        ending: &'a Ending,
    },
}

/// Listens. Must be quick and must not panic.
pub trait Observer: Send + Sync + Debug {
    /// Takes note of an event.
    fn observe(&self, event: &Event<'_>);
}
