//! What is being deleted, written down before it begins.
//!
//! A janitor that dies leaves condemned objects. The store does not say which, and a listing does not show those that are
//! deleted already, nor are those old any more that a worker has uploaded again since.

use object_storage::{BlobStore, PutOptions, StorageError};
use serde::{Deserialize, Serialize};
use types::{S3Uri, layout};

use crate::JanitorSettings;

/// More than a page of the longest keys.
const MAX_BYTES: u64 = 16 << 20;

/// An object that may be deleted, if no manifest names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Candidate {
    pub(crate) uri: S3Uri,
    pub(crate) bytes: u64,
}

/// The journal of one stage and prefix; only the leader writes it.
#[derive(Debug)]
pub(crate) struct Journal<'a> {
    blobs: &'a dyn BlobStore,
    uri: S3Uri,
}

impl<'a> Journal<'a> {
    pub(crate) fn new(settings: &JanitorSettings, blobs: &'a dyn BlobStore) -> Self {
        Self { blobs, uri: layout::janitor_journal(&settings.prefix, settings.stage) }
    }

    /// What was being deleted when a sweep ended early.
    pub(crate) async fn read(&self) -> Result<Vec<Candidate>, StorageError> {
        let noted = match self.blobs.read(&self.uri, MAX_BYTES).await {
            Ok(noted) => noted,
            Err(StorageError::NotFound(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        serde_json::from_slice(&noted)
            .map_err(|error| StorageError::Damaged { uri: self.uri.clone(), problem: error.to_string() })
    }

    /// Replaces what is noted.
    pub(crate) async fn write(&self, candidates: &[Candidate]) -> Result<(), StorageError> {
        let json = serde_json::to_vec(candidates).expect("candidates are plain JSON");
        let content_type = Some("application/json".to_owned());
        let options = PutOptions { content_type, ..PutOptions::default() };
        self.blobs.write(json.into(), &self.uri, &options).await.map(drop)
    }

    /// Nothing is being deleted.
    pub(crate) async fn clear(&self) -> Result<(), StorageError> {
        self.blobs.delete(&self.uri).await
    }
}
