//! What was sent, written down before it was sent.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use types::Sha256;

/// What is expected of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A picture: done.
    Picture,
    /// No picture: rejected with a reason.
    Corrupt,
    /// Replaced by a later entry with the same key before or after its turn: done or superseded.
    Replaced,
    /// Deleted again: done or ignored.
    Deleted,
}

/// One put.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// The object's key below the dataset's folder.
    pub key: String,
    /// What is expected.
    pub class: Class,
    /// Of its content.
    pub sha256: Sha256,
}

/// All puts of a scenario. A put that is not here did not happen.
#[derive(Debug)]
pub struct Ledger {
    file: File,
    entries: Vec<Entry>,
}

impl Ledger {
    /// An empty one, written to this file.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn create(path: &Path) -> anyhow::Result<Self> {
        Ok(Self { file: File::create(path)?, entries: Vec::new() })
    }

    /// Writes down what is about to be put. An earlier entry of the same key is replaced by it.
    ///
    /// # Errors
    /// It cannot be written; then it must not be put.
    pub fn write(&mut self, entry: Entry) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(&entry)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        for earlier in self.entries.iter_mut().filter(|earlier| earlier.key == entry.key) {
            earlier.class = Class::Replaced;
        }
        self.entries.push(entry);
        Ok(())
    }

    /// An object is about to be deleted.
    pub fn delete(&mut self, key: &str) {
        for entry in self.entries.iter_mut().filter(|entry| entry.key == key) {
            entry.class = Class::Deleted;
        }
    }

    /// Everything, in the order of the puts.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How many entries are of a class.
    pub fn count(&self, class: Class) -> usize {
        self.entries.iter().filter(|entry| entry.class == class).count()
    }
}
