//! Leading and sweeping, again and again.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use manifest_store::{Leadership, ManifestStore};
use object_storage::BlobStore;
use tokio_util::sync::CancellationToken;
use types::{S3Uri, StageName};

use crate::sweep::{Sweep, Swept};
use crate::{JanitorError, JanitorMetrics};

/// How long a new leader waits at most before its first sweep. Longer than a deletion that its predecessor still had under
/// way can last.
const HANDOVER: Duration = Duration::from_secs(30);

/// How often the others look at most whether the leader is gone.
const STANDBY: Duration = Duration::from_secs(60);

/// What to sweep, and when.
#[derive(Debug, Clone)]
pub struct JanitorSettings {
    /// The stage.
    pub stage: StageName,
    /// Its output prefix. One prefix belongs to one manifest store.
    pub prefix: S3Uri,
    /// How old something must be to be collected: longer than any upload, and than clocks differ. Hours.
    pub grace: Duration,
    /// The pause between two sweeps, each of which lists the whole prefix.
    pub interval: Duration,
}

impl JanitorSettings {
    /// A grace of 24 hours and a sweep every hour.
    pub fn new(stage: StageName, prefix: S3Uri) -> Self {
        const HOUR: Duration = Duration::from_secs(3600);
        Self { stage, prefix, grace: 24 * HOUR, interval: HOUR }
    }

    /// The name of the duty for which one process leads.
    pub fn duty(&self) -> String {
        format!("janitor of {} below {}", self.stage, self.prefix.as_folder())
    }
}

/// Collects what crashes of one stage left behind.
#[derive(Debug)]
pub struct Janitor {
    pub(crate) settings: JanitorSettings,
    pub(crate) store: Arc<dyn ManifestStore>,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) metrics: Arc<JanitorMetrics>,
}

impl Janitor {
    /// A janitor of the objects in `blobs` that the stage's workers publish in `store`.
    pub fn new(
        settings: JanitorSettings,
        store: Arc<dyn ManifestStore>,
        blobs: Arc<dyn BlobStore>,
        metrics: Arc<JanitorMetrics>,
    ) -> Self {
        Self { settings, store, blobs, metrics }
    }

    /// Sweeps once; `None` when another janitor leads. Nobody else may have led a moment ago: see [`Janitor::run`].
    ///
    /// # Errors
    /// A store failed.
    pub async fn sweep(&self) -> Result<Option<Swept>, JanitorError> {
        match self.store.lead(&self.settings.duty()).await? {
            Some(mut leadership) => {
                let stop = CancellationToken::new();
                self.sweep_as(leadership.as_mut(), &stop).await.map(Some)
            }
            None => Ok(None),
        }
    }

    /// Sweeps once as the leader for [`JanitorSettings::duty`], until the end or until `stop` fires.
    ///
    /// # Errors
    /// A store failed, the leadership ended, or we were asked to stop.
    pub async fn sweep_as(
        &self,
        leadership: &mut dyn Leadership,
        stop: &CancellationToken,
    ) -> Result<Swept, JanitorError> {
        let swept = Sweep::new(self, leadership, stop, now()).run().await?;
        self.metrics.swept(now());
        Ok(swept)
    }

    /// Sweeps every interval, for the first time after a random part of it, as long as no other janitor leads. Failures
    /// are logged and do not end it.
    pub async fn run(self, stop: CancellationToken) {
        let mut leadership = None;
        let mut pause = self.settings.interval.mul_f64(random_share());
        while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
            pause = self.turn(&mut leadership, &stop).await;
            self.metrics.leads(leadership.is_some());
        }
        self.metrics.leads(false);
    }

    /// Leads or sweeps, and says when the next turn is.
    async fn turn(&self, leadership: &mut Option<Box<dyn Leadership>>, stop: &CancellationToken) -> Duration {
        let interval = self.settings.interval;
        if let Some(ours) = leadership.as_mut() {
            match self.sweep_as(ours.as_mut(), stop).await {
                Ok(swept) => self.report(swept),
                Err(JanitorError::Stopped) => {}
                Err(JanitorError::LeadershipLost) => *leadership = None,
                Err(error) => tracing::warn!(%error, "sweep failed, trying again"),
            }
            return if leadership.is_some() { interval } else { interval.min(STANDBY) };
        }
        match self.store.lead(&self.settings.duty()).await {
            Ok(gained) => *leadership = gained,
            Err(error) => tracing::warn!(%error, "asking for the janitor's duty failed, trying again"),
        }
        interval.min(if leadership.is_some() { HANDOVER } else { STANDBY })
    }

    fn report(&self, swept: Swept) {
        if swept == Swept::default() {
            return;
        }
        tracing::info!(
            stage = %self.settings.stage,
            orphans = swept.orphans,
            orphans.bytes = swept.orphan_bytes,
            claims = swept.claims,
            uploads = swept.uploads,
            "collected what crashes left"
        );
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "grace periods are hours, and a wrong clock costs repeated work only"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

/// From 0 to 1: replicas that start together do not sweep together.
fn random_share() -> f64 {
    let random = RandomState::new().hash_one(());
    f64::from((random >> 32) as u32) / f64::from(u32::MAX)
}
