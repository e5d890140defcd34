//! The loop: a slot, then a delivery, then a task that sees it through.

mod attempt;
mod publish;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use manifest_store::{ClaimKey, ManifestStore};
use object_storage::BlobStore;
use staging::{StagingArea, StagingError};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use types::{Disposition, ObjectVersion, S3Uri, Sha256};

use crate::{Accepted, CpuPool, Delivery, Event, MemoryBudget, Observer, SourceError, Stage, WorkSource};

/// How often the disk is looked at while there is work, and while it is full.
const DISK_LOOK: Duration = Duration::from_secs(1);

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
    /// Consecutive failures of the source after which `run` gives up, or one that trying again cannot help (a bucket
    /// that is not there), since somebody waits for it. `None` is never: a service, which also waits out outages
    /// without counting them as attempts.
    pub source_failures: Option<u32>,
}

/// How to stop: first no more intake, then, when patience ends, the work itself.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    /// Stops taking deliveries; work in flight goes on.
    pub intake: CancellationToken,
    /// Stops work in flight, which is handed back.
    pub work: CancellationToken,
}

/// Drives one stage.
#[derive(Debug, Clone)]
pub struct Engine {
    stage: Arc<dyn Stage>,
    backends: Backends,
    settings: Arc<EngineSettings>,
    observer: Arc<dyn Observer>,
}

impl Engine {
    /// An engine for a stage.
    pub fn new(
        stage: Arc<dyn Stage>,
        backends: Backends,
        settings: EngineSettings,
        observer: Arc<dyn Observer>,
    ) -> Self {
        Self { stage, backends, settings: Arc::new(settings), observer }
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
        tasks.close();
        tasks.wait().await;
        result
    }

    // Cancel safety: a delivery is handed to its task without an await in between, so dropping this loses none.
    async fn take_in(
        &self,
        source: &mut dyn WorkSource,
        tasks: &TaskTracker,
        work: &CancellationToken,
    ) -> Result<(), SourceError> {
        let slots = Arc::new(Semaphore::new(self.settings.slots));
        let (mut failures, mut last_look) = (0, None);
        loop {
            let slot = Arc::clone(&slots).acquire_owned().await.expect("the semaphore is never closed");
            self.wait_for_room(&mut last_look).await;
            match source.next().await {
                Ok(Some(delivery)) => {
                    failures = 0;
                    let (engine, work) = (self.clone(), work.child_token());
                    tasks.spawn(async move {
                        engine.see_through(delivery, work).await;
                        drop(slot);
                    });
                }
                Ok(None) => return Ok(()),
                Err(error) => {
                    failures += 1;
                    self.after_source_failure(error, failures).await?;
                }
            }
        }
    }

    /// A full or missing disk pauses intake; it does not fail work. Looking writes to the disk, so a good answer
    /// holds for a while.
    async fn wait_for_room(&self, last_look: &mut Option<Instant>) {
        if last_look.is_some_and(|looked| looked.elapsed() < DISK_LOOK) {
            return;
        }
        let mut told = false;
        while let Err(error) = self.look_at_disk().await {
            if !told {
                tracing::warn!(%error, "intake paused");
                told = true;
            }
            tokio::time::sleep(DISK_LOOK).await;
        }
        if told {
            tracing::info!("intake resumed");
        }
        *last_look = Some(Instant::now());
    }

    async fn look_at_disk(&self) -> Result<(), StagingError> {
        let staging = self.backends.staging.clone();
        let looked = tokio::task::spawn_blocking(move || staging.readiness()).await;
        // It does not panic; the runtime may be going away under us.
        looked.unwrap_or(Ok(()))
    }

    async fn after_source_failure(&self, error: SourceError, failures: u32) -> Result<(), SourceError> {
        let backoff = self.settings.backoff * failures;
        let (pause, hopeless) = match error.disposition() {
            Disposition::Retry { after } => (after.min(backoff), false),
            Disposition::Reject(_) => (backoff, true),
            Disposition::Cancelled | Disposition::Unknown => (backoff, false),
        };
        if self.settings.source_failures.is_some_and(|limit| hopeless || failures >= limit) {
            return Err(error);
        }
        tracing::warn!(%error, failures, "no work received, trying again");
        tokio::time::sleep(pause.min(Duration::from_secs(60))).await;
        Ok(())
    }

    async fn see_through(&self, delivery: Delivery, work: CancellationToken) {
        self.observer.observe(&Event::Started { object: &delivery.object });
        let (ending, answer) = self.attempt(&delivery.object, work).await;
        self.observer.observe(&Event::Finished { object: &delivery.object, ending: &ending });
        match answer {
            attempt::Answer::Ack => delivery.ack().await,
            attempt::Answer::Again(after) => delivery.nack(after).await,
        }
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
