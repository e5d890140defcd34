//! The loop: a slot, stores that answer, a disk with room, then a delivery, then a task that sees it through.

use std::time::{Duration, Instant};

use object_storage::ObjectSummary;
use staging::StagingError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use types::Disposition;

use super::attempt::{Answer, Ended};
use super::{Engine, Patience, Slots};
use crate::source::queue::current;
use crate::{Delivery, Ending, Event, IgnoreReason, SourceError, WorkSource};

/// How often the disk is looked at while there is work, and while it is full.
const DISK_LOOK: Duration = Duration::from_secs(1);

/// The longest pause after failures of the source.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A source that stays broken is complained about no more often than this.
const COMPLAINTS: Duration = Duration::from_secs(30);

/// An object that changes again and again while we run after it gets another event.
const MOST_SUCCESSORS: usize = 3;

/// What the intake remembers from round to round.
#[derive(Default)]
struct Rounds {
    failures: u32,
    complained: Option<Instant>,
    looked_at_disk: Option<Instant>,
}

impl Engine {
    // Cancel safety: a delivery is handed to its task without an await in between, so dropping this loses none.
    pub(super) async fn take_in(
        &self,
        source: &mut dyn WorkSource,
        tasks: &TaskTracker,
        work: &CancellationToken,
    ) -> Result<(), SourceError> {
        let slots = Slots::new(self.settings.slots);
        let mut rounds = Rounds::default();
        loop {
            let slot = self.pulse.during(slots.take()).await;
            self.pulse.during(self.wait_for_stores()).await;
            self.pulse.during(self.wait_for_room(&mut rounds.looked_at_disk)).await;
            match self.pulse.during(source.next(&slots)).await {
                Ok(Some(delivery)) => {
                    if std::mem::take(&mut rounds.failures) > 0 {
                        tracing::info!("receiving work again");
                    }
                    let (engine, work) = (self.clone(), work.child_token());
                    tasks.spawn(async move {
                        engine.see_through(delivery, work).await;
                        drop(slot);
                    });
                }
                Ok(None) => return Ok(()),
                Err(error) => self.pulse.during(self.after_source_failure(error, &mut rounds)).await?,
            }
        }
    }

    async fn wait_for_stores(&self) {
        let Patience::Service { input, output } = &self.settings.patience else { return };
        let backends = &self.backends;
        let places = [(backends.input.as_ref(), input), (backends.output.as_ref(), output)];
        self.outages.wait(backends.store.as_ref(), &places).await;
    }

    /// A full or missing disk pauses intake; it does not fail work. Looking writes to the disk, so a good answer
    /// holds for a while.
    async fn wait_for_room(&self, last_look: &mut Option<Instant>) {
        if last_look.is_some_and(|looked| looked.elapsed() < DISK_LOOK) {
            return;
        }
        let mut told = false;
        while let Err(error) = self.look_at_disk().await {
            if !told {
                tracing::warn!(%error, "intake paused");
                told = true;
            }
            tokio::time::sleep(DISK_LOOK).await;
        }
        if told {
            tracing::info!("intake resumed");
        }
        *last_look = Some(Instant::now());
    }

    async fn look_at_disk(&self) -> Result<(), StagingError> {
        let staging = self.backends.staging.clone();
        let looked = tokio::task::spawn_blocking(move || staging.readiness()).await;
        // It does not panic; the runtime may be going away under us.
        looked.unwrap_or(Ok(()))
    }

    async fn after_source_failure(&self, error: SourceError, rounds: &mut Rounds) -> Result<(), SourceError> {
        rounds.failures += 1;
        let backoff = self.settings.backoff.saturating_mul(rounds.failures);
        let (pause, hopeless) = match error.disposition() {
            Disposition::Retry { after } | Disposition::Outage { after } => (after.min(backoff), false),
            Disposition::Reject(_) => (backoff, true),
            Disposition::Cancelled | Disposition::Unknown => (backoff, false),
        };
        match self.settings.patience {
            Patience::Run { source_failures } if hopeless || rounds.failures >= source_failures => {
                return Err(error);
            }
            Patience::Run { .. } | Patience::Service { .. } => {}
        }
        if rounds.failures == 1 || rounds.complained.is_none_or(|at| at.elapsed() >= COMPLAINTS) {
            tracing::warn!(%error, failures = rounds.failures, "no work received, trying again");
            rounds.complained = Some(Instant::now());
        }
        tokio::time::sleep(pause.min(LONGEST_PAUSE)).await;
        Ok(())
    }

    async fn see_through(&self, mut delivery: Delivery, work: CancellationToken) {
        self.observer.observe(&Event::Started { object: &delivery.object });
        let mut ended = self.attempt(&delivery.object, work.child_token()).await;
        for _ in 0..MOST_SUCCESSORS {
            match self.successor(&delivery, &ended.0).await {
                Ok(None) => break,
                Ok(Some(successor)) => {
                    delivery.object = successor;
                    ended = self.attempt(&delivery.object, work.child_token()).await;
                }
                Err(again) => {
                    ended = again;
                    break;
                }
            }
        }
        let (ending, answer) = ended;
        self.observer.observe(&Event::Finished { object: &delivery.object, ending: &ending });
        match answer {
            Answer::Ack => delivery.ack().await,
            Answer::Again(after) => delivery.nack(after).await,
        }
    }

    /// The object that took the place of the one that a delivery with a trail was about, if there is one.
    async fn successor(&self, delivery: &Delivery, ending: &Ending) -> Result<Option<ObjectSummary>, Ended> {
        let (Some(trail), Ending::Ignored(IgnoreReason::Superseded)) = (&delivery.trail, ending) else {
            return Ok(None);
        };
        match current(&delivery.object.object.uri, trail, self.backends.input.as_ref()).await {
            Ok(found) => Ok(found.filter(|found| found.object != delivery.object.object)),
            Err(error) => {
                tracing::warn!(object = %delivery.object.object, %error, "its successor cannot be looked up, trying again");
                Err((Ending::HandedBack, Answer::Again(self.outages.strike())))
            }
        }
    }
}
