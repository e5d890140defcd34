//! The reference adapter: a queue in memory, for tests that ask for it by name.

use std::collections::HashSet;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use crate::limits::{MAX_WAIT, check_batch, check_body, visibility_seconds};
use crate::{Depth, Entry, Message, Queue, QueueError, Receipt};

/// A standard SQS queue in memory: deliveries end, messages come back and become dead letters.
///
/// Time is tokio's, so it stands still where a test pauses that. Messages come in the order in which they were sent,
/// and do not say when that was. A stale receipt deletes nothing and is `Ok`, as in SQS; hiding by one is `Lost`.
#[derive(Debug, Default)]
pub struct MemoryQueue {
    state: Mutex<State>,
    /// Something became visible.
    arrived: Notify,
    redrive: Option<Redrive>,
}

#[derive(Debug)]
struct Redrive {
    to: Arc<MemoryQueue>,
    max_receive_count: u32,
}

#[derive(Debug, Default)]
struct State {
    held: Vec<Held>,
    /// What was deleted: SQS may deliver even that once more.
    deleted: Vec<Held>,
    /// Every receipt that was ever given out.
    issued: HashSet<String>,
}

#[derive(Debug, Clone)]
struct Held {
    id: String,
    body: String,
    visible_at: Instant,
    receive_count: u32,
    /// Of the last delivery.
    receipt: Option<String>,
}

impl MemoryQueue {
    /// An empty queue without a queue for dead letters.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty queue. A message that was received `max_receive_count` times goes to `dead_letters` instead of being
    /// delivered once more.
    pub fn with_dead_letters(dead_letters: Arc<Self>, max_receive_count: u32) -> Self {
        Self { redrive: Some(Redrive { to: dead_letters, max_receive_count }), ..Self::default() }
    }

    /// Does what SQS may do at any time: delivers a message once more, whether it is waiting, being worked on or
    /// deleted. Both deliveries live: deleting one does not delete the other. False if there never was such a message.
    pub fn duplicate(&self, message_id: &str) -> bool {
        let copied = self.lock().duplicate(message_id);
        self.arrived.notify_waiters();
        copied
    }

