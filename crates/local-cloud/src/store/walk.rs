//! Keys of a folder in key order, without reading more of the tree than needed.
//!
//! A folder's entries are sorted by their decoded names, folders with their `/`, and each folder is entered where it
//! stands: that is the byte order of the keys. A walk holds the sorted names of the folders on its way down and
//! nothing else, so it can be kept between the pages of a listing and costs each folder one reading.

use std::fs::{self, DirEntry};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::{iter, vec};

use crate::keys;

/// S3's limit, in bytes.
const MAX_KEY: usize = 1_024;

/// How file names become keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// Ours: escaped, regular files only.
    Escaped,
    /// A user's: as they are, symlinks followed.
    Raw,
}

/// A key and where its object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) key: String,
    pub(crate) path: PathBuf,
}

/// An unfinished walk.
#[derive(Debug)]
pub(crate) struct Walk {
    naming: Naming,
    prefix: String,
    after: Option<String>,
    levels: Vec<Level>,
    tree_next: Option<Found>,
    others: iter::Peekable<vec::IntoIter<(String, PathBuf)>>,
}

#[derive(Debug)]
struct Level {
    path: PathBuf,
    /// What the keys below this folder start with: empty, or ends with `/`.
    key: String,
    entries: vec::IntoIter<Entry>,
    /// Device and inode, against loops of symlinks.
    identity: Option<(u64, u64)>,
}

#[derive(Debug)]
struct Entry {
    /// The decoded name; a folder's ends with `/`.
    name: String,
    file_name: std::ffi::OsString,
}

impl Walk {
    /// The keys below `dir` that start with `prefix` and come after `after`.
    pub(crate) fn new(dir: &Path, naming: Naming, prefix: &str, after: Option<&str>) -> Self {
        let mut walk = Self {
            naming,
            prefix: prefix.to_owned(),
            after: after.map(ToOwned::to_owned),
            levels: Vec::new(),
            tree_next: None,
            others: Vec::new().into_iter().peekable(),
        };
        // Start in the deepest folder that holds every key with this prefix.
        let top = prefix.rsplit_once('/').map(|(folder, _)| folder);
        let path = match (top, naming) {
            (None, _) => Some(dir.to_owned()),
            (Some(top), Naming::Escaped) => keys::plain_path(top).map(|path| dir.join(path)),
            (Some(top), Naming::Raw) => {
                let nameable =
                    !top.contains('\0') && top.split('/').all(|name| !matches!(name, "" | "." | ".."));
                nameable.then(|| dir.join(top))
            }
        };
        if let Some(path) = path {
            walk.enter(path, top.map_or_else(String::new, |top| format!("{top}/")));
        }
        walk
    }

    /// Merges in objects that lie elsewhere, given in key order.
    pub(crate) fn merged_with(mut self, others: Vec<(String, PathBuf)>) -> Self {
        self.others = others.into_iter().peekable();
        self
    }

    /// The next key; `None` at the end.
    pub(crate) fn next(&mut self) -> Option<Found> {
        if self.tree_next.is_none() {
            self.tree_next = self.next_in_tree();
        }
        while self.others.next_if(|(key, _)| !is_after(key, self.after.as_deref())).is_some() {}
        let tree = self.tree_next.as_ref().map(|found| found.key.as_str());
        match (tree, self.others.peek()) {
            (Some(tree), Some((other, _))) if tree <= other.as_str() => self.tree_next.take(),
            (Some(_), None) => self.tree_next.take(),
            (_, Some(_)) => self.others.next().map(|(key, path)| Found { key, path }),
            (None, None) => None,
        }
    }

    fn next_in_tree(&mut self) -> Option<Found> {
        loop {
            let level = self.levels.last_mut()?;
            let Some(entry) = level.entries.next() else {
                self.levels.pop();
                continue;
            };
            let key = format!("{}{}", level.key, entry.name);
            let path = level.path.join(&entry.file_name);
            if entry.name.ends_with('/') {
                if self.may_hold_keys(&key) {
                    self.enter(path, key);
                }
            } else if key.starts_with(&self.prefix) && is_after(&key, self.after.as_deref()) {
                if key.len() <= MAX_KEY {
                    return Some(Found { key, path });
                }
                tracing::warn!(file = %path.display(), "left out of the listing: its key has more than 1,024 bytes");
            }
        }
    }

    /// Whether a folder whose keys start with `folder` can hold one that is wanted.
    fn may_hold_keys(&self, folder: &str) -> bool {
        let in_prefix = folder.starts_with(&self.prefix) || self.prefix.starts_with(folder);
        let after = self.after.as_deref().unwrap_or("");
        in_prefix && (folder > after || after.starts_with(folder))
    }

    fn enter(&mut self, path: PathBuf, key: String) {
        let identity = match self.naming {
            Naming::Escaped => None,
            Naming::Raw => path.metadata().ok().map(|meta| (meta.dev(), meta.ino())),
        };
        if identity.is_some() && self.levels.iter().any(|level| level.identity == identity) {
            tracing::debug!(folder = %path.display(), "not entered again: a symlink leads back to it");
            return;
        }
        match read_sorted(&path, self.naming) {
            Ok(entries) => self.levels.push(Level { path, key, entries: entries.into_iter(), identity }),
            Err(error) if super::folder::is_absent(&error) => {}
            Err(error) => {
                tracing::warn!(folder = %path.display(), error = %error, "left out of the listing: cannot be read");
            }
        }
    }
}

fn is_after(key: &str, after: Option<&str>) -> bool {
    after.is_none_or(|after| key > after)
}

fn read_sorted(dir: &Path, naming: Naming) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(dir)? {
        if let Some(entry) = entry_of(&entry?, naming) {
            entries.push(entry);
        }
    }
    entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// The entry as part of a key; `None` for what is neither file nor folder, is gone, or has no key.
fn entry_of(entry: &DirEntry, naming: Naming) -> Option<Entry> {
    let mut kind = entry.file_type().ok()?;
    if kind.is_symlink() && naming == Naming::Raw {
        kind = entry.path().metadata().ok()?.file_type();
    }
    if !kind.is_file() && !kind.is_dir() {
        return None;
    }
    let file_name = entry.file_name();
    let name = match (naming, file_name.to_str()) {
        (Naming::Escaped, Some(name)) => keys::decode(name)?,
        (Naming::Raw, Some(name)) => name.to_owned(),
        (Naming::Escaped, None) => return None,
        (Naming::Raw, None) => {
            tracing::warn!(file = %entry.path().display(), "left out of the listing: its name is not UTF-8");
            return None;
        }
    };
    let name = if kind.is_dir() { name + "/" } else { name };
    Some(Entry { name, file_name })
}
