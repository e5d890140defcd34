//! Keeps messages hidden while we have them.

use std::sync::Arc;
use std::time::Duration;

use ::queue::{MAX_BATCH, Queue, QueueError, Receipt};
use futures::{StreamExt, stream};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::answers::answered;
use super::held::{Held, MessageNumber};
use crate::{Event, MessageFate, Observer};

/// Batches under way at once.
const PARALLEL: usize = 8;

/// What is kept, and how.
#[derive(Debug)]
pub(super) struct Keeping {
    pub(super) queue: Arc<dyn Queue>,
    pub(super) held: Arc<Held>,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) visibility: Duration,
    /// Nobody else hides or shows messages while we do.
    pub(super) order: Arc<Mutex<()>>,
}

/// Hides everything that is held anew, every third of its time, from its receipt on and until stopped.
#[derive(Debug)]
pub(super) struct Keeper {
    task: JoinHandle<()>,
}

impl Keeper {
    pub(super) fn start(keeping: Keeping) -> Self {
        Self { task: tokio::spawn(async move { keeping.keep_on().await }) }
    }

    pub(super) fn stop(&self) {
        self.task.abort();
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Keeping {
    async fn keep_on(&self) {
        let beat = self.visibility / 3;
        loop {
            tokio::time::sleep(beat).await;
            let _order = self.order.lock().await;
            // What does not get through in time is tried again: a message that comes back meanwhile finds its work
            // claimed.
            if tokio::time::timeout(beat, self.keep()).await.is_err() {
                tracing::warn!("messages are not kept hidden: the queue does not answer");
            }
        }
    }

    async fn keep(&self) {
        let receipts = self.held.receipts();
        let batches: Vec<&[(MessageNumber, Receipt)]> = receipts.chunks(MAX_BATCH).collect();
        stream::iter(batches).for_each_concurrent(PARALLEL, |batch| self.keep_batch(batch)).await;
    }

    async fn keep_batch(&self, batch: &[(MessageNumber, Receipt)]) {
        let receipts: Vec<_> = batch.iter().map(|(_, receipt)| receipt.clone()).collect();
        let entries = answered(self.queue.hide(&receipts, self.visibility).await, batch.len());
        let mut failed = None;
        for ((number, receipt), entry) in batch.iter().zip(entries) {
            match entry {
                Ok(()) => {}
                Err(QueueError::Lost(_)) => {
                    if self.held.lose(*number, receipt) {
                        self.observer.observe(&Event::Message(MessageFate::Lost));
                    }
                }
                Err(error) => failed = Some(error),
            }
        }
        if let Some(error) = failed {
            tracing::warn!(%error, "messages not kept hidden");
        }
    }
}
