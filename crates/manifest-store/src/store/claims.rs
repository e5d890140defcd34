//! Claims: the leased, fenced right to process an object version, and how it ends.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use types::{
    DatasetName, LineageEdge, ObjectVersion, OriginalRecord, PolicyHash, RejectCode, RejectReason, S3Uri,
    Sha256, ShardEntry, StageManifest, StageName, VariantRecord, VersionNumber,
};

use crate::{AnnotationImport, StoreError};

/// What is claimed: one object version, for one stage of one dataset, under one policy.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClaimKey {
    /// The stage.
    pub stage: StageName,
    /// The dataset.
    pub dataset: DatasetName,
    /// The object version.
    pub object: ObjectVersion,
    /// The stage's settings.
    pub policy: PolicyHash,
}

/// Grows with every claim of the same key; a write with an older one is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FenceToken(pub i64);

/// A claim that we own until its lease ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What is claimed.
    pub key: ClaimKey,
    /// The fence.
    pub token: FenceToken,
    /// Which attempt this is, from 1. Work handed back by `release` or `postpone` does not count.
    pub attempt: u32,
}

/// How work ended for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settlement {
    /// Published.
    Done,
    /// In quarantine.
    Rejected(RejectReason),
}

/// The answer to a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// Ours.
    Owned(Claim),
    /// Nothing left to do.
    Settled(Settlement),
    /// Not now: somebody holds it, or it is waiting for a retry.
    NotNow {
        /// When to ask again.
        retry_in: Duration,
    },
}

/// Where work stands, without claiming it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimStatus {
    /// Never claimed, handed back, or with a lease or wait that has ended: free to claim now.
    Free,
    /// Nothing left to do.
    Settled(Settlement),
    /// Held by somebody or waiting for a retry.
    NotNow {
        /// When it may be free.
        retry_in: Duration,
    },
}

/// A row that a publication adds or replaces, in the publication's own transaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Catalogue an original. Replaces the record of the same (dataset, key).
    Original(OriginalRecord),
    /// Add the variants of one image. Already present ones (dataset, image, variant, policy) stay.
    Variants(Vec<VariantRecord>),
    /// The records of an annotation file, which were put before, count from now on, and no longer those of other
    /// versions of the file; its categories get their numbers.
    AnnotationsImported(Box<AnnotationImport>),
    /// A planned shard is built.
    ShardBuilt {
        /// The version it belongs to.
        version: VersionNumber,
        /// Its number within variant and split, from 0.
        number: u32,
        /// The tar.
        shard: ShardEntry,
    },
    /// The version becomes the dataset's published one (and the latest, if none newer is).
    VersionPublished {
        /// The version.
        version: VersionNumber,
        /// Its manifest object.
        manifest_uri: S3Uri,
        /// The manifest's digest.
        manifest_sha256: Sha256,
    },
}

/// The end of successful work: everything in it is committed in one transaction, under the claim's fence.
#[derive(Debug, Clone)]
pub struct Publication {
    /// The claim that it completes.
    pub claim: Claim,
    /// What was published.
    pub manifest: StageManifest,
    /// Where the manifest was written as an object.
    pub manifest_uri: S3Uri,
    /// What came from what.
    pub lineage: Vec<LineageEdge>,
    /// The stage's rows.
    pub effects: Vec<Effect>,
}

/// What is known about one object version at one stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessedRecord {
    /// What.
    pub key: ClaimKey,
    /// Where it stands.
    pub status: ClaimStatus,
    /// Attempts so far.
    pub attempts: u32,
}

/// A quarantined object version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRecord {
    /// What.
    pub key: ClaimKey,
    /// Why.
    pub reason: RejectReason,
    /// Attempts made.
    pub attempts: u32,
    /// Seconds since the Unix epoch, by the database's clock.
    pub rejected_at: i64,
}

/// Claims and their ends.
#[async_trait]
pub trait Claims: Send + Sync + Debug {
    /// Claims each key for `owner` (a name of this process instance) for the length of `lease`.
    ///
    /// A key is given out when it was never claimed, was handed back, waits for a retry whose time has come,
    /// or its lease has ended. The dataset is created if need be. Keys that are equal within one call: the
    /// first one gets the claim, the others `NotNow`.
    async fn claim(
        &self,
        keys: &[ClaimKey],
        owner: &str,
        lease: Duration,
    ) -> Result<Vec<ClaimOutcome>, StoreError>;

