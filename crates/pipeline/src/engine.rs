//! The engine: what it works with, and how it begins and ends.

mod attempt;
mod batch;
mod intake;
mod outage;
mod publish;
mod pulse;
mod slots;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use manifest_store::{ClaimKey, ClaimOutcome, ManifestStore, Publication, StoreError};
use object_storage::BlobStore;
use staging::StagingArea;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use types::{ObjectVersion, S3Uri, Sha256};

use self::batch::Batcher;
use self::outage::Outages;
pub use self::pulse::Pulse;
pub use self::slots::Slots;
use crate::{Accepted, CpuPool, MemoryBudget, Observer, SourceError, Stage, WorkSource};

/// What the engine works with: the adapters, and the budgets that all work shares.
#[derive(Debug, Clone)]
pub struct Backends {
    /// Where objects come from.
    pub input: Arc<dyn BlobStore>,
    /// Where outputs go, and other inputs are.
    pub output: Arc<dyn BlobStore>,
    /// The manifest store.
    pub store: Arc<dyn ManifestStore>,
    /// The NVMe area.
    pub staging: StagingArea,
    /// The CPU pool.
    pub cpu: CpuPool,
    /// Memory for decoding.
    pub memory: MemoryBudget,
}

/// How the engine works.
#[derive(Debug, Clone)]
pub struct EngineSettings {
    /// The name of this process instance in claims.
    pub owner: String,
    /// Deliveries worked on at once.
    pub slots: usize,
    /// How long a claim lives without renewal.
    pub lease: Duration,
    /// Failed attempts before work goes to quarantine.
    pub max_attempts: u32,
    /// The first pause after a failed attempt; it doubles with each further one, up to five minutes.
    pub backoff: Duration,
    /// Who waits for it.
    pub patience: Patience,
}

impl EngineSettings {
    /// Deliveries at once where nobody says: enough that transfers and the stores' answers never keep the CPU waiting,
    /// few enough that most can be finished within the grace period of a shutdown.
    pub fn usual_slots(cpu_threads: usize) -> usize {
        (4 * cpu_threads).max(8)
    }
}

/// How long the engine bears with a world that is broken.
#[derive(Debug, Clone)]
pub enum Patience {
    /// Somebody waits for the end of the run: it gives up after this many consecutive failures of the source, or after
    /// one that trying again cannot help (a bucket that is not there), and outages count as attempts.
    Run {
        /// Consecutive failures of the source.
        source_failures: u32,
    },
    /// A service never gives up: it waits out outages, takes nothing in until these prefixes and the manifest store
    /// answer again, and counts no attempt.
    Service {
        /// What the stage reads.
        input: S3Uri,
        /// What it writes below.
        output: S3Uri,
    },
}

/// How to stop: first no more intake, then, when patience ends, the work itself.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    /// Stops taking deliveries; work in flight goes on.
    pub intake: CancellationToken,
    /// Stops work in flight, which is handed back.
    pub work: CancellationToken,
}

/// Drives one stage. Clones share everything.
#[derive(Debug, Clone)]
pub struct Engine {
    stage: Arc<dyn Stage>,
    backends: Backends,
    settings: Arc<EngineSettings>,
    observer: Arc<dyn Observer>,
    outages: Arc<Outages>,
    pulse: Pulse,
    claims: Arc<Batcher<ClaimKey, Result<ClaimOutcome, StoreError>>>,
    publications: Arc<Batcher<Publication, Result<(), StoreError>>>,
}

impl Engine {
    /// An engine for a stage.
    pub fn new(
        stage: Arc<dyn Stage>,
        backends: Backends,
        settings: EngineSettings,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let claims = claims_of(Arc::clone(&backends.store), settings.owner.clone(), settings.lease);
        let publications = publications_to(Arc::clone(&backends.store));
        Self {
            stage,
            backends,
            settings: Arc::new(settings),
            observer,
            outages: Arc::default(),
            pulse: Pulse::default(),
            claims: Arc::new(claims),
            publications: Arc::new(publications),
        }
    }

    /// The sign of life of its intake.
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Works until the source ends or `shutdown` says so; returns when nothing is in flight any more.
    ///
    /// # Errors
    /// The source failed for good, or too often in a row.
    pub async fn run(&self, source: &mut dyn WorkSource, shutdown: &Shutdown) -> Result<(), SourceError> {
        let tasks = TaskTracker::new();
        let result = tokio::select! {
            () = shutdown.intake.cancelled() => Ok(()),
            result = self.take_in(source, &tasks, &shutdown.work) => result,
        };
        source.stop();
        tasks.close();
        self.pulse.during(tasks.wait()).await;
        self.pulse.during(source.finish(&shutdown.work)).await;
        result
    }
}

fn claims_of(
    store: Arc<dyn ManifestStore>,
    owner: String,
    lease: Duration,
) -> Batcher<ClaimKey, Result<ClaimOutcome, StoreError>> {
    Batcher::new(move |keys| {
        let (store, owner) = (Arc::clone(&store), owner.clone());
        async move { each(store.claim(&keys, &owner, lease).await.map(|all| all.into_iter().map(Ok)), keys.len()) }
            .boxed()
    })
}

fn publications_to(store: Arc<dyn ManifestStore>) -> Batcher<Publication, Result<(), StoreError>> {
    Batcher::new(move |publications| {
        let store = Arc::clone(&store);
        async move { each(store.publish_all(&publications).await, publications.len()) }.boxed()
    })
}

/// One answer for each of a batch, also when the call failed as a whole.
fn each<T>(
    answers: Result<impl IntoIterator<Item = Result<T, StoreError>>, StoreError>,
    asked: usize,
) -> Vec<Result<T, StoreError>> {
    match answers {
        Ok(answers) => answers.into_iter().collect(),
        Err(error) => (0..asked).map(|_| Err(error.clone())).collect(),
    }
}

/// The key under which a stage claims an object.
pub(crate) fn claim_key(stage: &dyn Stage, accepted: &Accepted, object: &ObjectVersion) -> ClaimKey {
    let uri = S3Uri::new(object.uri.bucket().clone(), storable(object.uri.key()));
    ClaimKey {
        stage: stage.name(),
        dataset: accepted.dataset.clone(),
        object: ObjectVersion { uri, version: object.version.clone() },
        policy: stage.policy(),
    }
}

/// An object key as database text, which holds no NUL; all others stay as they are. An escaped key that outgrows
/// S3's limit, for which indexes are made, ends in its digest.
fn storable(key: &str) -> Cow<'_, str> {
    const LONGEST: usize = 1024;
    if !key.contains('\0') {
        return Cow::Borrowed(key);
    }
    let mut escaped = key.replace('\0', "\\u{0}");
    if escaped.len() > LONGEST {
        let digest = Sha256::of(key).to_hex();
        escaped.truncate(escaped.floor_char_boundary(LONGEST - digest.len()));
        escaped.push_str(&digest);
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_nul_is_escaped_in_claims_and_long_keys_stay_short_and_different() {
        assert_eq!(storable("a\n\\ü.jpg"), "a\n\\ü.jpg");
        assert_eq!(storable("a\0b"), "a\\u{0}b");
        let (one, other) = ("\0ü".repeat(340), "\0ü".repeat(341));
        assert!(storable(&one).len() <= 1024);
        assert_ne!(storable(&one), storable(&other));
    }
}
