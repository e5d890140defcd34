//! A manifest store whose calls and answers get lost, are late or never come, as the test tells it.

use std::collections::VecDeque;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use annotations::{Record, RecordId, Registry};
use async_trait::async_trait;
use manifest_store::{
    AnnotationLink, Annotations, Catalogue, Claim, ClaimKey, ClaimOutcome, ClaimStatus, Claims,
    DatasetProgress, DatasetRecord, Direction, History, ImportRecord, Leadership, ManifestRecord,
    ManifestStore, PlanOutcome, ProcessedRecord, Publication, ReadySample, RejectedRecord, ShardStatus,
    SplitAssignment, StoreError, StoredAnnotation, Upkeep, VersionPlan, VersionRecord, Versions,
};
use serde_json::Value;
use tokio::sync::Semaphore;
use types::{
    DatasetName, ImageId, LineageEdge, OriginalRecord, PolicyHash, RejectCode, RejectReason, S3Uri, Sha256,
    StageName, VariantRecord, VersionNumber,
};

use crate::bench::Bench;

/// What becomes of a commit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Commit {
    /// It never reaches the store, and nobody knows.
    LoseCall,
    /// It is made, and nobody knows.
    LoseAnswer,
    /// It reaches the store at [`ScriptedStore::let_go`].
    HoldCall,
    /// It is made at once and answered at [`ScriptedStore::let_go`].
    HoldAnswer,
}

/// How renewals are answered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Renewals {
    /// As unavailable.
    Refused,
    /// Never.
    Silent,
}

/// Another store, and what goes wrong on the way to it. Without a script everything passes.
#[derive(Debug)]
pub(crate) struct ScriptedStore {
    inner: Arc<dyn ManifestStore>,
    commits: Mutex<VecDeque<Commit>>,
    asked_to_commit: AtomicUsize,
    /// What the store itself said to commits.
    committed: Mutex<Vec<Result<(), StoreError>>>,
    held: Semaphore,
    renewals: Mutex<Option<Renewals>>,
    asked_to_renew: AtomicUsize,
}

impl ScriptedStore {
    /// Puts one before the store of a bench.
    pub(crate) fn before(bench: &mut Bench) -> Arc<Self> {
        let store = Arc::new(Self {
            inner: Arc::clone(&bench.store),
            commits: Mutex::default(),
            asked_to_commit: AtomicUsize::new(0),
            committed: Mutex::default(),
            held: Semaphore::new(0),
            renewals: Mutex::default(),
            asked_to_renew: AtomicUsize::new(0),
        });
        bench.store = Arc::<Self>::clone(&store);
        store
    }

    /// What becomes of the next commits; those after them pass.
    pub(crate) fn tell(&self, commits: impl IntoIterator<Item = Commit>) {
        self.commits.lock().unwrap_or_else(PoisonError::into_inner).extend(commits);
    }

    pub(crate) fn answer_renewals(&self, how: Renewals) {
        *self.renewals.lock().unwrap_or_else(PoisonError::into_inner) = Some(how);
    }

    /// Ends one hold.
    pub(crate) fn let_go(&self) {
        self.held.add_permits(1);
    }

    /// Commits that were asked for so far.
    pub(crate) fn asked_to_commit(&self) -> usize {
        self.asked_to_commit.load(Ordering::Relaxed)
    }

    /// Renewals that were asked for so far.
    pub(crate) fn asked_to_renew(&self) -> usize {
        self.asked_to_renew.load(Ordering::Relaxed)
    }

    /// What the store itself said to the commits that reached it.
    pub(crate) fn committed(&self) -> Vec<Result<(), StoreError>> {
        self.committed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn commit(&self, publications: &[Publication]) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        let answers = self.inner.publish_all(publications).await?;
        self.committed.lock().unwrap_or_else(PoisonError::into_inner).extend(answers.iter().cloned());
        Ok(answers)
    }

    async fn hold(&self) {
        self.held.acquire().await.expect("never closed").forget();
    }
}

fn lost() -> StoreError {
    StoreError::Unknown("expected in this test".to_owned())
}

/// Implements a part of the seam: most of its calls pass as they are.
macro_rules! part {
    ($part:ident { $($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)* } $($own:tt)*) => {
        #[async_trait]
        impl $part for ScriptedStore {
            $(async fn $name(&self, $($argument: $type),*) -> Result<$answer, StoreError> {
                self.inner.$name($($argument),*).await
            })*
            $($own)*
        }
    };
}

