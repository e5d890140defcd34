//! Why the cloud did not start.

use std::io;
use std::path::{Path, PathBuf};

/// A failed start. Nothing here belongs to a unit of work, so there is no disposition: the process says so and ends.
#[derive(Debug, thiserror::Error)]
pub enum LocalCloudError {
    /// Another process serves this root.
    #[error("{} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The bucket's name breaks the S3 rules.
    #[error("{0:?} is not a bucket name: use 3 to 63 of a-z, 0-9, '.' and '-'")]
    InvalidBucket(String),
    /// Two mounts, or a mount and a bucket below the root, share a name.
    #[error("bucket {0:?} is there twice")]
    DuplicateBucket(String),
    /// A mount is not a folder that can be read.
    #[error("cannot serve {}: {source}", path.display())]
    Mount {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The port cannot be bound.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// The port asked for; 0 is any.
        port: u16,
        /// The cause.
        source: io::Error,
    },
    /// The root cannot be prepared.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl LocalCloudError {
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}
