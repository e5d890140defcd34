//! A bucket below the root.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::NamedTempFile;

use super::alternate::Alternate;
use super::bucket::{Object, Stamp};
use super::tags::{Tag, Tags, create_parent};
use super::walk::{Naming, Walk};
use crate::keys;

/// A bucket that may be written.
#[derive(Debug)]
pub(crate) struct Folder {
    dir: PathBuf,
    tags: Tags,
    alternate: Alternate,
    /// Held while an object appears or disappears, so that conditions hold and folders stay under feet.
    /// Content is written before, outside it.
    changes: Mutex<()>,
}

/// A finished temporary file that is to become an object.
#[derive(Debug)]
pub(crate) struct Commit {
    pub(crate) file: NamedTempFile,
    pub(crate) etag: String,
    pub(crate) content_type: Option<String>,
    /// Refuse when an object is there.
    pub(crate) if_absent: bool,
}

impl Folder {
    pub(crate) fn new(dir: PathBuf, meta: &Path, tmp: PathBuf) -> Self {
        let tags = Tags::new(meta.join("tags"), tmp.clone());
        let alternate = Alternate::new(meta.join("alternate"), tmp);
        Self { dir, tags, alternate, changes: Mutex::new(()) }
    }

    /// The file of the object `key`. An object is in one place at most: its plain path or its alternate one.
    pub(crate) fn find(&self, key: &str) -> io::Result<Option<PathBuf>> {
        let plain = keys::plain_path(key).map(|path| self.dir.join(path));
        for path in plain.into_iter().chain([self.alternate.path(key)]) {
            match path.symlink_metadata() {
                Ok(meta) if meta.is_file() => return Ok(Some(path)),
                Ok(_) => {}
                Err(error) if is_absent(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    pub(crate) fn open(&self, key: &str) -> io::Result<Option<Object>> {
        let Some(path) = self.find(key)? else { return Ok(None) };
        let file = match File::open(path) {
            Err(error) if is_absent(&error) => return Ok(None),
            opened => opened?,
        };
        let Tag { stamp, etag, content_type } = self.tag(key, Stamp::of(&file)?);
        Ok(Some(Object { file, stamp, etag, content_type }))
    }

    /// What is known about the object `key` in the state `stamp`.
    pub(crate) fn tag(&self, key: &str, stamp: Stamp) -> Tag {
        let known = self.tags.read(&keys::digest(key), stamp);
        known.unwrap_or_else(|| Tag { stamp, etag: stamp.etag(), content_type: None })
    }

    /// Makes a finished file the object `key`, in one step for readers; `false` when `if_absent` refused it.
    pub(crate) fn commit(&self, key: &str, commit: Commit) -> io::Result<bool> {
        let Commit { file, etag, content_type, if_absent } = commit;
        let stamp = Stamp::of(file.as_file())?;
        let _changes = self.lock();
        let present = self.find(key)?;
        if if_absent && present.is_some() {
            return Ok(false);
        }
        let present_tag = match present.as_deref().map(File::open).transpose()? {
            Some(present) => Some(self.tag(key, Stamp::of(&present)?)),
            None => None,
        };
        self.tags.record(&keys::digest(key), present_tag, &Tag { stamp, etag, content_type })?;
        let path = match present {
            Some(path) => path,
            None => self.place(key)?,
        };
        file.persist(path).map_err(|failed| failed.error)?;
        Ok(true)
    }

    /// Removes the object `key`, and the folders that this empties.
    pub(crate) fn delete(&self, key: &str) -> io::Result<()> {
        let _changes = self.lock();
        let Some(path) = self.find(key)? else { return Ok(()) };
        fs::remove_file(&path)?;
        self.tags.remove(&keys::digest(key))?;
        if path.starts_with(&self.dir) {
            let folders = path.ancestors().skip(1).take_while(|folder| *folder != self.dir);
            for folder in folders {
                if fs::remove_dir(folder).is_err() {
                    break;
                }
            }
        } else {
            self.alternate.forget(key)?;
        }
        Ok(())
    }

    pub(crate) fn walk(&self, prefix: &str, after: Option<&str>) -> io::Result<Walk> {
        let alternates = self.alternate.keys(prefix)?;
        Ok(Walk::new(&self.dir, Naming::Escaped, prefix, after).merged_with(alternates))
    }

    /// A place for the new object `key`: its plain path unless a name is too long, or a file is where it needs a
    /// folder, or the other way round. Called under the lock.
    fn place(&self, key: &str) -> io::Result<PathBuf> {
        if let Some(relative) = keys::plain_path(key) {
            let path = self.dir.join(relative);
            let blocked = match path.symlink_metadata() {
                // A folder that a killed server left empty is in nobody's way.
                Ok(meta) if meta.is_dir() => fs::remove_dir(&path).is_err(),
                Ok(_) => true,
                Err(error) if error.kind() == io::ErrorKind::NotADirectory => true,
                Err(error) if error.kind() == io::ErrorKind::NotFound => false,
                Err(error) => return Err(error),
            };
            if !blocked {
                create_parent(&path)?;
                return Ok(path);
            }
        }
        self.alternate.prepare(key)
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nothing is at that path: the last name is missing, or a file is where it would need a folder.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