    /// What can be received now. When there is nothing: the time at which a message comes back.
    fn take(&self, max: usize, visibility: Duration) -> Result<Vec<Message>, Option<Instant>> {
        let now = Instant::now();
        let (dead, taken) = {
            let mut state = self.lock();
            let dead = match &self.redrive {
                Some(redrive) => state.take_dead(now, redrive.max_receive_count),
                None => Vec::new(),
            };
            let taken = state.take(now, max, visibility);
            let next = state.held.iter().map(|held| held.visible_at).min();
            (dead, if taken.is_empty() { Err(next) } else { Ok(taken) })
        };
        if let Some(redrive) = &self.redrive
            && !dead.is_empty()
        {
            redrive.to.lock().held.extend(dead);
            redrive.to.arrived.notify_waiters();
        }
        taken
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn duplicate(&mut self, message_id: &str) -> bool {
        let known = self.held.iter().chain(&self.deleted).find(|held| held.id == message_id);
        let copy = known.map(|held| Held { visible_at: Instant::now(), receipt: None, ..held.clone() });
        let copied = copy.is_some();
        self.held.extend(copy);
        copied
    }

    fn take_dead(&mut self, now: Instant, max_receive_count: u32) -> Vec<Held> {
        let is_dead = |held: &mut Held| held.visible_at <= now && held.receive_count >= max_receive_count;
        self.held.extract_if(.., is_dead).collect()
    }

    fn take(&mut self, now: Instant, max: usize, visibility: Duration) -> Vec<Message> {
        let visible = self.held.iter_mut().filter(|held| held.visible_at <= now).take(max);
        let deliver = |held: &mut Held| {
            let receipt = Uuid::new_v4().to_string();
            self.issued.insert(receipt.clone());
            held.receipt = Some(receipt.clone());
            held.receive_count += 1;
            held.visible_at = now + visibility;
            Message {
                id: held.id.clone(),
                body: held.body.clone(),
                receipt: Receipt::new(receipt),
                receive_count: held.receive_count,
                sent_at: None,
            }
        };
        visible.map(deliver).collect()
    }

    fn delete(&mut self, receipt: &Receipt) -> Entry {
        if let Some(index) = self.held.iter().position(|held| held.was_given(receipt)) {
            self.deleted.push(self.held.remove(index));
            return Ok(());
        }
        if self.issued.contains(receipt.expose()) { Ok(()) } else { Err(lost("there was no such receipt")) }
    }

    fn hide(&mut self, receipt: &Receipt, visibility: Duration) -> Entry {
        let now = Instant::now();
        let held = self.held.iter_mut().find(|held| held.was_given(receipt) && held.visible_at > now);
        held.ok_or_else(|| lost("it is over")).map(|held| held.visible_at = now + visibility)
    }
}

impl Held {
    fn was_given(&self, receipt: &Receipt) -> bool {
        self.receipt.as_deref() == Some(receipt.expose())
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    // Cancel safety: nothing is taken before the call returns.
    async fn receive(
        &self,
        max: usize,
        wait: Duration,
        visibility: Duration,
    ) -> Result<Vec<Message>, QueueError> {
        check_batch(max)?;
        if max == 0 {
            return Ok(Vec::new());
        }
        let visibility = whole(visibility);
        let deadline = Instant::now() + wait.min(MAX_WAIT);
        loop {
            // Listens before it looks: what arrives in between wakes it too.
            let mut arrived = pin!(self.arrived.notified());
            arrived.as_mut().enable();
            let next = match self.take(max, visibility) {
                Ok(messages) => return Ok(messages),
                Err(next) => next.map_or(deadline, |next| next.min(deadline)),
            };
            if Instant::now() >= deadline {
                return Ok(Vec::new());
            }
            tokio::select! {
                () = arrived => {}
                () = sleep_until(next) => {}
            }
        }
    }

    async fn delete(&self, receipts: &[Receipt]) -> Result<Vec<Entry>, QueueError> {
        check_batch(receipts.len())?;
        let mut state = self.lock();
        Ok(receipts.iter().map(|receipt| state.delete(receipt)).collect())
    }

    async fn hide(&self, receipts: &[Receipt], visibility: Duration) -> Result<Vec<Entry>, QueueError> {
        check_batch(receipts.len())?;
        let entries = {
            let mut state = self.lock();
            receipts.iter().map(|receipt| state.hide(receipt, whole(visibility))).collect()
        };
        self.arrived.notify_waiters();
        Ok(entries)
    }

    async fn send(&self, bodies: &[String]) -> Result<Vec<Entry>, QueueError> {
        check_batch(bodies.len())?;
        let visible_at = Instant::now();
        let mut entries = Vec::with_capacity(bodies.len());
        for body in bodies {
            let entry = check_body(body);
            if entry.is_ok() {
                let (id, body) = (Uuid::new_v4().to_string(), body.clone());
                self.lock().held.push(Held { id, body, visible_at, receive_count: 0, receipt: None });
            }
            entries.push(entry);
        }
        self.arrived.notify_waiters();
        Ok(entries)
    }

    async fn depth(&self) -> Result<Depth, QueueError> {
        let (now, state) = (Instant::now(), self.lock());
        let visible = state.held.iter().filter(|held| held.visible_at <= now).count() as u64;
        Ok(Depth { visible, in_flight: state.held.len() as u64 - visible, delayed: 0 })
    }
}

fn whole(visibility: Duration) -> Duration {
    Duration::from_secs(visibility_seconds(visibility).into())
}

fn lost(why: &str) -> QueueError {
    QueueError::Lost(why.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    async fn receive(queue: &MemoryQueue) -> anyhow::Result<Vec<Message>> {
        Ok(queue.receive(10, Duration::ZERO, MINUTE).await?)
    }

    #[tokio::test(start_paused = true)]
    async fn duplicates_of_hidden_and_deleted_messages_are_delivered() -> anyhow::Result<()> {
        let queue = MemoryQueue::new();
        queue.send(&["body".to_owned()]).await?;
        let first = receive(&queue).await?.remove(0);
        assert!(receive(&queue).await?.is_empty());

        assert!(queue.duplicate(&first.id));
        let second = receive(&queue).await?.remove(0);
        assert_eq!((&second.id, &second.body, second.receive_count), (&first.id, &first.body, 2));
        assert_ne!(second.receipt, first.receipt);
        assert_eq!(queue.delete(&[first.receipt]).await?, [Ok(())]);
        assert_eq!(queue.depth().await?.in_flight, 1, "deleting one leaves the other");
        assert_eq!(queue.delete(&[second.receipt]).await?, [Ok(())]);

        assert!(queue.duplicate(&first.id));
        assert_eq!(receive(&queue).await?.remove(0).id, first.id);
        assert!(!queue.duplicate("never sent"));
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn stale_receipts_touch_nothing() -> anyhow::Result<()> {
        let queue = MemoryQueue::new();
        queue.send(&["body".to_owned()]).await?;
        let first = receive(&queue).await?.remove(0);
        tokio::time::advance(MINUTE).await;
        let stale = [first.receipt];
        assert!(matches!(queue.hide(&stale, MINUTE).await?.as_slice(), [Err(QueueError::Lost(_))]));
        let second = receive(&queue).await?.remove(0);
        assert_eq!(queue.delete(&stale).await?, [Ok(())], "as SQS answers");
        assert!(matches!(queue.hide(&stale, Duration::ZERO).await?.as_slice(), [Err(QueueError::Lost(_))]));
        assert_eq!(queue.depth().await?, Depth { in_flight: 1, ..Depth::default() });
        assert_eq!(queue.delete(&[second.receipt]).await?, [Ok(())]);
        assert_eq!(queue.depth().await?, Depth::default());
        Ok(())
    }
}
