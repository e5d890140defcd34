//! The seam that every stage implements.

use std::fmt::{self, Debug};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use manifest_store::{Claim, Effect, ManifestStore};
use object_storage::{BlobStore, ObjectSummary, PutOptions, StorageError};
use serde_json::{Map, Value};
use staging::Workspace;
use tokio_util::sync::CancellationToken;
use types::{DatasetName, LineageEdge, PolicyHash, RejectReason, S3Uri, Sha256, StageName};

use crate::{CpuPool, MemoryBudget, StageError};

/// How the engine brings the claimed object to the stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputMode {
    /// Downloaded to NVMe and verified.
    Staged {
        /// Larger objects are rejected before anything is written.
        max_bytes: u64,
    },
    /// A small document (a plan, a request), read into memory before permits are taken, since it says how much
    /// the work needs.
    Document {
        /// Larger documents are rejected.
        max_bytes: u64,
    },
}

impl InputMode {
    /// The largest object taken.
    pub fn max_bytes(self) -> u64 {
        match self {
            Self::Staged { max_bytes } | Self::Document { max_bytes } => max_bytes,
        }
    }
}

/// Why an object is not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IgnoreReason {
    /// Its key is not one that this stage takes.
    OtherKey,
    /// A folder marker: an empty object whose key ends in `/`.
    FolderMarker,
    /// A hidden file (`.DS_Store`, …).
    Hidden,
    /// It was replaced or deleted before we came to it; its successor has its own event.
    Superseded,
    /// An event tells of its removal.
    Removed,
    /// An event tells of something else than new content.
    NotContent,
    /// An event names a bucket that this service does not watch: never fetched.
    ForeignBucket,
}

impl IgnoreReason {
    /// Every reason.
    pub const ALL: [Self; 7] = [
        Self::OtherKey,
        Self::FolderMarker,
        Self::Hidden,
        Self::Superseded,
        Self::Removed,
        Self::NotContent,
        Self::ForeignBucket,
    ];

    /// The reason as text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OtherKey => "other_key",
            Self::FolderMarker => "folder_marker",
            Self::Hidden => "hidden",
            Self::Superseded => "superseded",
            Self::Removed => "removed",
            Self::NotContent => "not_content",
            Self::ForeignBucket => "foreign_bucket",
        }
    }
}

/// What an object is to a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// Work.
    Accept(Accepted),
    /// Not work.
    Ignore(IgnoreReason),
    /// Work that can never succeed, by its key or size alone.
    Reject(Accepted, RejectReason),
}

/// Work for a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The dataset.
    pub dataset: DatasetName,
}

/// What one unit of work needs at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Demand {
    /// Bytes on NVMe: input, intermediate files and outputs together.
    pub nvme_bytes: u64,
}

/// The claimed object, here.
#[derive(Debug, Clone)]
pub enum Input {
    /// On NVMe.
    File {
        /// The verified copy.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// Its digest.
        sha256: Sha256,
    },
    /// In memory.
    Document(Bytes),
}

/// Claimed, staged work, with all that a stage may use to do it.
#[derive(Debug)]
pub struct Work {
    /// The object.
    pub object: ObjectSummary,
    /// The claim.
    pub claim: Claim,
    /// The object's content.
    pub input: Input,
    /// Reserved room on NVMe; everything in it goes when the work ends.
    pub workspace: Workspace,
    /// Where other inputs are read and early outputs written.
    pub blobs: Arc<dyn BlobStore>,
    /// For lookups and checkpoints; results are published by the engine.
    pub store: Arc<dyn ManifestStore>,
    /// Where to compute.
    pub cpu: CpuPool,
    /// Where to ask for memory before decoding.
    pub memory: MemoryBudget,
    /// Fires when the work is to stop: shutdown, or the claim was lost.
    pub cancel: CancellationToken,
}

impl Work {
    /// The dataset of the claim.
    pub fn dataset(&self) -> &DatasetName {
        &self.claim.key.dataset
    }

    /// The input's bytes: bounded by the stage's [`InputMode`].
    ///
    /// # Errors
    /// The staged file cannot be read.
    pub async fn read_input(&self) -> Result<Bytes, StageError> {
        match &self.input {
            Input::File { path, .. } => {
                tokio::fs::read(path).await.map(Bytes::from).map_err(StageError::file(path))
            }
            Input::Document(bytes) => Ok(bytes.clone()),
        }
    }
}

/// The bytes of an output.
#[derive(Clone)]
pub enum Content {
    /// A file in the workspace, finished: nobody writes to it any more.
    File(PathBuf),
    /// A small object in memory.
    Memory(Bytes),
    /// The stage has written it already.
    Stored,
}

impl Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Memory(bytes) => write!(f, "Memory({} bytes)", bytes.len()),
            Self::Stored => f.write_str("Stored"),
        }
    }
}

/// An object to upload and to list in the manifest.
#[derive(Debug, Clone)]
pub struct Output {
    /// What to write.
    pub content: Content,
    /// Where to.
    pub uri: S3Uri,
    /// MIME type.
    pub content_type: &'static str,
    /// Size.
    pub bytes: u64,
    /// Digest.
    pub sha256: Sha256,
    /// What it was made from.
    pub source_uri: S3Uri,
    /// The stage's own manifest fields.
    pub fields: Map<String, Value>,
}

