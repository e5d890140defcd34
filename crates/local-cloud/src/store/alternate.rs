//! Objects whose key cannot be a path: too long a name, or a file where another key needs a folder.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::folder::is_absent;
use super::tags::{create_parent, fan_out};
use crate::keys;

/// The alternate places of a bucket: `<digest>` is the object and `<digest>.key` says whose.
#[derive(Debug)]
pub(crate) struct Alternate {
    dir: PathBuf,
    tmp: PathBuf,
}

impl Alternate {
    pub(crate) fn new(dir: PathBuf, tmp: PathBuf) -> Self {
        Self { dir, tmp }
    }

    /// Where the object `key` is, or would be.
    pub(crate) fn path(&self, key: &str) -> PathBuf {
        fan_out(&self.dir, &keys::digest(key))
    }

    /// Makes the place for `key`: the key is on disk before the object is.
    pub(crate) fn prepare(&self, key: &str) -> io::Result<PathBuf> {
        let path = self.path(key);
        create_parent(&path)?;
        let mut file = NamedTempFile::new_in(&self.tmp)?;
        file.write_all(key.as_bytes())?;
        file.persist(key_file(&path)).map_err(|failed| failed.error)?;
        Ok(path)
    }

    /// Removes what [`Self::prepare`] made, after the object itself.
    pub(crate) fn forget(&self, key: &str) -> io::Result<()> {
        match fs::remove_file(key_file(&self.path(key))) {
            Err(error) if !is_absent(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Every key here that starts with `prefix`, in key order, with its object.
    pub(crate) fn keys(&self, prefix: &str) -> io::Result<Vec<(String, PathBuf)>> {
        let mut found = Vec::new();
        for fan in entries(&self.dir)? {
            for path in entries(&fan)? {
                if path.extension().is_some() {
                    continue;
                }
                // An object without a key file is a file that somebody dropped here.
                if let Ok(key) = fs::read_to_string(key_file(&path))
                    && key.starts_with(prefix)
                {
                    found.push((key, path));
                }
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}

fn key_file(object: &Path) -> PathBuf {
    object.with_extension("key")
}

fn entries(dir: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(dir) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect(),
        Err(error) if is_absent(&error) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
