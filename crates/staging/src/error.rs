//! What goes wrong with local disk, and what to do about it.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use types::{Disposition, RejectCode, RejectReason};

/// How long work steps back from a disk that is full or failing: long enough for another item to finish.
const STEP_BACK: Duration = Duration::from_secs(30);

/// Why staging did not give space.
#[derive(Debug, thiserror::Error)]
pub enum StagingError {
    /// The item needs more than this instance can ever reserve.
    #[error(
        "{} of NVMe staging are needed and this instance has {} in all",
        ByteSize::b(*needed),
        ByteSize::b(*capacity)
    )]
    TooLarge {
        /// Bytes asked for, with what the item already holds.
        needed: u64,
        /// The most that one item can reserve, in bytes.
        capacity: u64,
    },
    /// It does not fit now, and the caller does not wait.
    #[error(
        "{} of NVMe staging are needed and {} are free now",
        ByteSize::b(*needed),
        ByteSize::b(*available)
    )]
    NoSpace {
        /// Bytes asked for.
        needed: u64,
        /// Bytes that could have been reserved.
        available: u64,
    },
    /// The disk is fuller than the operator allows.
    #[error(
        "{} has {} free, less than the {} that NVME_MIN_GB asks for: free some space or lower NVME_MIN_GB",
        path.display(),
        ByteSize::b(*free),
        ByteSize::b(*minimum)
    )]
    BelowMinimum {
        /// The staging root.
        path: PathBuf,
        /// Free bytes on its disk.
        free: u64,
        /// The wanted minimum in bytes.
        minimum: u64,
    },
    /// The directory cannot be written: read-only, failing or forbidden.
    #[error("{} is not writable: {source}", path.display())]
    Unwritable {
        /// What could not be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file system ran full under a write, whatever was reserved: something else took the space.
    #[error("the disk of {} is full: {source}", path.display())]
    DiskFull {
        /// What was being written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Any other failure of the file system.
    #[error("{}: {source}", path.display())]
    Io {
        /// What was touched.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl StagingError {
    /// Classifies a failed read or write of a staged file, so that stages need not know error numbers.
    pub fn from_io(path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path, source },
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                Self::Unwritable { path, source }
            }
            _ => Self::Io { path, source },
        }
    }

    /// What the engine does about it. A full or failing disk is this machine's trouble, never the image's:
    /// only an item that can never fit is refused.
    pub fn disposition(&self) -> Disposition {
        match self {
            Self::TooLarge { .. } => {
                Disposition::Reject(RejectReason::new(RejectCode::TooLarge, self.to_string()))
            }
            Self::NoSpace { .. }
            | Self::BelowMinimum { .. }
            | Self::Unwritable { .. }
            | Self::DiskFull { .. } => Disposition::Outage { after: STEP_BACK },
            Self::Io { .. } => Disposition::Retry { after: STEP_BACK },
        }
    }
}
