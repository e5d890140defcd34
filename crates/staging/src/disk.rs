//! What the disk says about its space.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The space of a file system, in bytes, as an unprivileged process sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DiskSpace {
    /// What an empty file system could give.
    pub(crate) total: u64,
    /// What it can give now.
    pub(crate) free: u64,
}

impl DiskSpace {
    /// Asks the file system that holds `path` (statvfs).
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let stat = rustix::fs::statvfs(path)?;
        let privileged = stat.f_bfree.saturating_sub(stat.f_bavail);
        Ok(Self {
            total: stat.f_blocks.saturating_sub(privileged).saturating_mul(stat.f_frsize),
            free: stat.f_bavail.saturating_mul(stat.f_frsize),
        })
    }
}

/// Bytes on disk of everything at and below `path`; what cannot be read counts as nothing, which only makes
/// the caller more careful. Symbolic links are not followed.
pub(crate) fn usage(path: &Path) -> u64 {
    let Ok(metadata) = path.symlink_metadata() else { return 0 };
    // st_blocks counts units of 512 bytes whatever the block size is (stat(2)).
    let own = metadata.blocks().saturating_mul(512);
    let below = match std::fs::read_dir(path) {
        Ok(entries) if metadata.is_dir() => entries.flatten().map(|entry| usage(&entry.path())).sum(),
        _ => 0,
    };
    own + below
}
