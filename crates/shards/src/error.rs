//! What goes wrong with shards, and what to do about it.

use std::io;
use std::time::Duration;

use types::{Disposition, RejectCode, RejectReason};

/// Why a shard, an index or a sample table could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ShardError {
    /// A key that some loader would split or misread.
    #[error("{0:?} is not a sample key: use 1 to 64 of A-Z, a-z, 0-9, '_' and '-'")]
    InvalidKey(String),
    /// An extension that some loader would not match.
    #[error("{0:?} is not a member extension: use lowercase letters and digits, in parts joined by '.'")]
    InvalidExtension(String),
    /// The member's name does not fit the 100 bytes that every loader reads.
    #[error("the member name {0:?} is longer than 100 bytes")]
    NameTooLong(String),
    /// A sample without members would have no key in the tar.
    #[error("sample {0:?} has no members")]
    NoMembers(String),
    /// The same extension twice in one sample.
    #[error("sample {key:?} has two members {extension:?}")]
    DuplicateExtension {
        /// The sample.
        key: String,
        /// Its extension.
        extension: String,
    },
    /// The same key twice in one shard.
    #[error("sample {0:?} is in the shard already")]
    DuplicateKey(String),
    /// More than the 8 GiB that a USTAR header can say.
    #[error("member {name:?} has {size} bytes, more than a USTAR header can say")]
    MemberTooLarge {
        /// The member.
        name: String,
        /// Its size in bytes.
        size: u64,
    },
    /// The reader of a member ended before or after the size given.
    #[error("member {name:?} did not have the {size} bytes announced")]
    WrongSize {
        /// The member.
        name: String,
        /// The size announced, in bytes.
        size: u64,
    },
    /// An earlier failure left half a sample in the tar.
    #[error("the shard is broken by an earlier failure")]
    Broken,
    /// An index that is not as we write it.
    #[error("line {line} of the index: {problem}")]
    InvalidIndex {
        /// From 1.
        line: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A sample table that is not as we write it.
    #[error("samples.parquet: {0}")]
    InvalidSamples(String),
    /// The Parquet library failed.
    #[error("samples.parquet: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl ShardError {
    /// What the engine does about it.
    pub fn disposition(&self) -> Disposition {
        let reject = |code| Disposition::Reject(RejectReason::new(code, self.to_string()));
        match self {
            Self::InvalidKey(_)
            | Self::InvalidExtension(_)
            | Self::NameTooLong(_)
            | Self::NoMembers(_)
            | Self::DuplicateExtension { .. }
            | Self::DuplicateKey(_) => reject(RejectCode::InvalidRequest),
            Self::MemberTooLarge { .. } => reject(RejectCode::LimitExceeded),
            Self::InvalidIndex { .. } | Self::InvalidSamples(_) => reject(RejectCode::Corrupt),
            // A staged file that changed under us, a full disk: another attempt starts from nothing.
            Self::WrongSize { .. } | Self::Broken | Self::Parquet(_) | Self::Io(_) => {
                Disposition::Retry { after: Duration::from_secs(10) }
            }
        }
    }
}
