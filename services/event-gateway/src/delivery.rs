//! Onto the queue.

use std::slice;
use std::sync::Arc;
use std::time::Duration;

use queue::{Queue, QueueError};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::answer::Outcome;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::parcel::{Content, Parcel};
use crate::poison;
use crate::rarely::Rarely;

/// The first pause after a failed call; doubled after each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Sends parcels, again and again while the queue is away.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) queue: Arc<dyn Queue>,
    /// How long a parcel is tried.
    pub(crate) hold: Duration,
    pub(crate) health: Health,
    pub(crate) metrics: Arc<Metrics>,
    /// No more waiting: the process ends.
    pub(crate) hurry: CancellationToken,
    pub(crate) refusals: Rarely,
}

/// Where a message ended up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    /// On the queue.
    AsItIs,
    /// The queue refused it; it is there as poison.
    AsPoison,
}

/// The queue did not take it in time.
#[derive(Debug)]
struct Unavailable;

impl Delivery {
    /// How the request of this parcel ends. When part of a parcel is on the queue and the rest is not, the sender
    /// repeats it all: the queue may hold events twice, as it may anyway.
    pub(crate) async fn deliver(&self, parcel: &Parcel) -> Outcome {
        let timer = self.metrics.send_seconds.start_timer();
        let deadline = Instant::now() + self.hold;
        let mut outcome = parcel.outcome();
        for message in &parcel.messages {
            match self.send(message, deadline).await {
                Ok(Sent::AsItIs) => {}
                Ok(Sent::AsPoison) => outcome = Outcome::Poison,
                Err(Unavailable) => {
                    timer.stop_and_discard();
                    return Outcome::Unavailable;
                }
            }
        }
        timer.observe_duration();
        if let (Content::Events { created, removed, other }, Outcome::Accepted) = (parcel.content, outcome) {
            self.metrics.count_events(created, removed, other);
        }
        outcome
    }

    async fn send(&self, message: &String, deadline: Instant) -> Result<Sent, Unavailable> {
        match self.persist(message, deadline).await? {
            Ok(()) => return Ok(Sent::AsItIs),
            Err(Refused) => self.complain(),
        }
        let poison = poison::of_refused(message);
        match self.persist(&poison, deadline).await? {
            Ok(()) => Ok(Sent::AsPoison),
            Err(Refused) => Err(Unavailable),
        }
    }

    /// Tries until the queue takes or refuses it.
    async fn persist(&self, message: &String, deadline: Instant) -> Result<Result<(), Refused>, Unavailable> {
        let mut pause = FIRST_PAUSE;
        loop {
            let answer = timeout_at(deadline, self.once(message));
            // Cancel safety: the queue may have it or not, and the sender will repeat it.
            let answer = self.hurry.run_until_cancelled(answer).await.ok_or(Unavailable)?;
            match answer {
                Ok(Ok(())) => {
                    self.health.answered();
                    return Ok(Ok(()));
                }
                Ok(Err(QueueError::Invalid(_))) => return Ok(Err(Refused)),
                Ok(Err(error)) => self.health.failed(&error),
                Err(_) => self.health.failed(&QueueError::Unavailable("no answer in time".to_owned())),
            }
            let next = Instant::now() + jittered(pause);
            if next >= deadline {
                return Err(Unavailable);
            }
            self.hurry.run_until_cancelled(tokio::time::sleep_until(next)).await.ok_or(Unavailable)?;
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    async fn once(&self, message: &String) -> Result<(), QueueError> {
        let answers = self.queue.send(slice::from_ref(message)).await?;
        let silent = || Err(QueueError::Unavailable("no answer for the message".to_owned()));
        answers.into_iter().next().unwrap_or_else(silent)
    }

    fn complain(&self) {
        if let Some(withheld) = self.refusals.pass() {
            tracing::error!(
                withheld,
                "the queue refuses a message for what it is; is its MaximumMessageSize too small?"
            );
        }
    }
}

/// The queue will never take it.
#[derive(Debug)]
struct Refused;

/// Half of it to all of it, so that requests that were held together do not come back together.
fn jittered(pause: Duration) -> Duration {
    let [random, ..] = Uuid::new_v4().into_bytes();
    pause.mul_f64(0.5 + f64::from(random) / 512.0)
}
