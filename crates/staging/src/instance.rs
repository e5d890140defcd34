//! The directory of one running instance, and the removal of those of dead ones.
//!
//! ```text
//! <root>/.lock                 held while an instance's directory is made or dead ones are picked
//! <root>/<uuid>/LOCK           held by a live instance for its whole life
//! <root>/<uuid>/{input,work,output,cache}/
//! <root>/.dead-<uuid>/         on its way out
//! ```
//!
//! Locks are flock(2): the kernel drops them however a process ends, and two pods on one hostPath see each
//! other's. Because a directory is made and locked under `.lock`, a sweep (also under `.lock`) never sees
//! one that is not locked yet, and needs no minimum age or clock to tell the dead from the young.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::StagingError;

const DEAD: &str = ".dead-";

/// A directory below the root that is locked by this process; removed on drop.
#[derive(Debug)]
pub(crate) struct InstanceDir {
    path: PathBuf,
    /// Held, not read: closing it is what tells others that this instance is gone.
    _lock: File,
}

impl InstanceDir {
    /// Makes and locks a new directory below `root`, then removes those of dead instances. Blocks.
    pub(crate) fn create(root: &Path) -> Result<Self, StagingError> {
        fs::create_dir_all(root).map_err(|source| unwritable(root, source))?;
        let (instance, dead) = {
            let gate_path = root.join(".lock");
            let gate = lock_file(&gate_path).map_err(|source| unwritable(&gate_path, source))?;
            gate.lock().map_err(|source| unwritable(&gate_path, source))?;
            let instance = Self::make(root).map_err(|source| unwritable(root, source))?;
            let dead = set_dead_aside(root, &instance.path);
            (instance, dead)
        };
        // Outside the gate: removing a big tree must not keep other instances from starting.
        for path in dead {
            match fs::remove_dir_all(&path) {
                Ok(()) => tracing::info!(staging.path = %path.display(), "removed a dead instance's staging"),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    tracing::warn!(staging.path = %path.display(), %error, "cannot remove a dead instance's staging");
                }
            }
        }
        Ok(instance)
    }

    fn make(root: &Path) -> io::Result<Self> {
        let path = root.join(Uuid::new_v4().to_string());
        fs::create_dir(&path)?;
        let lock = lock_file(&path.join("LOCK"))?;
        lock.try_lock()?;
        let instance = Self { path, _lock: lock };
        for folder in ["input", "work", "output", "cache"] {
            fs::create_dir(instance.path.join(folder))?;
        }
        Ok(instance)
    }

    /// The directory.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for InstanceDir {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::warn!(staging.path = %self.path.display(), %error, "cannot remove the staging directory");
        }
    }
}

/// Renames what belongs to nobody, and lists it with what an interrupted sweep left. Call under the gate.
fn set_dead_aside(root: &Path, own: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root) else { return Vec::new() };
    let mut dead = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()).filter(|path| path != own) {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if name.strip_prefix(DEAD).is_some_and(is_instance) {
            dead.push(path);
        } else if is_instance(name) && is_unlocked(&path) {
            let aside = root.join(format!("{DEAD}{name}"));
            match fs::rename(&path, &aside) {
                Ok(()) => dead.push(aside),
                Err(error) => {
                    tracing::warn!(staging.path = %path.display(), %error, "cannot set a dead instance aside");
                }
            }
        }
    }
    dead
}

/// Whether a name is one that we give: nothing else below the root is ours to remove.
fn is_instance(name: &str) -> bool {
    Uuid::try_parse(name).is_ok_and(|uuid| uuid.to_string() == name)
}

fn is_unlocked(instance: &Path) -> bool {
    match OpenOptions::new().read(true).open(instance.join("LOCK")) {
        Ok(file) => match file.try_lock() {
            Ok(()) => true,
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
        },
        // Its maker died between the directory and the lock file.
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

/// Opened close-on-exec, as every file by std: a child process does not keep a dead parent's lock.
fn lock_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).open(path)
}

fn unwritable(path: &Path, source: io::Error) -> StagingError {
    StagingError::Unwritable { path: path.to_owned(), source }
}
