//! Dataset versions: planned, built shard by shard, published at once.

use std::fmt::Debug;

use async_trait::async_trait;
use serde_json::Value;
use types::{DatasetName, S3Uri, Sha256, ShardEntry, Split, VersionNumber};

use crate::StoreError;

/// A shard that is to be built.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlannedShard {
    /// The variant.
    pub variant: String,
    /// The split.
    pub split: Split,
    /// Its number within variant and split, from 0.
    pub number: u32,
    /// Samples in it.
    pub samples: u64,
}

/// A version that is to be built.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionPlan {
    /// Digest of everything that decides the content.
    pub input_digest: Sha256,
    /// The settings behind it, for people.
    pub settings: Value,
    /// Its shards.
    pub shards: Vec<PlannedShard>,
}

/// What became of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanOutcome {
    /// The latest published version already is this content.
    Unchanged(VersionNumber),
    /// This content was planned before and is not yet published: go on with it.
    Resumed(VersionNumber),
    /// A new version. An older unpublished one, if any, is abandoned.
    Planned(VersionNumber),
}

/// The life of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionState {
    /// Its shards are being built; readers do not see it.
    Planned,
    /// Immutable and complete.
    Published,
    /// Overtaken before it was published.
    Abandoned,
}

/// A version as the store knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionRecord {
    /// Its number.
    pub version: VersionNumber,
    /// Where in its life it is.
    pub state: VersionState,
    /// Digest of everything that decides the content.
    pub input_digest: Sha256,
    /// The settings behind it.
    pub settings: Value,
    /// The manifest and its digest, once published.
    pub manifest: Option<(S3Uri, Sha256)>,
    /// Seconds since the Unix epoch, once published.
    pub published_at: Option<i64>,
}

/// A planned shard and, once it is built, its tar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardStatus {
    /// The plan.
    pub planned: PlannedShard,
    /// The tar.
    pub built: Option<ShardEntry>,
}

/// Versions of datasets.
#[async_trait]
pub trait Versions: Send + Sync + Debug {
    /// Plans a version, atomically: two planners with the same content get the same version. `Unchanged` only
    /// when the *latest published* version has the same digest; what is being built then stays.
    /// `NoSuchDataset` when there is none.
    async fn plan_version(
        &self,
        dataset: &DatasetName,
        plan: &VersionPlan,
    ) -> Result<PlanOutcome, StoreError>;

    /// The versions of a dataset, oldest first.
    async fn versions(&self, dataset: &DatasetName) -> Result<Vec<VersionRecord>, StoreError>;

    /// One version; `NoSuchVersion` when it is not there.
    async fn version(
        &self,
        dataset: &DatasetName,
        version: VersionNumber,
    ) -> Result<VersionRecord, StoreError>;

    /// The shards of a version by (variant, split, number), splits in the order train, val, test.
    async fn shards(
        &self,
        dataset: &DatasetName,
        version: VersionNumber,
    ) -> Result<Vec<ShardStatus>, StoreError>;
}
