//! Trying again.

use std::time::Duration;

use queue::{Entry, QueueError};
use tokio::time::sleep;

/// Of what the queue adapter has already tried a few times itself.
pub(super) const TRIES: u32 = 3;

/// Before the second try; before the third it is twice as long.
pub(super) const PAUSE: Duration = Duration::from_millis(500);

/// Calls with all entries, and again with those that failed in passing. The last answer to each, in order.
pub(super) async fn persistently<T: Clone>(
    entries: &[T],
    call: impl AsyncFn(&[T]) -> Result<Vec<Entry>, QueueError>,
) -> Vec<Entry> {
    let mut answers: Vec<Entry> =
        vec![Err(QueueError::Unavailable("not tried yet".to_owned())); entries.len()];
    for before in 0..TRIES {
        let open: Vec<_> = entries.iter().zip(&mut answers).filter(|(_, answer)| passes(answer)).collect();
        if open.is_empty() {
            break;
        }
        sleep(PAUSE * before).await;
        let asked: Vec<T> = open.iter().map(|(entry, _)| (*entry).clone()).collect();
        let answered = call(&asked).await.unwrap_or_else(|error| vec![Err(error); asked.len()]);
        for ((_, slot), answer) in open.into_iter().zip(answered) {
            *slot = answer;
        }
    }
    answers
}

fn passes(answer: &Entry) -> bool {
    matches!(answer, Err(QueueError::Unavailable(_)))
}

/// What ails the queue as a whole, if nothing of a batch succeeded for such a reason.
pub(super) fn outage(answers: &[Entry]) -> Option<&QueueError> {
    let ails = |answer: &Entry| match answer {
        Err(QueueError::Unavailable(_) | QueueError::Denied(_) | QueueError::Configuration(_)) => true,
        Err(QueueError::Lost(_) | QueueError::Invalid(_)) | Ok(()) => false,
    };
    let first = answers.first()?.as_ref().err()?;
    answers.iter().all(ails).then_some(first)
}
