//! Outages: the place is broken, not the work. Intake pauses until the stores answer again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use manifest_store::ManifestStore;
use object_storage::BlobStore;
use tokio::time::Instant;
use types::S3Uri;

/// The first pause after an outage was seen; doubled while nothing succeeds.
const FIRST: Duration = Duration::from_secs(1);
/// The longest one.
const LONGEST: Duration = Duration::from_secs(5);
/// How long the stores may take to prove that they are back.
const PATIENCE: Duration = Duration::from_secs(10);

/// A circuit breaker over everything that work depends on.
#[derive(Debug, Default)]
pub(super) struct Outages {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    successes: u64,
    /// Since the last success.
    strikes: u32,
    closed_until: Option<Instant>,
}

/// What had succeeded when an attempt began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark(u64);

impl Outages {
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn mark(&self) -> Mark {
        Mark(self.with(|state| state.successes))
    }

    /// Some work went well, so the place is fine.
    pub(super) fn success(&self) {
        self.with(|state| *state = State { successes: state.successes + 1, ..State::default() });
    }

    /// Whether other work went well since then: what failed meanwhile failed by itself.
    pub(super) fn others_succeed_since(&self, mark: Mark) -> bool {
        self.with(|state| state.successes > mark.0)
    }

    /// Work met an outage: intake pauses. Answers for how long at least.
    pub(super) fn strike(&self) -> Duration {
        self.with(|state| {
            let pause = FIRST.saturating_mul(1 << state.strikes.min(8)).min(LONGEST);
            state.strikes += 1;
            state.closed_until = Some(Instant::now() + pause);
            pause
        })
    }

    /// Waits for the end of the pause, then until the stores answer.
    pub(super) async fn wait(&self, store: &dyn ManifestStore, places: &[(&dyn BlobStore, &S3Uri)]) {
        let Some(mut until) = self.with(|state| state.closed_until) else { return };
        let begun = Instant::now();
        let mut told = false;
        loop {
            tokio::time::sleep_until(until).await;
            match tokio::time::timeout(PATIENCE, probe(store, places)).await {
                Ok(Ok(())) => break,
                Ok(Err(problem)) if !told => tracing::warn!(%problem, "intake paused"),
                Err(_) if !told => tracing::warn!("intake paused: the stores do not answer"),
                Ok(Err(_)) | Err(_) => {}
            }
            told = true;
            until = Instant::now() + LONGEST;
        }
        if told {
            tracing::info!(paused.seconds = begun.elapsed().as_secs(), "intake resumed");
        }
        self.with(|state| state.closed_until = None);
    }
}

/// Whether everything that work depends on answers; the error is for people.
async fn probe(store: &dyn ManifestStore, places: &[(&dyn BlobStore, &S3Uri)]) -> Result<(), String> {
    store.ping().await.map_err(|error| error.to_string())?;
    for (blobs, prefix) in places {
        blobs.check(prefix).await.map_err(|error| error.to_string())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit_and_a_success_ends_them() {
        let outages = Outages::default();
        let pauses: Vec<_> = (0..5).map(|_| outages.strike().as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 5, 5]);
        outages.success();
        assert_eq!(outages.strike().as_secs(), 1);
    }

    #[test]
    fn only_successes_after_the_mark_count() {
        let outages = Outages::default();
        outages.success();
        let mark = outages.mark();
        assert!(!outages.others_succeed_since(mark));
        outages.success();
        assert!(outages.others_succeed_since(mark));
    }
}
