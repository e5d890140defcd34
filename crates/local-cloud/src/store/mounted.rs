//! A user's folder, served in place.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::bucket::{Object, Stamp};
use super::folder::is_absent;
use super::walk::{Naming, Walk};

/// A bucket that may only be read.
#[derive(Debug)]
pub(crate) struct Mounted {
    dir: PathBuf,
}

impl Mounted {
    /// Checks that the folder can be read.
    pub(crate) fn new(folder: &Path) -> io::Result<Self> {
        let dir = folder.canonicalize()?;
        dir.read_dir()?;
        Ok(Self { dir })
    }

    pub(crate) fn find(&self, key: &str) -> io::Result<Option<PathBuf>> {
        // NUL cannot be in a path, and the others would name the same file by a second key.
        if key.contains('\0') || key.split('/').any(|name| matches!(name, "" | "." | "..")) {
            return Ok(None);
        }
        let path = self.dir.join(key);
        match path.metadata() {
            Ok(meta) => Ok(meta.is_file().then_some(path)),
            Err(error) if is_absent(&error) || error.kind() == io::ErrorKind::InvalidFilename => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn open(&self, key: &str) -> io::Result<Option<Object>> {
        let Some(path) = self.find(key)? else { return Ok(None) };
        let file = File::open(path)?;
        let stamp = Stamp::of(&file)?;
        Ok(Some(Object { file, stamp, etag: stamp.etag(), content_type: None }))
    }

    pub(crate) fn walk(&self, prefix: &str, after: Option<&str>) -> Walk {
        Walk::new(&self.dir, Naming::Raw, prefix, after)
    }
}