part! { Claims {
    claim(keys: &[ClaimKey], owner: &str, lease: Duration) -> Vec<ClaimOutcome>;
    release(claims: &[Claim]) -> ();
    postpone(claim: &Claim, after: Duration) -> ();
    fail(claim: &Claim, after: Duration, error: &str) -> ();
    quarantine(claim: &Claim, reason: &RejectReason) -> ();
    release_owner(owner: &str) -> u64;
    statuses(keys: &[ClaimKey]) -> Vec<ClaimStatus>;
    processed(stage: StageName, uri: &S3Uri) -> Vec<ProcessedRecord>;
    rejected(dataset: &DatasetName, after: Option<&ClaimKey>, limit: u32) -> Vec<RejectedRecord>;
    redrive(dataset: &DatasetName, reason: Option<RejectCode>, dry_run: bool) -> u64;
    put_checkpoint(claim: &Claim, name: &str, value: &Value) -> ();
    checkpoints(key: &ClaimKey) -> Vec<(String, Value)>;
}
    async fn renew(&self, claims: &[Claim], lease: Duration) -> Result<Vec<bool>, StoreError> {
        self.asked_to_renew.fetch_add(1, Ordering::Relaxed);
        let script = *self.renewals.lock().unwrap_or_else(PoisonError::into_inner);
        match script {
            None => self.inner.renew(claims, lease).await,
            Some(Renewals::Refused) => Err(StoreError::Unavailable("expected in this test".to_owned())),
            Some(Renewals::Silent) => pending().await,
        }
    }

    async fn publish_all(&self, publications: &[Publication]) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        self.asked_to_commit.fetch_add(1, Ordering::Relaxed);
        let script = self.commits.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        match script {
            None => self.commit(publications).await,
            Some(Commit::LoseCall) => Err(lost()),
            Some(Commit::LoseAnswer) => self.commit(publications).await.and(Err(lost())),
            Some(Commit::HoldCall) => {
                self.hold().await;
                self.commit(publications).await
            }
            Some(Commit::HoldAnswer) => {
                let answer = self.commit(publications).await;
                self.hold().await;
                answer
            }
        }
    }
}

part! { Catalogue {
    ensure_dataset(name: &DatasetName) -> ();
    set_policy(name: &DatasetName, policy: &PolicyHash, canonical: &str) -> ();
    datasets() -> Vec<DatasetRecord>;
    dataset(name: &DatasetName) -> DatasetRecord;
    progress(name: &DatasetName, policy: &PolicyHash) -> DatasetProgress;
    original(name: &DatasetName, key: &str) -> Option<OriginalRecord>;
    originals(name: &DatasetName, after: Option<&str>, limit: u32) -> Vec<OriginalRecord>;
    variants(name: &DatasetName, image: &ImageId, policy: &PolicyHash) -> Vec<VariantRecord>;
    ready_samples(
        name: &DatasetName, policy: &PolicyHash, after: Option<&ImageId>, limit: u32
    ) -> Vec<ReadySample>;
    variant_totals(name: &DatasetName, policy: &PolicyHash) -> Vec<(String, u64, u64)>;
    freeze_splits(name: &DatasetName, assignments: &[SplitAssignment]) -> ();
    splits(name: &DatasetName, after: Option<&ImageId>, limit: u32) -> Vec<SplitAssignment>;
} }

part! { Annotations {
    put_annotations(dataset: &DatasetName, import: &Sha256, records: &[Record]) -> ();
    annotation_imports(dataset: &DatasetName, after: Option<i64>, limit: u32) -> Vec<ImportRecord>;
    annotations(dataset: &DatasetName, after: Option<&RecordId>, limit: u32) -> Vec<StoredAnnotation>;
    annotation_history(dataset: &DatasetName, record: &RecordId) -> Vec<StoredAnnotation>;
    categories(dataset: &DatasetName) -> Registry;
    link_annotations(dataset: &DatasetName, links: &[AnnotationLink]) -> ();
    annotation_links(dataset: &DatasetName, after: Option<&RecordId>, limit: u32) -> Vec<AnnotationLink>;
} }

part! { Versions {
    plan_version(dataset: &DatasetName, plan: &VersionPlan) -> PlanOutcome;
    versions(dataset: &DatasetName) -> Vec<VersionRecord>;
    version(dataset: &DatasetName, version: VersionNumber) -> VersionRecord;
    shards(dataset: &DatasetName, version: VersionNumber) -> Vec<ShardStatus>;
} }

part! { History {
    manifests(
        dataset: &DatasetName, stage: StageName, after: Option<i64>, limit: u32
    ) -> Vec<ManifestRecord>;
    lineage(uri: &S3Uri, direction: Direction, limit: u32) -> Vec<LineageEdge>;
    ping() -> ();
} }

part! { Upkeep {
    lead(duty: &str) -> Option<Box<dyn Leadership>>;
    free_expired(stage: StageName, grace: Duration) -> u64;
    condemn(objects: &[S3Uri]) -> Vec<bool>;
    bury(objects: &[S3Uri]) -> ();
} }