impl Output {
    /// A small output from memory.
    pub fn document(
        uri: S3Uri,
        content_type: &'static str,
        content: impl Into<Bytes>,
        source_uri: S3Uri,
    ) -> Self {
        let content = content.into();
        Self {
            bytes: content.len() as u64,
            sha256: Sha256::of(&content),
            content: Content::Memory(content),
            uri,
            content_type,
            source_uri,
            fields: Map::new(),
        }
    }

    /// Writes the object; again is harmless, since the same work makes the same bytes.
    ///
    /// # Errors
    /// What the object store says.
    pub async fn upload(&self, blobs: &dyn BlobStore) -> Result<(), StorageError> {
        let options = PutOptions {
            content_type: Some(self.content_type.to_owned()),
            sha256: Some(self.sha256),
            frozen: true,
            ..PutOptions::default()
        };
        let written = match &self.content {
            Content::File(path) => blobs.upload(path, &self.uri, &options).await,
            Content::Memory(bytes) => blobs.write(bytes.clone(), &self.uri, &options).await,
            Content::Stored => return Ok(()),
        };
        written.map(drop).map_err(unwritten)
    }

    /// A large output that is uploaded here and now, since that is when its digest is taken. The file is not needed any more.
    ///
    /// # Errors
    /// What the object store says.
    pub async fn stored(
        path: &Path,
        uri: S3Uri,
        content_type: &'static str,
        source_uri: S3Uri,
        blobs: &dyn BlobStore,
    ) -> Result<Self, StageError> {
        let bytes = tokio::fs::metadata(path).await.map_err(StageError::file(path))?.len();
        let sha256 = blobs.upload_digested(path, &uri, content_type).await.map_err(unwritten)?;
        Ok(Self {
            content: Content::Stored,
            uri,
            content_type,
            bytes,
            sha256,
            source_uri,
            fields: Map::new(),
        })
    }
}

/// All that a write can miss is its bucket: a fault of the configuration, no verdict on the work.
fn unwritten(error: StorageError) -> StorageError {
    match error {
        StorageError::NotFound(uri) => {
            StorageError::Denied { uri, message: "the bucket does not exist".to_owned() }
        }
        error => error,
    }
}

/// The result of successful work: what the engine uploads and publishes, all or nothing.
#[derive(Debug, Default)]
pub struct Processed {
    /// Uploaded first, in parallel.
    pub outputs: Vec<Output>,
    /// Uploaded after all of `outputs` are there, in order: manifests that make the others visible to readers.
    pub finals: Vec<Output>,
    /// The manifest's metadata.
    pub metadata: Value,
    /// What came from what.
    pub lineage: Vec<LineageEdge>,
    /// The rows of the stage.
    pub effects: Vec<Effect>,
}

/// What a stage made of its work.
#[derive(Debug)]
pub enum Outcome {
    /// Publish this.
    Publish(Box<Processed>),
    /// Something that the work needs is not there yet; ask again later. Not a failed attempt.
    NotReady {
        /// When to ask again.
        retry_in: Duration,
    },
}

impl From<Processed> for Outcome {
    fn from(processed: Processed) -> Self {
        Self::Publish(Box::new(processed))
    }
}

/// A stage: the one thing that differs between services.
///
/// Contract: `process` may run more than once for the same object version (at-least-once in) and must write the
/// same outputs to the same URIs each time; it writes nowhere but into its workspace and below its output
/// prefix; it stops soon after `work.cancel` fires (the engine drops the future then).
#[async_trait]
pub trait Stage: Send + Sync + Debug + 'static {
    /// The stage's name.
    fn name(&self) -> StageName;

    /// The hash of its settings, part of every claim.
    fn policy(&self) -> PolicyHash;

    /// How objects come to it.
    fn input(&self) -> InputMode;

    /// The folder for manifests of one dataset, below the stage's output prefix.
    fn manifest_folder(&self, dataset: &DatasetName) -> S3Uri;

    /// What an object is to this stage, by key and size alone.
    fn route(&self, object: &ObjectSummary) -> Route;

    /// What the work needs; `document` is the content under [`InputMode::Document`].
    ///
    /// # Errors
    /// The document makes no sense.
    fn demand(&self, object: &ObjectSummary, document: Option<&Bytes>) -> Result<Demand, RejectReason>;

    /// Does the work.
    async fn process(&self, work: &Work) -> Result<Outcome, StageError>;
}

/// Which dataset an object below a prefix belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatasetRoute {
    /// Everything belongs to one dataset; the key below the prefix is the relative key.
    Fixed(DatasetName),
    /// The first segment below the prefix names the dataset; the rest is the relative key.
    FirstSegment,
}

impl DatasetRoute {
    /// Splits a key below the prefix into dataset and relative key.
    pub fn split<'k>(&self, below: &'k str) -> Option<(DatasetName, &'k str)> {
        match self {
            Self::Fixed(dataset) => Some((dataset.clone(), below)),
            Self::FirstSegment => {
                let (dataset, relative) = below.split_once('/')?;
                Some((dataset.parse().ok()?, relative))
            }
        }
    }
}
