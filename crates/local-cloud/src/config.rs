//! What to serve.

use std::path::PathBuf;

/// Where the objects lie and which buckets there are.
#[derive(Debug, Clone)]
pub struct LocalCloudConfig {
    /// The folder of the cloud: one folder per bucket, and `.local-cloud` for bookkeeping. Created when missing.
    /// One server at a time: a second start on the same root is refused.
    pub root: PathBuf,
    /// Buckets to create when they are not there. Buckets of earlier runs are served as well.
    pub buckets: Vec<String>,
    /// Folders to serve in place, read-only.
    pub mounts: Vec<Mount>,
    /// The port on 127.0.0.1; any free one when `None`.
    pub port: Option<u16>,
}

/// A user's own folder, served read-only as a bucket: the key of a file is its path relative to the folder.
///
/// Symlinked files and folders are followed, but never around a loop. What S3 cannot name is left out with a
/// warning: names that are not UTF-8, keys above 1,024 bytes.
#[derive(Debug, Clone)]
pub struct Mount {
    /// The bucket's name; must not be the name of a bucket below the root.
    pub bucket: String,
    /// The folder.
    pub folder: PathBuf,
}

impl LocalCloudConfig {
    /// An empty cloud at `root` on a free port.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), buckets: Vec::new(), mounts: Vec::new(), port: None }
    }
}
