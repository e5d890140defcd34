//! Events, and beside them now and then a listing.

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{Delivery, PollingSource, QueueSource, Slots, SourceError, WorkSource};

/// The pause after a failed listing.
const PAUSE: Duration = Duration::from_secs(10);

/// A queue, and a sweep that lists the input against the manifest store: a lost event is only a delay.
#[derive(Debug)]
pub struct ReconciledSource {
    events: QueueSource,
    swept: Receiver<Delivery>,
    sweep: JoinHandle<()>,
}

impl ReconciledSource {
    /// Both; `sweep` polls for ever. Must be called within a runtime.
    pub fn new(events: QueueSource, sweep: PollingSource) -> Self {
        // One delivery waits in the channel and one before it: neither is claimed yet.
        let (sender, swept) = channel(1);
        Self { events, swept, sweep: tokio::spawn(feed(sweep, sender)) }
    }
}

impl Drop for ReconciledSource {
    fn drop(&mut self) {
        self.sweep.abort();
    }
}

async fn feed(mut sweep: PollingSource, swept: Sender<Delivery>) {
    let slots = Slots::new(1);
    loop {
        match sweep.next(&slots).await {
            Ok(Some(delivery)) => {
                if swept.send(delivery).await.is_err() {
                    return;
                }
            }
            Ok(None) => return,
            Err(error) => {
                tracing::warn!(%error, "reconciling failed, trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

#[async_trait]
impl WorkSource for ReconciledSource {
    async fn next(&mut self, slots: &Slots) -> Result<Option<Delivery>, SourceError> {
        tokio::select! {
            Some(delivery) = self.swept.recv() => Ok(Some(delivery)),
            delivery = self.events.next(slots) => delivery,
        }
    }

    fn stop(&mut self) {
        self.sweep.abort();
        self.events.stop();
    }

    async fn finish(&mut self, patience: &CancellationToken) {
        self.events.finish(patience).await;
    }
}
