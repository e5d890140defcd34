//! The space of one item.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::area::Shared;
use crate::{FileName, StagingError};

/// Reserved bytes and the paths to spend them on. Dropping it removes every file and gives the bytes back.
///
/// The drop unlinks on the calling thread, so that the space is free when the permit is; an open file's
/// space returns only when it is closed, so close files first.
#[derive(Debug)]
pub struct Workspace {
    shared: Arc<Shared>,
    /// The entry in the ledger.
    ticket: u64,
    paths: Paths,
}

/// Where one item's files are. Every name ends in the ticket: the same object may be here twice, once per
/// delivery, and the first to finish must not remove the other's files.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    input: PathBuf,
    work: PathBuf,
    output: PathBuf,
}

impl Paths {
    pub(crate) fn new(instance: &Path, item: &str, ticket: u64) -> Self {
        let name = format!("{item}.{ticket}");
        Self {
            input: instance.join("input").join(&name),
            work: instance.join("work").join(&name),
            output: instance.join("output").join(&name),
        }
    }

    /// The input file and the two directories.
    pub(crate) fn all(&self) -> [&Path; 3] {
        [&self.input, &self.work, &self.output]
    }

    /// Bytes on disk.
    pub(crate) fn usage(&self) -> u64 {
        self.all().into_iter().map(crate::disk::usage).sum()
    }
}

impl Workspace {
    /// Takes over a ledger entry. Directories are made when they are asked for: on a busy ext4, making and removing
    /// them costs more than all else that is done for a small object, and not every stage needs them.
    pub(crate) fn open(shared: Arc<Shared>, ticket: u64, paths: Paths) -> Self {
        Self { shared, ticket, paths }
    }

    /// Where the input goes. The file does not exist yet.
    pub fn input(&self) -> PathBuf {
        self.paths.input.clone()
    }

    /// Where the output `name` goes, in a directory that is this item's alone.
    ///
    /// # Errors
    /// What the file system says to the directory.
    pub fn output(&self, name: &FileName) -> Result<PathBuf, StagingError> {
        Ok(made(&self.paths.output)?.join(name.as_str()))
    }

    /// A directory for intermediate files and for the `TMPDIR` of child processes.
    ///
    /// # Errors
    /// What the file system says.
    pub fn work_dir(&self) -> Result<&Path, StagingError> {
        made(&self.paths.work)
    }

    /// Bytes reserved.
    pub fn reserved(&self) -> u64 {
        self.shared.ledger().reserved_by(self.ticket)
    }

    /// Reserves `bytes` more, at once or not at all: an item that holds space and waits for more could wait
    /// for another that does the same.
    ///
    /// # Errors
    /// [`StagingError::NoSpace`] when it does not fit now, [`StagingError::TooLarge`] when it never can.
    pub fn grow(&mut self, bytes: u64) -> Result<(), StagingError> {
        self.shared.grow(self.ticket, bytes)
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        report(&self.paths.input, fs::remove_file(&self.paths.input));
        for dir in [&self.paths.work, &self.paths.output] {
            report(dir, fs::remove_dir_all(dir));
        }
        self.shared.release(self.ticket);
    }
}

/// The directory, which may be there already.
fn made(dir: &Path) -> Result<&Path, StagingError> {
    match fs::create_dir(dir) {
        Err(source) if source.kind() != io::ErrorKind::AlreadyExists => {
            Err(StagingError::from_io(dir, source))
        }
        Ok(()) | Err(_) => Ok(dir),
    }
}

fn report(path: &Path, removed: io::Result<()>) {
    if let Err(error) = removed
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(staging.path = %path.display(), %error, "cannot remove a staged file");
    }
}
