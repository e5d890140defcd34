//! Where work comes from.

pub(crate) mod poll;
pub(crate) mod queue;
pub(crate) mod reconcile;

use std::time::Duration;

use ::queue::QueueError;
use async_trait::async_trait;
use manifest_store::StoreError;
use object_storage::{ObjectSummary, StorageError};
use tokio_util::sync::CancellationToken;
use types::{Disposition, S3Uri};

use crate::Slots;

/// Why a source could not deliver.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The object store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The manifest store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The queue failed.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl SourceError {
    /// What the engine should do.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Storage(error) => error.disposition(),
            Self::Store(error) => error.disposition(),
            Self::Queue(error) => error.disposition(),
        }
    }
}

/// The sender's side of a delivery.
#[async_trait]
pub trait Receipt: Send + Sync + std::fmt::Debug {
    /// The work is settled: never deliver it again.
    async fn ack(self: Box<Self>);
    /// Deliver it again, not before `after`.
    async fn nack(self: Box<Self>, after: Duration);
}

/// One object version that may need work. Dropped without an answer, it comes back by itself.
#[derive(Debug)]
pub struct Delivery {
    /// The object.
    pub object: ObjectSummary,
    /// Where else the object may be found, and that it is to be looked for: set by sources that tell of each change
    /// only once.
    pub trail: Option<Trail>,
    receipt: Box<dyn Receipt>,
}

/// What to do when the object version of an event is not there any more: events may be merged, late or out of order, so
/// the object is looked up, and its present version is worked on instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trail {
    /// The object under its key as the event had it, if decoding made another of it: some servers send keys raw.
    pub undecoded: Option<S3Uri>,
}

impl Delivery {
    /// A delivery and the way to answer it.
    pub fn new(object: ObjectSummary, receipt: Box<dyn Receipt>) -> Self {
        Self { object, trail: None, receipt }
    }

    /// The work is settled.
    pub async fn ack(self) {
        self.receipt.ack().await;
    }

    /// Deliver it again, not before `after`.
    pub async fn nack(self, after: Duration) {
        self.receipt.nack(after).await;
    }
}

/// A source of work.
///
/// Contract: at least once; an object version that is not acknowledged comes again; `next` is called only when
/// a slot is free. Cancel safety: dropping the future of `next` loses nothing.
#[async_trait]
pub trait WorkSource: Send {
    /// Waits for the next object; `None` when there will never be another one. A source that takes work from others (a
    /// queue) takes no more than there are free slots.
    async fn next(&mut self, slots: &Slots) -> Result<Option<Delivery>, SourceError>;

    /// Called once, when `next` will not be called any more, while the last deliveries may still be answered: stops
    /// taking, gives back what was not delivered.
    fn stop(&mut self) {}

    /// Called once, when every delivery was answered: returns when all answers have reached the other side, or
    /// `patience` ends.
    async fn finish(&mut self, patience: &CancellationToken) {
        let _ = patience;
    }
}
