//! A sign of life.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// Beats as long as the engine's intake runs, be it that it waits for a slot, for room or for work: a probe of liveness
/// looks at its age. It depends on nothing outside of the process.
#[derive(Debug, Clone)]
pub struct Pulse {
    begun: Instant,
    last: Arc<AtomicU64>,
}

impl Default for Pulse {
    /// One that beats now, for the first time.
    fn default() -> Self {
        Self { begun: Instant::now(), last: Arc::default() }
    }
}

impl Pulse {
    /// How often it beats at least.
    pub(crate) const BEAT: Duration = Duration::from_secs(5);

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

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[tokio::test(start_paused = true)]
    async fn it_beats_for_as_long_as_something_is_waited_for() {
        let pulse = Pulse::default();
        let oldest = async {
            let mut oldest = Duration::ZERO;
            let until = Instant::now() + HOUR;
            while Instant::now() < until {
                tokio::time::sleep(Duration::from_millis(100)).await;
                oldest = oldest.max(pulse.age());
            }
            oldest
        };
        let oldest = tokio::select! {
            () = pulse.during(pending()) => unreachable!("it is never over"),
            oldest = oldest => oldest,
        };
        assert!(oldest <= Pulse::BEAT + Duration::from_millis(100), "{oldest:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_beats_where_nothing_turns() {
        let pulse = Pulse::default();
        assert_eq!(pulse.during(async { 7 }).await, 7);
        tokio::time::advance(HOUR).await;
        assert_eq!(pulse.age(), HOUR);
    }
}
