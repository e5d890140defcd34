//! Slots: how much is worked on at once, and how much more could be.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// The slots of an engine. Clones share them.
#[derive(Debug, Clone)]
pub struct Slots {
    all: usize,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    free: Arc<Semaphore>,
    freed: Notify,
}

/// A slot that is taken, until this is dropped.
#[derive(Debug)]
pub(super) struct Slot {
    permit: Option<OwnedSemaphorePermit>,
    shared: Arc<Shared>,
}

impl Slots {
    /// So many, all free.
    pub fn new(all: usize) -> Self {
        let free = Arc::new(Semaphore::new(all));
        Self { all, shared: Arc::new(Shared { free, freed: Notify::new() }) }
    }

    /// Waits for a free one.
    pub(super) async fn take(&self) -> Slot {
        let permit = Arc::clone(&self.shared.free).acquire_owned().await;
        Slot {
            permit: Some(permit.expect("the semaphore is never closed")),
            shared: Arc::clone(&self.shared),
        }
    }

    /// Deliveries that could be worked on from now: whoever asks a source holds a slot already.
    pub fn room(&self) -> usize {
        1 + self.shared.free.available_permits()
    }

    /// Waits until half of the slots are free or `most` of them, or until `patience` ends: what asks others for work
    /// asks for some at once.
    pub(crate) async fn gather(&self, most: usize, patience: Duration) {
        let enough = most.min(self.all.div_ceil(2));
        let gathered = async {
            loop {
                let freed = self.shared.freed.notified();
                if self.room() >= enough {
                    return;
                }
                freed.await;
            }
        };
        // Either way it is time to ask.
        tokio::time::timeout(patience, gathered).await.ok();
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        drop(self.permit.take());
        self.shared.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::iter;

    use futures::FutureExt as _;
    use futures::future::join_all;
    use tokio::time::Instant;

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(250);

    #[tokio::test(start_paused = true)]
    async fn half_of_the_slots_are_gathered_or_patience_ends() {
        let slots = Slots::new(8);
        let mut taken = join_all(iter::repeat_with(|| slots.take()).take(8)).await;
        assert!(slots.take().now_or_never().is_none());
        let begun = Instant::now();
        slots.gather(10, PATIENCE).await;
        assert_eq!(begun.elapsed(), PATIENCE);

        // Who asks holds one; the fourth comes with the third that is given back.
        let gathering = tokio::spawn({
            let slots = slots.clone();
            async move { slots.gather(10, PATIENCE).await }
        });
        for given_back in 1..=3 {
            tokio::task::yield_now().await;
            assert!(!gathering.is_finished(), "{given_back}");
            taken.pop();
        }
        gathering.await.expect("no panic");
        assert_eq!((slots.room(), begun.elapsed()), (4, PATIENCE));
    }

    #[tokio::test]
    async fn nothing_is_gathered_where_there_is_enough() {
        let slots = Slots::new(100);
        let _nine_left = join_all(iter::repeat_with(|| slots.take()).take(91)).await;
        assert!(slots.gather(10, PATIENCE).now_or_never().is_some());
        let one = Slots::new(1);
        let _taken = one.take().await;
        assert!(one.gather(10, PATIENCE).now_or_never().is_some());
    }
}
