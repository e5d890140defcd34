//! A sign of life.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Beats as long as the engine's intake runs, be it that it waits for a slot, for room or for work: a probe of liveness
/// looks at its age. It depends on nothing outside of the process.
#[derive(Debug, Clone)]
pub struct Pulse {
    begun: Instant,
    last: Arc<AtomicU64>,
}

impl Pulse {
    /// How often it beats at least.
    pub(crate) const BEAT: Duration = Duration::from_secs(5);

    pub(crate) fn new() -> Self {
        Self { begun: Instant::now(), last: Arc::default() }
    }

    pub(crate) fn beat(&self) {
        let now = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Relaxed);
    }

    /// Since the last beat.
    pub fn age(&self) -> Duration {
        self.begun.elapsed().saturating_sub(Duration::from_millis(self.last.load(Ordering::Relaxed)))
    }

    /// Beats while `waiting` goes on.
    pub(crate) async fn during<T>(&self, waiting: impl Future<Output = T>) -> T {
        let mut waiting = std::pin::pin!(waiting);
        loop {
            self.beat();
            if let Ok(result) = tokio::time::timeout(Self::BEAT, &mut waiting).await {
                return result;
            }
        }
    }
}
