//! Whether the queue answers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use queue::{Queue, QueueError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::rarely::Rarely;

/// Ready without an answer for so long. Longer than requests are held: a short outage is sat out here, in a long one
/// senders find other replicas, or find nobody and wait by themselves.
const FRESH: Duration = Duration::from_secs(30);

/// While nothing is sent, the queue is asked this often.
const INTERVAL: Duration = Duration::from_secs(5);

const PATIENCE: Duration = Duration::from_secs(4);

/// What was last known of the queue. `/livez` and `/healthz` depend on none of it.
#[derive(Debug, Clone)]
pub(crate) struct Health {
    known: Arc<Mutex<Known>>,
    warning: Arc<Rarely>,
    stopping: CancellationToken,
}

#[derive(Debug, Default)]
struct Known {
    answered: Option<Instant>,
    problem: Option<String>,
    /// The log says that it fails.
    warned: bool,
}

impl Health {
    pub(crate) fn new(stopping: CancellationToken) -> Self {
        Self { known: Arc::default(), warning: Arc::default(), stopping }
    }

    /// The queue took or said something.
    pub(crate) fn answered(&self) {
        let mut known = self.lock();
        known.answered = Some(Instant::now());
        known.problem = None;
        if std::mem::take(&mut known.warned) {
            tracing::info!("the queue answers again");
        }
    }

    /// The queue failed.
    pub(crate) fn failed(&self, error: &QueueError) {
        self.note(error.to_string());
    }

    fn note(&self, problem: String) {
        let mut known = self.lock();
        if let Some(withheld) = self.warning.pass() {
            tracing::warn!(%problem, withheld, "the queue fails: requests are held");
            known.warned = true;
        }
        known.problem = Some(problem);
    }

    /// The reason not to be ready, if there is one.
    pub(crate) fn problem(&self) -> Option<String> {
        if self.stopping.is_cancelled() {
            return Some("shutting down".to_owned());
        }
        let known = self.lock();
        if known.answered.is_some_and(|at| at.elapsed() < FRESH) {
            return None;
        }
        Some(known.problem.clone().unwrap_or_else(|| "the queue was not asked yet".to_owned()))
    }

    /// Asks the queue while nobody else does, until shut-down.
    pub(crate) async fn watch(self, queue: Arc<dyn Queue>) {
        loop {
            if self.lock().answered.is_none_or(|at| at.elapsed() >= INTERVAL) {
                let asked = tokio::time::timeout(PATIENCE, queue.depth());
                let Some(asked) = self.stopping.run_until_cancelled(asked).await else { return };
                match asked {
                    Ok(Ok(_)) => self.answered(),
                    Ok(Err(error)) => self.failed(&error),
                    Err(_) => self.note(format!("no answer within {PATIENCE:?}")),
                }
            }
            tokio::select! {
                () = self.stopping.cancelled() => return,
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn short_outages_are_no_reason_to_be_unready() {
        let stopping = CancellationToken::new();
        let health = Health::new(stopping.clone());
        assert!(health.problem().is_some(), "nothing is known yet");
        health.answered();
        health.failed(&QueueError::Unavailable("it burns".to_owned()));
        assert_eq!(health.problem(), None);
        tokio::time::advance(FRESH).await;
        assert_eq!(health.problem(), Some("queue unavailable: it burns".to_owned()));
        health.answered();
        assert_eq!(health.problem(), None);
        stopping.cancel();
        assert_eq!(health.problem(), Some("shutting down".to_owned()));
    }
}
