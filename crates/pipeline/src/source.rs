//! Where work comes from.

pub(crate) mod poll;

use std::time::Duration;

use async_trait::async_trait;
use manifest_store::StoreError;
use object_storage::{ObjectSummary, StorageError};
use types::Disposition;

/// Why a source could not deliver.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The object store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The manifest store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SourceError {
    /// What the engine should do.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Storage(error) => error.disposition(),
            Self::Store(error) => error.disposition(),
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
    receipt: Box<dyn Receipt>,
}

impl Delivery {
    /// A delivery and the way to answer it.
    pub fn new(object: ObjectSummary, receipt: Box<dyn Receipt>) -> Self {
        Self { object, receipt }
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

/// A source of work: polling here, SQS beside it.
///
/// Contract: at least once; an object version that is not acknowledged comes again; `next` is called only when
/// a slot is free. Cancel safety: dropping the future of `next` loses nothing.
#[async_trait]
pub trait WorkSource: Send {
    /// Waits for the next object; `None` when there will never be another one.
    async fn next(&mut self) -> Result<Option<Delivery>, SourceError>;
}
