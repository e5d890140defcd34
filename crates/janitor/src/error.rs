//! Why a sweep ended early.

use manifest_store::StoreError;
use object_storage::StorageError;

/// A sweep that did not come to its end. The next one goes on where it stopped.
#[derive(Debug, thiserror::Error)]
pub enum JanitorError {
    /// The manifest store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The object store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Another janitor may lead by now.
    #[error("this process leads no longer")]
    LeadershipLost,
    /// We were asked to stop.
    #[error("the sweep was cut short")]
    Stopped,
}
