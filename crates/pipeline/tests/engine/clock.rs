//! Tokio's clock, stopped.

use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use crate::bench::PATIENCE;

/// Time that passes only when the test says so, for everything that sleeps by tokio; the stores' threads go on.
pub(crate) struct StoppedClock {
    _blocks: Sender<()>,
}

impl StoppedClock {
    /// Stops it, in a runtime of one thread.
    pub(crate) fn stop() -> Self {
        tokio::time::pause();
        let (blocks, ends) = channel::<()>();
        // While something blocks, tokio does not move the clock by itself when every task waits.
        tokio::task::spawn_blocking(move || ends.recv().ok());
        Self { _blocks: blocks }
    }

    /// Lets time pass.
    pub(crate) async fn advance(&self, by: Duration) {
        tokio::time::advance(by).await;
    }

    /// Looks until it is so, while the clock stands still.
    pub(crate) async fn until(&self, what: &str, look: impl Fn() -> bool) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !look() {
            anyhow::ensure!(Instant::now() < deadline, "waited in vain until {what}");
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

impl Drop for StoppedClock {
    fn drop(&mut self) {
        tokio::time::resume();
    }
}
