//! Upkeep: what keeps the store and the buckets tidy, done by one process for all.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use types::{S3Uri, StageName};

use crate::StoreError;

/// Duties that belong to no object: who does them, what dead processes left, and which objects may be deleted.
///
/// # Deleting objects that no manifest names
/// A worker may upload an object with the same key and the same bytes at the very moment when a janitor deletes it.
/// So deletion is a protocol: `condemn`, delete in S3, `bury`. From `condemn` to `bury` no publication may name the
/// object, and afterwards only one whose claim was made after the burial, because uploads follow the claim: an
/// upload before the burial may be the one that was deleted. Who is refused (`OutputsRemoved`) does the work again.
/// A janitor that dies in between leaves condemned objects; condemning them again goes on where it stopped. That is
/// why only the leader may delete, and has to ask [`Leadership::holds`] before it does: a deletion that a former
/// leader still has under way when its successor buries the same object is not seen by anybody.
#[async_trait]
pub trait Upkeep: Send + Sync + Debug {
    /// Tries to become the only process with this duty (a name), until the guard is dropped or its connection
    /// breaks; `None` when another one has it.
    ///
    /// With SQLite this holds among the users of one opened store, not between processes: one process owns the file
    /// (`imageml` locks its home).
    async fn lead(&self, duty: &str) -> Result<Option<Box<dyn Leadership>>, StoreError>;

    /// Frees claims of this stage whose lease ended longer than `grace` ago: their process died, and nobody has
    /// asked for them since. Attempts stay counted. Returns how many.
    async fn free_expired(&self, stage: StageName, grace: Duration) -> Result<u64, StoreError>;

    /// Condemns those of these objects that no manifest names, neither as an entry's output nor as the manifest
    /// object itself: until they are buried, no publication may name them. `true` for each that is condemned and
    /// may be deleted now.
    async fn condemn(&self, objects: &[S3Uri]) -> Result<Vec<bool>, StoreError>;

    /// The condemned objects are deleted. Objects that are not condemned are passed over.
    async fn bury(&self, objects: &[S3Uri]) -> Result<(), StoreError>;
}

/// A duty that is ours while this lives.
#[async_trait]
pub trait Leadership: Send + Sync + Debug {
    /// Whether it is still ours. Once `false`, always `false`.
    async fn holds(&mut self) -> bool;
}
