//! Errors on the way through a stage, and what to do about each.

use std::time::Duration;

use manifest_store::StoreError;
use object_storage::StorageError;
use staging::StagingError;
use types::{Disposition, RejectCode, RejectReason};

use crate::Panicked;

/// Why a stage could not process its work.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// The input can never be processed.
    #[error("rejected: {0}")]
    Rejected(RejectReason),
    /// The object store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The manifest store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The staging area failed.
    #[error(transparent)]
    Staging(#[from] StagingError),
    /// A file on the staging area could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// The cause.
        source: std::io::Error,
    },
    /// A program that the stage runs beside itself failed; the next attempt has a new one.
    #[error("{0}")]
    Helper(String),
    /// The computation panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
    /// We were asked to stop, or the claim was lost.
    #[error("cancelled")]
    Cancelled,
}

impl StageError {
    /// A rejection.
    pub fn rejected(code: RejectCode, detail: impl Into<String>) -> Self {
        Self::Rejected(RejectReason::new(code, detail))
    }

    /// For `map_err` on file operations.
    pub fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::File { path, source }
    }

    /// What the engine should do.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Rejected(reason) => Disposition::Reject(reason.clone()),
            Self::Storage(error) => error.disposition(),
            Self::Store(error) => error.disposition(),
            Self::Staging(error) => error.disposition(),
            // The engine's own pause is enough.
            Self::File { .. } | Self::Helper(_) => Disposition::Retry { after: Duration::ZERO },
            Self::Panicked(_) => {
                Disposition::Reject(RejectReason::new(RejectCode::DecoderFailure, self.to_string()))
            }
            Self::Cancelled => Disposition::Cancelled,
        }
    }
}

/// Where in the protocol an error happened.
#[derive(Debug, thiserror::Error)]
#[error("{step}: {error}")]
pub struct StepError {
    /// The step's name as in docs/protocol.md: `stage`, `process`, `upload` or `publish`.
    pub step: &'static str,
    /// What happened.
    pub error: StageError,
}
