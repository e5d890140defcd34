//! Moving between queues that have troubles of their own.

use std::sync::Mutex;

use async_trait::async_trait;
use queue::{Depth, Entry, MemoryQueue, Receipt};

use super::*;

/// The queue's troubles, each with how many calls still meet it.
#[derive(Debug, Default, Clone, Copy)]
struct Troubles {
    /// `send` as a whole fails.
    away: u32,
    /// `send` does not take its first body, in passing.
    busy: u32,
    /// `delete` as a whole fails.
    locked: u32,
}

#[derive(Debug, Default)]
struct Troubled {
    inner: MemoryQueue,
    troubles: Mutex<Troubles>,
    /// A body that it never takes.
    refused: Option<&'static str>,
}

impl Troubled {
    fn with(troubles: Troubles) -> Self {
        Self { troubles: Mutex::new(troubles), ..Self::default() }
    }

    fn meets(&self, trouble: fn(&mut Troubles) -> &mut u32) -> bool {
        let mut troubles = self.troubles.lock().expect("no test panics with it");
        let left = trouble(&mut troubles);
        let meets = *left > 0;
        *left = left.saturating_sub(1);
        meets
    }
}

fn unavailable() -> QueueError {
    QueueError::Unavailable("made by a test".to_owned())
}

#[async_trait]
impl Queue for Troubled {
    async fn receive(
        &self,
        max: usize,
        wait: Duration,
        visibility: Duration,
    ) -> Result<Vec<Message>, QueueError> {
        self.inner.receive(max, wait, visibility).await
    }

    async fn delete(&self, receipts: &[Receipt]) -> Result<Vec<Entry>, QueueError> {
        if self.meets(|troubles| &mut troubles.locked) {
            return Err(unavailable());
        }
        self.inner.delete(receipts).await
    }

    async fn hide(&self, receipts: &[Receipt], visibility: Duration) -> Result<Vec<Entry>, QueueError> {
        self.inner.hide(receipts, visibility).await
    }

    async fn send(&self, bodies: &[String]) -> Result<Vec<Entry>, QueueError> {
        if self.meets(|troubles| &mut troubles.away) {
            return Err(unavailable());
        }
        let mut busy = self.meets(|troubles| &mut troubles.busy);
        let mut answers = Vec::new();
        for body in bodies {
            let answer = if std::mem::take(&mut busy) {
                Err(unavailable())
            } else if self.refused == Some(body.as_str()) {
                Err(QueueError::Invalid("made by a test".to_owned()))
            } else {
                self.inner.send(std::slice::from_ref(body)).await?.remove(0)
            };
            answers.push(answer);
        }
        Ok(answers)
    }

    async fn depth(&self) -> Result<Depth, QueueError> {
        self.inner.depth().await
    }
}

async fn fill(queue: &dyn Queue, bodies: &[&str]) -> anyhow::Result<()> {
    let bodies: Vec<String> = bodies.iter().map(ToString::to_string).collect();
    for page in bodies.chunks(MAX_BATCH) {
        for answer in queue.send(page).await? {
            answer?;
        }
    }
    Ok(())
}

/// The visible ones.
async fn bodies(queue: &dyn Queue) -> anyhow::Result<Vec<String>> {
    let mut bodies = Vec::new();
    loop {
        let messages = queue.receive(MAX_BATCH, Duration::ZERO, HIDDEN_FOR).await?;
        if messages.is_empty() {
            bodies.sort_unstable();
            return Ok(bodies);
        }
        bodies.extend(messages.into_iter().map(|message| message.body));
    }
}

/// As `run` does it.
async fn move_all(work: &dyn Queue, dead: &dyn Queue) -> anyhow::Result<(Outcome, anyhow::Result<()>)> {
    let there = dead.depth().await?.visible;
    let mut borrowed = Borrowed::from(dead, HIDDEN_FOR, Interrupt::default());
    let mut mover = Mover::new(work, false, ProgressBar::hidden());
    let ended = mover.all(&mut borrowed, there).await;
    borrowed.give_back().await;
    Ok((mover.outcome, ended))
}

