//! The catalogue: datasets, originals, variants, splits.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use types::{DatasetName, ImageId, OriginalRecord, PolicyHash, Split, VariantRecord, VersionNumber};

use crate::StoreError;

/// A dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetRecord {
    /// Its name.
    pub name: DatasetName,
    /// Its normalization policy (hash and canonical form), once a normalize stage has set one.
    pub policy: Option<(PolicyHash, String)>,
    /// Originals catalogued (one per key).
    pub originals: u64,
    /// Different images among them.
    pub images: u64,
    /// Object versions in quarantine, over all stages.
    pub rejected: u64,
    /// The newest published version.
    pub latest: Option<VersionNumber>,
}

/// How far a dataset is on its way to a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatasetProgress {
    /// Originals catalogued.
    pub originals: u64,
    /// Originals whose image has no variant under the policy and whose bronze object the normalize stage has
    /// not settled under it. Only claims made since ingest first claimed the present bytes count: those
    /// before were for others.
    pub pending: u64,
    /// Time since the bytes of an original or a variant under the policy were added; zero when there is
    /// nothing yet. Doing the same again is not a change.
    pub quiet_for: Duration,
}

/// An image that has every variant of a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadySample {
    /// The first original by key order among its exact duplicates.
    pub original: OriginalRecord,
    /// How many originals are this image, at least 1.
    pub copies: u64,
    /// Its variants by name.
    pub variants: Vec<VariantRecord>,
}

/// The frozen place of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitAssignment {
    /// The image.
    pub image_id: ImageId,
    /// The group (near-duplicates) that stays together.
    pub group_id: ImageId,
    /// Where the group is.
    pub split: Split,
}

/// Datasets and what they hold.
#[async_trait]
pub trait Catalogue: Send + Sync + Debug {
    /// Creates the dataset if it is not there.
    async fn ensure_dataset(&self, name: &DatasetName) -> Result<(), StoreError>;

    /// Sets the dataset's normalization policy (creating the dataset if need be): the one that planning uses.
    async fn set_policy(
        &self,
        name: &DatasetName,
        policy: &PolicyHash,
        canonical: &str,
    ) -> Result<(), StoreError>;

    /// Every dataset, by name.
    async fn datasets(&self) -> Result<Vec<DatasetRecord>, StoreError>;

    /// One dataset; `NoSuchDataset` when it is not there.
    async fn dataset(&self, name: &DatasetName) -> Result<DatasetRecord, StoreError>;

    /// How far the dataset is under a policy.
    async fn progress(&self, name: &DatasetName, policy: &PolicyHash) -> Result<DatasetProgress, StoreError>;

    /// The original with this key, if there is one.
    async fn original(&self, name: &DatasetName, key: &str) -> Result<Option<OriginalRecord>, StoreError>;

    /// A page of originals in key order (byte order), after the key `after`.
    async fn originals(
        &self,
        name: &DatasetName,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<OriginalRecord>, StoreError>;

    /// The variants of one image under a policy, by name.
    async fn variants(
        &self,
        name: &DatasetName,
        image: &ImageId,
        policy: &PolicyHash,
    ) -> Result<Vec<VariantRecord>, StoreError>;

    /// A page of images, by image id after `after`, that have at least one variant under the policy (variants
    /// of one image are published together, so one means all) and an original in the catalogue.
    async fn ready_samples(
        &self,
        name: &DatasetName,
        policy: &PolicyHash,
        after: Option<&ImageId>,
        limit: u32,
    ) -> Result<Vec<ReadySample>, StoreError>;

    /// Number and total bytes of the stored variants under a policy, by variant name, counting only images
    /// with an original in the catalogue.
    async fn variant_totals(
        &self,
        name: &DatasetName,
        policy: &PolicyHash,
    ) -> Result<Vec<(String, u64, u64)>, StoreError>;

    /// Freezes assignments: those of images that have none are stored, the others stay as they were.
    async fn freeze_splits(
        &self,
        name: &DatasetName,
        assignments: &[SplitAssignment],
    ) -> Result<(), StoreError>;

    /// A page of frozen assignments by image id.
    async fn splits(
        &self,
        name: &DatasetName,
        after: Option<&ImageId>,
        limit: u32,
    ) -> Result<Vec<SplitAssignment>, StoreError>;
}
