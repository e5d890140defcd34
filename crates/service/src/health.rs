//! Readiness: whether this instance could do work now.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use manifest_store::ManifestStore;
use object_storage::BlobStore;
use pipeline::Pulse;
use staging::StagingArea;
use tokio_util::sync::CancellationToken;
use types::S3Uri;

/// The engine beats every few seconds, whatever it waits for.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);
const INTERVAL: Duration = Duration::from_secs(5);
const PATIENCE: Duration = Duration::from_secs(4);

/// What was last known of everything that work needs. Liveness depends on none of it.
#[derive(Debug, Clone)]
pub(crate) struct Health {
    staging: StagingArea,
    problem: Arc<Mutex<Option<String>>>,
    stopping: CancellationToken,
    pulse: Pulse,
}

impl Health {
    pub(crate) fn new(staging: StagingArea, stopping: CancellationToken, pulse: Pulse) -> Self {
        let problem = Arc::new(Mutex::new(Some("starting".to_owned())));
        Self { staging, problem, stopping, pulse }
    }

    /// Whether the engine still turns. Depends on nothing outside of the process: a restart would not help there.
    pub(crate) fn is_alive(&self) -> bool {
        self.pulse.age() < LONGEST_SILENCE
    }

    /// The reason not to be ready, if there is one.
    pub(crate) fn problem(&self) -> Option<String> {
        if self.stopping.is_cancelled() {
            return Some("shutting down".to_owned());
        }
        if let Err(error) = self.staging.readiness() {
            return Some(error.to_string());
        }
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks the stores again and again, so that a probe costs nothing.
    pub(crate) async fn watch(
        self,
        store: Arc<dyn ManifestStore>,
        blobs: Arc<dyn BlobStore>,
        prefixes: [S3Uri; 2],
    ) {
        loop {
            let asked = tokio::time::timeout(PATIENCE, ask(&*store, &*blobs, &prefixes));
            // A store that is silent must not hold up the end of the process.
            let Some(asked) = self.stopping.run_until_cancelled(asked).await else { return };
            let silent = |_| Some("the manifest store or the object store does not answer".to_owned());
            self.note(asked.unwrap_or_else(silent));
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }

    fn note(&self, problem: Option<String>) {
        let mut known = self.problem.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != problem {
            match &problem {
                Some(problem) => tracing::warn!(%problem, "not ready"),
                None => tracing::info!("ready"),
            }
            *known = problem;
        }
    }
}

async fn ask(store: &dyn ManifestStore, blobs: &dyn BlobStore, prefixes: &[S3Uri]) -> Option<String> {
    if let Err(error) = store.ping().await {
        return Some(error.to_string());
    }
    for prefix in prefixes {
        if let Err(error) = blobs.check(prefix).await {
            return Some(error.to_string());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use staging::StagingConfig;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_minute_without_a_beat_is_the_end_of_life_and_nothing_else_is() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let config = StagingConfig { root: folder.path().to_owned(), quota: None, min_free: u64::MAX };
        let staging = StagingArea::open(config).await?;
        let health = Health::new(staging, CancellationToken::new(), Pulse::default());
        assert!(health.problem().is_some(), "no store was asked, and no disk has so much room");
        tokio::time::advance(LONGEST_SILENCE - Duration::from_millis(1)).await;
        assert!(health.is_alive());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!health.is_alive());
        Ok(())
    }
}