#[tokio::test(start_paused = true)]
async fn what_a_busy_queue_did_not_take_is_sent_again_and_the_rest_once() -> anyhow::Result<()> {
    let work = Troubled::with(Troubles { busy: 2, ..Troubles::default() });
    let dead = MemoryQueue::new();
    fill(&dead, &["a", "b", "c"]).await?;
    let (outcome, ended) = move_all(&work, &dead).await?;
    ended?;
    assert!(outcome.is_good() && outcome.redriven == 3 && !outcome.more, "{outcome:?}");
    assert_eq!(bodies(&work).await?, ["a", "b", "c"]);
    assert_eq!(dead.depth().await?, Depth::default());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_the_work_queue_refuses_stays_and_the_rest_is_moved() -> anyhow::Result<()> {
    let work = Troubled { refused: Some("bad"), ..Troubled::default() };
    let dead = MemoryQueue::new();
    fill(&dead, &["a", "bad", "c"]).await?;
    let (outcome, ended) = move_all(&work, &dead).await?;
    ended?;
    assert_eq!((outcome.redriven, outcome.failed.len()), (2, 1), "{outcome:?}");
    assert!(!outcome.is_good());
    assert_eq!(bodies(&work).await?, ["a", "c"]);
    assert_eq!(bodies(&dead).await?, ["bad"], "not there, or not visible");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_work_queue_that_is_away_ends_it_and_nothing_is_lost() -> anyhow::Result<()> {
    // More than one page, and each call fails: the second page is not tried.
    let work = Troubled::with(Troubles { away: u32::MAX, ..Troubles::default() });
    let dead = MemoryQueue::new();
    let letters: Vec<String> = (10..25).map(|number| number.to_string()).collect();
    fill(&dead, &letters.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    let (outcome, ended) = move_all(&work, &dead).await?;
    let error = ended.expect_err("nothing could be sent");
    assert!(format!("{error:#}").starts_with("sending to the work queue: "), "{error:#}");
    assert_eq!(outcome.redriven, 0);
    let left = work.troubles.lock().expect("no test panics with it").away;
    assert_eq!(u32::MAX - left, 3, "tries");
    assert_eq!(bodies(&dead).await?, letters, "not there, or not visible");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_passes_is_outlasted() -> anyhow::Result<()> {
    let work = Troubled::with(Troubles { away: 2, ..Troubles::default() });
    let dead = Troubled::with(Troubles { locked: 2, ..Troubles::default() });
    fill(&dead, &["a", "b"]).await?;
    let (outcome, ended) = move_all(&work, &dead).await?;
    ended?;
    assert!(outcome.is_good() && outcome.redriven == 2, "{outcome:?}");
    assert_eq!(bodies(&work).await?, ["a", "b"]);
    assert_eq!(dead.depth().await?, Depth::default());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_and_could_not_be_deleted_is_said_to_be_in_both_queues() -> anyhow::Result<()> {
    let work = MemoryQueue::new();
    let dead = Troubled::with(Troubles { locked: u32::MAX, ..Troubles::default() });
    fill(&dead, &["a"]).await?;
    let (outcome, ended) = move_all(&work, &dead).await?;
    let error = ended.expect_err("nothing could be deleted");
    assert!(format!("{error:#}").starts_with("deleting dead letters: "), "{error:#}");
    assert_eq!(outcome.redriven, 0);
    assert!(outcome.failed.iter().all(|failed| failed.error.contains("both queues")), "{outcome:?}");
    assert_eq!(
        (outcome.failed.len(), bodies(&work).await?, bodies(&dead).await?.len()),
        (1, vec!["a".to_owned()], 1)
    );
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn messages_that_come_back_at_once_do_not_keep_it_going() -> anyhow::Result<()> {
    // Every message that is sent is a dead letter at once.
    let both = MemoryQueue::new();
    let letters: Vec<String> = (10..35).map(|number| number.to_string()).collect();
    fill(&both, &letters.iter().map(String::as_str).collect::<Vec<_>>()).await?;
    let (outcome, ended) = move_all(&both, &both).await?;
    ended?;
    assert!(outcome.redriven == 25 && outcome.more, "{outcome:?}");
    assert_eq!(bodies(&both).await?, letters, "not there, or not visible");
    Ok(())
}
