//! What can go wrong with the worker.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use types::{Disposition, RejectCode, RejectReason};

/// How long work steps back from a worker that cannot be started or was killed.
const STEP_BACK: Duration = Duration::from_secs(30);

/// Why a conversion was not made. What the SDK converts wrongly is no error: see [`crate::Verdict`].
#[derive(Debug, thiserror::Error)]
pub enum LabelStudioError {
    /// The environment or the worker is not there.
    #[error("the Label Studio worker is missing: {}: {source}. Run `make setup-python`", path.display())]
    Missing {
        /// What is missing.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The worker speaks another protocol, or runs another SDK.
    #[error(
        "the Label Studio worker does not fit: it has {found} and must have {wanted}. Run `make setup-python`"
    )]
    Incompatible {
        /// What it said of itself.
        found: String,
        /// What we were built and tested with.
        wanted: String,
    },
    /// The worker did not come up.
    #[error(
        "the Label Studio worker does not start: {detail}. If a module is missing, run `make setup-python`"
    )]
    Start {
        /// What is known of it, with the end of what it printed.
        detail: String,
    },
    /// Somebody killed the worker while it started.
    #[error("the Label Studio worker was killed while it started: {detail}")]
    Killed {
        /// What is known of it, with the end of what it printed.
        detail: String,
    },
    /// Two workers in a row ended before they had answered.
    #[error("the Label Studio worker died twice over the same request: {detail}")]
    Died {
        /// What is known of the second end, with the end of what it printed.
        detail: String,
    },
    /// The conversion took too long and was killed.
    #[error("the Label Studio SDK was still converting after {} s", limit.as_secs_f64())]
    TimedOut {
        /// How long it was given.
        limit: Duration,
    },
    /// The SDK, or the worker before it, refused the request as a whole.
    #[error("the Label Studio SDK failed: {code}: {message}")]
    Refused {
        /// The worker's code: `bad_request` or `conversion_failed`.
        code: String,
        /// The exception.
        message: String,
    },
    /// The SDK wrote something that is not what its format asks for.
    #[error("the Label Studio SDK wrote what cannot be read: {detail}")]
    Unreadable {
        /// Where it stops making sense.
        detail: String,
    },
    /// The files between us and the worker could not be written or read.
    #[error("{}: {source}", path.display())]
    Io {
        /// What was touched.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl LabelStudioError {
    /// What the caller should do. A worker that is not there will not come by itself, so that files are rejected and
    /// images go on.
    pub fn disposition(&self) -> Disposition {
        let reject = |code| Disposition::Reject(RejectReason::new(code, self.to_string()));
        match self {
            Self::Missing { .. } | Self::Incompatible { .. } | Self::Start { .. } => {
                reject(RejectCode::ConverterMissing)
            }
            Self::Refused { .. } | Self::Unreadable { .. } => reject(RejectCode::InvalidAnnotations),
            Self::Killed { .. } | Self::Died { .. } | Self::TimedOut { .. } | Self::Io { .. } => {
                Disposition::Retry { after: STEP_BACK }
            }
        }
    }
}
