//! What can go wrong with the manifest store, and what to do about it.

use std::time::Duration;

use types::{DatasetName, Disposition, VersionNumber};

/// A failed call to the manifest store.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The claim was lost: its lease expired and another owner may be at work. Nothing was written.
    #[error("the claim is no longer ours: its lease expired or it was taken over")]
    Fenced,
    /// The object was overwritten: a version of it that was claimed after ours is done. Nothing was written.
    #[error("the work is out of date: a later version of its object is done")]
    Superseded,
    /// An output may have been deleted since the work was claimed. Nothing was written; the work has to be done
    /// again, under another claim.
    #[error("an output is being removed, or was removed after the work was claimed")]
    OutputsRemoved,
    /// No such dataset.
    #[error("dataset {0} does not exist")]
    NoSuchDataset(DatasetName),
    /// No such version.
    #[error("dataset {0} has no version {1}")]
    NoSuchVersion(DatasetName, VersionNumber),
    /// The database is away, busy or out of connections.
    #[error("manifest store unavailable: {0}")]
    Unavailable(String),
    /// The answer to a commit was lost: it may have happened. Look again.
    #[error("the outcome of a commit is unknown: {0}")]
    Unknown(String),
    /// The database holds, or was given, something that this program does not understand.
    #[error("manifest store: {0}")]
    Invalid(String),
    /// `DATABASE_URL` cannot be used.
    #[error("{0}")]
    Configuration(String),
}

impl StoreError {
    /// What the engine should do.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::Fenced | Self::Superseded => Disposition::Cancelled,
            Self::OutputsRemoved => Disposition::Outage { after: Duration::from_secs(1) },
            Self::Unknown(_) => Disposition::Unknown,
            Self::Unavailable(_) => Disposition::Outage { after: Duration::from_secs(5) },
            Self::NoSuchDataset(_) | Self::NoSuchVersion(..) | Self::Invalid(_) | Self::Configuration(_) => {
                Disposition::Retry { after: Duration::from_secs(30) }
            }
        }
    }
}
