//! Where the worker is, and when it is replaced.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytesize::ByteSize;

/// How the worker is run.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// The interpreter of the environment that `make setup-python` makes.
    pub python: PathBuf,
    /// The package's folder, `python/label_studio_worker`.
    pub worker_dir: PathBuf,
    /// How long a new worker may take to say which version it is.
    pub start_timeout: Duration,
    /// How long one conversion may take.
    pub request_timeout: Duration,
    /// After how many conversions the worker is replaced.
    pub max_requests: NonZeroU32,
    /// The resident memory above which the worker is replaced when it has answered.
    pub max_rss: ByteSize,
}

impl WorkerSettings {
    /// The usual settings for a checkout or installation at `root`; the environment variable `LABEL_STUDIO_PYTHON`
    /// names another interpreter than `.venv-label-studio/bin/python`.
    pub fn below(root: &Path) -> Self {
        let python = std::env::var_os("LABEL_STUDIO_PYTHON").filter(|python| !python.is_empty());
        Self {
            python: python.map_or_else(|| root.join(".venv-label-studio/bin/python"), PathBuf::from),
            worker_dir: root.join("python/label_studio_worker"),
            start_timeout: Duration::from_secs(60),
            request_timeout: Duration::from_secs(120),
            max_requests: NonZeroU32::MIN.saturating_add(199),
            max_rss: ByteSize::mib(300),
        }
    }
}
