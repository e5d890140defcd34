//! Why an image was refused. All of it is final: the same bytes fail the same way again.

use types::{Disposition, RejectCode, RejectReason};

/// Why an image was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// Zero bytes.
    #[error("zero bytes")]
    Empty,
    /// No image format starts like this.
    #[error("not an image: {0}")]
    NotAnImage(String),
    /// An image, but of a kind that is not read.
    #[error("unsupported: {0}")]
    Unsupported(String),
    /// The data ends before the image does.
    #[error("truncated: {0}")]
    Truncated(String),
    /// The data contradicts its format.
    #[error("corrupt: {0}")]
    Corrupt(String),
    /// A bound of [`crate::Limits`] does not hold.
    #[error("{what} is {found}, more than the limit of {limit}")]
    LimitExceeded {
        /// What was measured, with its unit.
        what: &'static str,
        /// How much there is.
        found: u64,
        /// How much may be.
        limit: u64,
    },
    /// A decoder or encoder itself failed.
    #[error("codec failed: {0}")]
    Codec(String),
}

impl ImageError {
    /// The rejection to record.
    pub fn reason(&self) -> RejectReason {
        let (code, detail) = match self {
            Self::Empty => (RejectCode::Empty, String::new()),
            Self::NotAnImage(detail) => (RejectCode::NotAnImage, detail.clone()),
            Self::Unsupported(detail) => (RejectCode::UnsupportedFormat, detail.clone()),
            Self::Truncated(detail) => (RejectCode::Truncated, detail.clone()),
            Self::Corrupt(detail) => (RejectCode::Corrupt, detail.clone()),
            Self::LimitExceeded { .. } => (RejectCode::LimitExceeded, self.to_string()),
            Self::Codec(detail) => (RejectCode::DecoderFailure, detail.clone()),
        };
        RejectReason::new(code, detail)
    }

    /// What to do about it: always a rejection.
    pub fn disposition(&self) -> Disposition {
        Disposition::Reject(self.reason())
    }
}

/// Refuses when `found` is more than `limit`.
pub(crate) fn within(what: &'static str, found: u64, limit: u64) -> Result<(), ImageError> {
    if found > limit { Err(ImageError::LimitExceeded { what, found, limit }) } else { Ok(()) }
}
