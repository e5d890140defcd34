//! What can go wrong with an object store, and what to do about it.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use types::{Disposition, RejectCode, RejectReason, S3Uri, escape_key};

/// A failed call to an object store.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// No such object (or bucket).
    #[error("{} does not exist", escape_key(&.0.to_string()))]
    NotFound(S3Uri),
    /// The object is no longer the version that was asked for.
    #[error("{} changed while it was being read", escape_key(&.0.to_string()))]
    Changed(S3Uri),
    /// The object is larger than the caller takes.
    #[error("{} has {bytes} bytes, more than the {limit} allowed", escape_key(&.uri.to_string()))]
    TooLarge {
        /// The object.
        uri: S3Uri,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// Length or checksum do not fit what the server declared.
    #[error("{}: {problem}", escape_key(&.uri.to_string()))]
    Damaged {
        /// The object.
        uri: S3Uri,
        /// What did not fit.
        problem: String,
    },
    /// Credentials are missing or not allowed to do this.
    #[error("access to {} refused: {message}", escape_key(&.uri.to_string()))]
    Denied {
        /// The object or prefix.
        uri: S3Uri,
        /// The server's words.
        message: String,
    },
    /// The server is away, slow or throttling.
    #[error("object store unavailable: {0}")]
    Unavailable(String),
    /// A local file could not be read or written.
    #[error("{path}: {source}")]
    Local {
        /// The file.
        path: String,
        /// The cause.
        source: std::io::Error,
    },
    /// The request itself was refused as malformed (a key that this server does not take, …).
    #[error("{} refused: {message}", escape_key(&.uri.to_string()))]
    Invalid {
        /// The object.
        uri: S3Uri,
        /// The server's words.
        message: String,
    },
}

impl StorageError {
    /// A failure of a local file.
    pub fn local(path: &Path) -> impl Fn(std::io::Error) -> Self {
        |source| Self::Local { path: path.display().to_string(), source }
    }

    /// What the engine should do.
    pub fn disposition(&self) -> Disposition {
        let retry = |seconds| Disposition::Retry { after: Duration::from_secs(seconds) };
        let outage = |seconds| Disposition::Outage { after: Duration::from_secs(seconds) };
        let reject = |code| Disposition::Reject(RejectReason::new(code, self.to_string()));
        match self {
            Self::NotFound(_) | Self::Changed(_) => reject(RejectCode::InputMissing),
            Self::TooLarge { .. } => reject(RejectCode::LimitExceeded),
            Self::Invalid { .. } => reject(RejectCode::InvalidKey),
            Self::Local { source, .. } if is_out_of_room(source.kind()) => outage(30),
            Self::Damaged { .. } | Self::Local { .. } => retry(5),
            Self::Unavailable(_) => outage(5),
            Self::Denied { .. } => outage(60),
        }
    }
}

/// The disk would refuse any other file as well.
fn is_out_of_room(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::ReadOnlyFilesystem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_an_outage_and_a_missing_file_is_not() {
        let disposition = |kind: ErrorKind| {
            StorageError::Local { path: "/nvme/file".to_owned(), source: kind.into() }.disposition()
        };
        for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::ReadOnlyFilesystem] {
            assert_eq!(disposition(kind), Disposition::Outage { after: Duration::from_secs(30) });
        }
        assert_eq!(disposition(ErrorKind::NotFound), Disposition::Retry { after: Duration::from_secs(5) });
    }
}
