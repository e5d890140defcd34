//! Messages that are ours for a while.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use queue::{Entry, MAX_BATCH, Message, Queue, QueueError, Receipt};
use tokio::time::sleep;

use super::interrupt::Interrupt;
use super::persistence::{PAUSE, TRIES, persistently};
use crate::output;

/// A receive that waits asks all of SQS's servers, not only some.
const WAIT: Duration = Duration::from_secs(1);

/// Then there is no more: a queue of many servers may say so once though there is.
const EMPTY_IN_A_ROW: u32 = 2;

/// Bounds memory. SQS itself gives out no more than 120,000 at a time ("Amazon SQS message quotas" of its developer
/// guide).
const MOST_HELD: usize = 100_000;

/// The messages of a queue, received page by page and made visible again at the end, but for those that were deleted.
#[derive(Debug)]
pub(super) struct Borrowed<'q> {
    queue: &'q dyn Queue,
    hidden_for: Duration,
    interrupt: Interrupt,
    /// The last receipt for each message, by its id.
    held: HashMap<String, Receipt>,
}

impl<'q> Borrowed<'q> {
    pub(super) fn from(queue: &'q dyn Queue, hidden_for: Duration, interrupt: Interrupt) -> Self {
        Self { queue, hidden_for, interrupt, held: HashMap::new() }
    }

    /// Messages that are not held yet, `max` at most; nothing when there seem to be no more.
    pub(super) async fn next(&mut self, max: usize) -> anyhow::Result<Vec<Message>> {
        for _ in 0..EMPTY_IN_A_ROW {
            ensure!(!self.interrupt.came(), "interrupted");
            ensure!(self.held.len() < MOST_HELD, "{MOST_HELD} messages were looked at, which is the most");
            let mut messages = self.receive(max).await.context("receiving dead letters")?;
            // Those that came back although we hold them have a new receipt.
            messages.retain(|m| self.held.insert(m.id.clone(), m.receipt.clone()).is_none());
            if !messages.is_empty() {
                return Ok(messages);
            }
        }
        Ok(Vec::new())
    }

    async fn receive(&self, max: usize) -> Result<Vec<Message>, QueueError> {
        let mut tries = 1;
        loop {
            match self.queue.receive(max, WAIT, self.hidden_for).await {
                Err(QueueError::Unavailable(_)) if tries < TRIES => {
                    sleep(PAUSE * tries).await;
                    tries += 1;
                }
                answer => return answer,
            }
        }
    }

    /// Deletes messages for good. What was deleted is not given back.
    pub(super) async fn delete(&mut self, messages: &[Message]) -> Vec<Entry> {
        let receipts: Vec<_> = messages.iter().map(|message| message.receipt.clone()).collect();
        let queue = self.queue;
        let answers = persistently(&receipts, async |receipts| queue.delete(receipts).await).await;
        for (message, _) in messages.iter().zip(&answers).filter(|(_, answer)| answer.is_ok()) {
            self.held.remove(&message.id);
        }
        answers
    }

    /// Makes all that is still held visible. What cannot be comes back by itself, and a note says when.
    pub(super) async fn give_back(self) {
        let receipts: Vec<_> = self.held.into_values().collect();
        let mut pages = receipts.chunks(MAX_BATCH);
        let (mut hidden, mut why) = (0, None);
        for page in &mut pages {
            match self.queue.hide(page, Duration::ZERO).await {
                Ok(entries) => {
                    let failed: Vec<_> = entries.into_iter().filter_map(stays_hidden).collect();
                    hidden += failed.len();
                    why = failed.into_iter().next().or(why);
                }
                Err(error) => {
                    hidden += page.len();
                    why = Some(error);
                    // The next ones would only wait for a server that is away.
                    break;
                }
            }
        }
        hidden += pages.map(<[Receipt]>::len).sum::<usize>();
        if let Some(error) = why {
            let time = humantime::format_duration(self.hidden_for);
            output::note(format!("{hidden} messages stay hidden, for {time} at most: {error}"));
        }
    }
}

fn stays_hidden(answer: Entry) -> Option<QueueError> {
    match answer {
        // It came back before.
        Ok(()) | Err(QueueError::Lost(_)) => None,
        Err(error) => Some(error),
    }
}
