//! The one pool for CPU work: tokio's threads never compute.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::sync::oneshot;
use tracing::Span;

/// The work panicked. Its message is in the log.
#[derive(Debug, thiserror::Error)]
#[error("the work panicked")]
pub struct Panicked;

/// A pool with one thread per core (or as many as asked for).
#[derive(Debug, Clone)]
pub struct CpuPool {
    pool: Arc<rayon::ThreadPool>,
}

impl CpuPool {
    /// A pool of `threads`; 0 means one per core.
    ///
    /// # Errors
    /// The platform refuses to start threads.
    pub fn new(threads: usize) -> std::io::Result<Self> {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|n| format!("cpu-{n}"))
            .build()
            .map(|pool| Self { pool: Arc::new(pool) })
            .map_err(std::io::Error::other)
    }

    /// How many threads compute.
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    /// Runs `work` on the pool. It cannot be interrupted: when the returned future is dropped, the work still
    /// ends, its result is thrown away, and what it owns is dropped with it.
    pub async fn run<T, F>(&self, work: F) -> Result<T, Panicked>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        self.spawn(move || {
            if sender.send(work()).is_err() {
                tracing::debug!("nobody waits for this result any more");
            }
        });
        receiver.await.map_err(|_| Panicked)
    }

    /// Runs `work` on the pool, after what was spawned before. Nobody hears of a panic.
    pub fn spawn(&self, work: impl FnOnce() + Send + 'static) {
        let span = Span::current();
        self.pool.spawn_fifo(move || {
            // Its message is in the log; what it owned is dropped, and whoever waits for that hears so.
            drop(span.in_scope(|| catch_unwind(AssertUnwindSafe(work))));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_an_error_and_the_pool_lives_on() {
        let pool = CpuPool::new(1).expect("a thread starts");
        assert!(pool.run(|| panic!("expected in this test")).await.is_err());
        assert_eq!(pool.run(|| 6 * 7).await.expect("no panic"), 42);
    }
}