    /// Extends the leases that we still hold, counting from now; `false` for each that is lost. A lease that
    /// ended and was not taken over is still ours, here and in every write under a claim.
    async fn renew(&self, claims: &[Claim], lease: Duration) -> Result<Vec<bool>, StoreError>;

    /// Completes a claim: done, manifest, lineage and effects in one transaction, or an error and nothing.
    ///
    /// With it other claims of the same object (stage, bucket, key, dataset) are unsettled: other versions that are
    /// done are free again, whatever their policy, since the catalogue no longer holds them; rejections of other
    /// versions or under other policies are forgotten (free again too), since the object is fine now.
    ///
    /// Refused are claims that were lost (`Fenced`), work on content that is out of date because another version
    /// that was claimed later is done (`Superseded`), and work whose outputs or manifest object may have been
    /// deleted since it was claimed (`OutputsRemoved`, see [`Upkeep::condemn`](crate::Upkeep::condemn)).
    ///
    /// Publishing again with the same token after success is `Ok` and changes nothing (the answer may have
    /// been lost).
    async fn publish(&self, publication: &Publication) -> Result<(), StoreError> {
        let mut answers = self.publish_all(std::slice::from_ref(publication)).await?;
        answers.pop().unwrap_or_else(|| Err(StoreError::Invalid("a publication was not answered".to_owned())))
    }

    /// [`publish`](Self::publish) in bulk: one transaction and one answer each, as if they had come one after the
    /// other. What is refused writes nothing and does not harm the rest.
    ///
    /// An `Err` is about the whole: nothing of it happened (or it may have: `Unknown`). When the database refuses a
    /// value in one of them, each is published in a transaction of its own, so that only that one fails.
    async fn publish_all(
        &self,
        publications: &[Publication],
    ) -> Result<Vec<Result<(), StoreError>>, StoreError>;

    /// Hands work back at once; the attempt does not count. Lost claims are passed over.
    async fn release(&self, claims: &[Claim]) -> Result<(), StoreError>;

    /// Hands work back, not to be claimed before `after`; the attempt does not count (work that is not
    /// ready).
    async fn postpone(&self, claim: &Claim, after: Duration) -> Result<(), StoreError>;

    /// Records a failed attempt; the work may be claimed again after `after`.
    async fn fail(&self, claim: &Claim, after: Duration, error: &str) -> Result<(), StoreError>;

    /// Ends a claim in quarantine.
    async fn quarantine(&self, claim: &Claim, reason: &RejectReason) -> Result<(), StoreError>;

    /// Hands back everything that `owner` holds, attempts not counted: for an owner that is known to be dead
    /// (a local home that only one process can lock). Returns how many.
    async fn release_owner(&self, owner: &str) -> Result<u64, StoreError>;

    /// Where each key stands.
    async fn statuses(&self, keys: &[ClaimKey]) -> Result<Vec<ClaimStatus>, StoreError>;

    /// Every version of an object that a stage knows, under every policy, newest claim first.
    async fn processed(&self, stage: StageName, uri: &S3Uri) -> Result<Vec<ProcessedRecord>, StoreError>;

    /// A page of a dataset's quarantine in the order of (stage, key); `after` is the last record of the page
    /// before.
    async fn rejected(
        &self,
        dataset: &DatasetName,
        after: Option<&ClaimKey>,
        limit: u32,
    ) -> Result<Vec<RejectedRecord>, StoreError>;

    /// Puts quarantined work back (attempts from zero), all or that with one reason. `dry_run` only counts.
    async fn redrive(
        &self,
        dataset: &DatasetName,
        reason: Option<RejectCode>,
        dry_run: bool,
    ) -> Result<u64, StoreError>;

    /// Remembers partial progress under a claim: replaces the value of `name`, or `Fenced`.
    async fn put_checkpoint(&self, claim: &Claim, name: &str, value: &Value) -> Result<(), StoreError>;

    /// The checkpoints of a key by name; those of done work are gone.
    async fn checkpoints(&self, key: &ClaimKey) -> Result<Vec<(String, Value)>, StoreError>;
}
