//! What a behaviour is tested on, and how it speaks.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use async_trait::async_trait;
use tokio::time::Instant;

use crate::{Entry, Message, Queue, QueueError, Receipt};

/// Makes queues of one kind.
#[async_trait]
pub trait Fixture: Send + Sync {
    /// An empty queue of the test's own, with a queue for dead letters behind it. Its own visibility, for receives that
    /// do not say one, should be much longer than a minute, so that forgetting to say one shows.
    async fn fresh(&self, max_receive_count: u32) -> anyhow::Result<Fresh>;
}

/// Two empty queues.
#[derive(Debug, Clone)]
pub struct Fresh {
    /// The queue under test.
    pub queue: Arc<dyn Queue>,
    /// Where its messages go that were received too often.
    pub dead_letters: Arc<dyn Queue>,
}

/// More than any behaviour receives a message, unless it wants dead letters.
pub(super) const OFTEN: u32 = 100;

/// For messages that must come: ends as soon as they do.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// How much earlier than by our clock a server may show a message: servers count in whole milliseconds.
pub(super) const TICK: Duration = Duration::from_millis(20);

/// Longer than any behaviour takes.
pub(super) const MINUTE: Duration = Duration::from_secs(60);

pub(super) async fn queue(fixture: &dyn Fixture) -> anyhow::Result<Arc<dyn Queue>> {
    Ok(fixture.fresh(OFTEN).await?.queue)
}

pub(super) async fn send(queue: &dyn Queue, bodies: &[&str]) -> anyhow::Result<()> {
    let bodies: Vec<_> = bodies.iter().map(ToString::to_string).collect();
    all_ok(&queue.send(&bodies).await?)
}

/// Receives until there are this many, however few come at once.
pub(super) async fn receive(
    queue: &dyn Queue,
    count: usize,
    visibility: Duration,
) -> anyhow::Result<Vec<Message>> {
    let (mut messages, deadline) = (Vec::new(), Instant::now() + PATIENCE);
    while messages.len() < count {
        let left = deadline.saturating_duration_since(Instant::now());
        ensure!(!left.is_zero(), "{} of {count} messages came within {PATIENCE:?}", messages.len());
        messages.extend(queue.receive((count - messages.len()).min(10), left, visibility).await?);
    }
    Ok(messages)
}

pub(super) async fn receive_one(queue: &dyn Queue, visibility: Duration) -> anyhow::Result<Message> {
    receive(queue, 1, visibility).await?.pop().context("one message")
}

/// What can be received right now.
pub(super) async fn look(queue: &dyn Queue) -> anyhow::Result<Vec<Message>> {
    Ok(queue.receive(10, Duration::ZERO, MINUTE).await?)
}

pub(super) async fn delete(queue: &dyn Queue, messages: &[Message]) -> anyhow::Result<()> {
    all_ok(&queue.delete(&receipts(messages)).await?)
}

pub(super) fn receipts(messages: &[Message]) -> Vec<Receipt> {
    messages.iter().map(|message| message.receipt.clone()).collect()
}

pub(super) fn all_ok(entries: &[Entry]) -> anyhow::Result<()> {
    match entries.iter().find(|entry| entry.is_err()) {
        Some(failed) => bail!("an entry failed: {failed:?}"),
        None => Ok(()),
    }
}

/// What the contract allows for deliveries that are not ours.
pub(super) fn all_ok_or_lost(entries: &[Entry]) -> anyhow::Result<()> {
    match entries.iter().find(|entry| !matches!(entry, Ok(()) | Err(QueueError::Lost(_)))) {
        Some(failed) => bail!("an entry is neither ok nor lost: {failed:?}"),
        None => Ok(()),
    }
}

pub(super) fn sorted_bodies(messages: &[Message]) -> Vec<&str> {
    let mut bodies: Vec<_> = messages.iter().map(|message| message.body.as_str()).collect();
    bodies.sort_unstable();
    bodies
}
