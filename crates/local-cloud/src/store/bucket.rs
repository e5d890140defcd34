//! A bucket of either kind, and an object opened for reading.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::walk::Walk;
use super::{Folder, Mounted};

/// A bucket of ours, or a user's folder.
#[derive(Debug)]
pub(crate) enum Bucket {
    /// Below the root; may be written.
    Folder(Folder),
    /// Served in place; may not.
    Mounted(Mounted),
}

impl Bucket {
    /// Opens the object `key`; `None` when there is none.
    pub(crate) fn open(&self, key: &str) -> io::Result<Option<Object>> {
        match self {
            Self::Folder(folder) => folder.open(key),
            Self::Mounted(mounted) => mounted.open(key),
        }
    }

    /// Where the object `key` lies on disk.
    pub(crate) fn path_of(&self, key: &str) -> io::Result<Option<PathBuf>> {
        match self {
            Self::Folder(folder) => folder.find(key),
            Self::Mounted(mounted) => mounted.find(key),
        }
    }

    /// A walk over the keys that start with `prefix` and come after `after`, in key order.
    pub(crate) fn walk(&self, prefix: &str, after: Option<&str>) -> io::Result<Walk> {
        match self {
            Self::Folder(folder) => folder.walk(prefix, after),
            Self::Mounted(mounted) => Ok(mounted.walk(prefix, after)),
        }
    }

    /// What a listing says about the object at `path`; `None` when it is gone.
    pub(crate) fn describe(&self, key: &str, path: &std::path::Path) -> io::Result<Option<(Stamp, String)>> {
        let Some(stamp) = Stamp::of_path(path)? else { return Ok(None) };
        let etag = match self {
            Self::Folder(folder) => folder.tag(key, stamp).etag,
            Self::Mounted(_) => stamp.etag(),
        };
        Ok(Some((stamp, etag)))
    }
}

/// An object opened for reading: whatever happens to its path, this is the state that was found.
#[derive(Debug)]
pub(crate) struct Object {
    pub(crate) file: File,
    pub(crate) stamp: Stamp,
    pub(crate) etag: String,
    pub(crate) content_type: Option<String>,
}

/// What tells one state of a file from another without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) size: u64,
    pub(crate) mtime: i64,
    pub(crate) mtime_ns: i64,
    pub(crate) inode: u64,
}

impl Stamp {
    /// The stamp of an open file.
    pub(crate) fn of(file: &File) -> io::Result<Self> {
        file.metadata().map(|meta| Self::new(&meta))
    }

    fn of_path(path: &std::path::Path) -> io::Result<Option<Self>> {
        match path.metadata() {
            Ok(meta) if meta.is_file() => Ok(Some(Self::new(&meta))),
            Ok(_) => Ok(None),
            Err(error) if super::folder::is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn new(meta: &Metadata) -> Self {
        Self { size: meta.size(), mtime: meta.mtime(), mtime_ns: meta.mtime_nsec(), inode: meta.ino() }
    }

    /// The ETag of a file of which nothing but its stamp is known. The inode is left out, so that a copied
    /// folder (`cp -a`) keeps its versions.
    pub(crate) fn etag(&self) -> String {
        format!("{:x}.{:08x}-{:x}", self.mtime, self.mtime_ns, self.size)
    }

    /// When the file was last written.
    pub(crate) fn modified(&self) -> SystemTime {
        let ns = Duration::from_nanos(u64::try_from(self.mtime_ns).unwrap_or(0));
        let seconds = Duration::from_secs(self.mtime.unsigned_abs());
        let whole = if self.mtime < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(seconds)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(seconds)
        };
        whole.and_then(|time| time.checked_add(ns)).unwrap_or(SystemTime::UNIX_EPOCH)
    }
}
