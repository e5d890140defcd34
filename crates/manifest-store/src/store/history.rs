//! History: published manifests and lineage.

use std::fmt::Debug;

use async_trait::async_trait;
use types::{DatasetName, LineageEdge, S3Uri, StageManifest, StageName};

use crate::StoreError;

/// Which way to walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Towards what it was made from.
    Ancestors,
    /// Towards what was made of it.
    Descendants,
}

/// A published manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct ManifestRecord {
    /// Grows with every publication of the store.
    pub id: i64,
    /// Where it was written as an object.
    pub uri: S3Uri,
    /// The manifest.
    pub manifest: StageManifest,
}

/// What was published and what came from what.
#[async_trait]
pub trait History: Send + Sync + Debug {
    /// A page of a stage's manifests, by id after `after`. Ids are given before the commit: a publication
    /// that commits late may appear behind a reader that has passed its id.
    async fn manifests(
        &self,
        dataset: &DatasetName,
        stage: StageName,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<ManifestRecord>, StoreError>;

    /// The edges reachable from an object in one direction, nearest first, at most `limit`.
    async fn lineage(
        &self,
        uri: &S3Uri,
        direction: Direction,
        limit: u32,
    ) -> Result<Vec<LineageEdge>, StoreError>;

    /// Cheap proof that the store answers.
    async fn ping(&self) -> Result<(), StoreError>;
}
