//! The messages that are hidden for us, and their records.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::queue::Message;
use async_trait::async_trait;
use object_storage::ObjectSummary;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::answers::{Answers, Verdict};
use crate::Receipt;
use crate::source::Trail;

/// The longest pause that grows with a message's deliveries.
const LONGEST: Duration = Duration::from_secs(900);

/// Which message, in this process.
pub(super) type MessageNumber = u64;

/// A record of a message that is work.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) message: MessageNumber,
    pub(super) object: ObjectSummary,
    pub(super) trail: Trail,
}

/// `base`, doubled with each delivery after the first.
pub(super) fn backoff(base: Duration, receive_count: u32) -> Duration {
    base.saturating_mul(1 << receive_count.saturating_sub(1).min(16)).min(LONGEST)
}

/// Every message from its receipt to its answer.
#[derive(Debug)]
pub(super) struct Held {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    last: MessageNumber,
    messages: HashMap<MessageNumber, HeldMessage>,
    parked: Vec<(Instant, Record)>,
    most_parked: usize,
}

#[derive(Debug)]
struct HeldMessage {
    id: String,
    receipt: ::queue::Receipt,
    receive_count: u32,
    /// Records that are not answered yet.
    open: usize,
    /// Whether a record is to come again, and when.
    again: Option<Duration>,
    /// The queue does not know our receipt any more.
    lost: bool,
}

impl Held {
    pub(super) fn new(most_parked: usize) -> Self {
        Self { state: Mutex::new(State { most_parked, ..State::default() }), changed: Notify::new() }
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Holds a message with this many records; `None` when we hold it already, and have its newer receipt now.
    pub(super) fn take_in(&self, message: Message, records: usize) -> Option<MessageNumber> {
        self.with(|state| {
            if let Some(known) = state.messages.values_mut().find(|known| known.id == message.id) {
                known.receipt = message.receipt;
                known.receive_count = message.receive_count;
                known.lost = false;
                return None;
            }
            state.last += 1;
            let Message { id, receipt, receive_count, .. } = message;
            let held = HeldMessage { id, receipt, receive_count, open: records, again: None, lost: false };
            state.messages.insert(state.last, held);
            Some(state.last)
        })
    }

    /// A record is answered for good.
    pub(super) fn settle(&self, message: MessageNumber) -> Option<Verdict> {
        self.with(|state| state.answer(message, |_| None))
    }

    /// A record is for somebody else, at once.
    pub(super) fn give_back(&self, message: MessageNumber) -> Option<Verdict> {
        self.with(|state| state.answer(message, |_| Some(Duration::ZERO)))
    }

    /// A record is to come again from the queue, later with each delivery.
    pub(super) fn return_later(&self, message: MessageNumber, base: Duration) -> Option<Verdict> {
        self.with(|state| state.answer(message, |count| Some(backoff(base, count))))
    }

    /// A record is to come again after a time: it waits here if there is room, else in the queue.
    fn park(&self, record: Record, after: Duration) -> Option<Verdict> {
        let verdict = self.with(|state| {
            if state.parked.len() < state.most_parked {
                state.parked.push((Instant::now() + after, record));
                return None;
            }
            state.answer(record.message, |count| Some(backoff(after, count)))
        });
        self.changed.notify_one();
        verdict
    }

    /// Takes out a parked record whose time has come, the earliest first.
    pub(super) fn take_due(&self, now: Instant) -> Option<Record> {
        self.with(|state| {
            let due = state.parked.iter().enumerate().filter(|(_, (at, _))| *at <= now);
            let (place, _) = due.min_by_key(|(_, (at, _))| *at)?;
            Some(state.parked.swap_remove(place).1)
        })
    }

    /// Returns when a parked record's time has come.
    pub(super) async fn something_due(&self) {
        loop {
            let changed = self.changed.notified();
            match self.with(|state| state.parked.iter().map(|(at, _)| *at).min()) {
                None => changed.await,
                Some(at) => tokio::select! {
                    () = tokio::time::sleep_until(at) => return,
                    () = changed => {}
                },
            }
        }
    }

    /// Gives back what is parked, and parks nothing more.
    pub(super) fn stop(&self) -> Vec<Verdict> {
        self.with(|state| {
            state.most_parked = 0;
            let parked = std::mem::take(&mut state.parked);
            parked
                .into_iter()
                .filter_map(|(_, record)| state.answer(record.message, |_| Some(Duration::ZERO)))
                .collect()
        })
    }

    /// Whether every message is answered.
    pub(super) fn is_empty(&self) -> bool {
        self.with(|state| state.messages.is_empty())
    }

    /// What is to be kept hidden.
    pub(super) fn receipts(&self) -> Vec<(MessageNumber, ::queue::Receipt)> {
        self.with(|state| {
            let held = state.messages.iter().filter(|(_, held)| !held.lost);
            held.map(|(number, held)| (*number, held.receipt.clone())).collect()
        })
    }

    /// The queue does not know this receipt any more: keeping on would only be noise. The work goes on under its claim.
    /// Whether we had it until now.
    pub(super) fn lose(&self, message: MessageNumber, receipt: &::queue::Receipt) -> bool {
        self.with(|state| {
            let held = state.messages.get_mut(&message).filter(|held| held.receipt == *receipt);
            held.is_some_and(|held| !std::mem::replace(&mut held.lost, true))
        })
    }
}

impl State {
    /// Answers one record; the verdict on the message when it was its last one.
    fn answer(
        &mut self,
        message: MessageNumber,
        again: impl FnOnce(u32) -> Option<Duration>,
    ) -> Option<Verdict> {
        let held = self.messages.get_mut(&message)?;
        if let Some(after) = again(held.receive_count) {
            held.again = Some(held.again.map_or(after, |sooner| sooner.min(after)));
        }
        held.open = held.open.saturating_sub(1);
        if held.open > 0 {
            return None;
        }
        let held = self.messages.remove(&message)?;
        Some(match held.again {
            None => Verdict::Delete(held.receipt),
            Some(after) => Verdict::Hide(held.receipt, after),
        })
    }
}

/// Answers one record of a message.
#[derive(Debug)]
pub(super) struct QueueReceipt {
    held: Arc<Held>,
    answers: Answers,
    /// Taken when answered.
    record: Option<Record>,
}

impl QueueReceipt {
    pub(super) fn new(held: Arc<Held>, answers: Answers, record: Record) -> Self {
        Self { held, answers, record: Some(record) }
    }
}

#[async_trait]
impl Receipt for QueueReceipt {
    async fn ack(mut self: Box<Self>) {
        if let Some(record) = self.record.take() {
            self.answers.give_all(self.held.settle(record.message));
        }
    }

    async fn nack(mut self: Box<Self>, after: Duration) {
        // Dropping gives it back at once.
        if after > Duration::ZERO
            && let Some(record) = self.record.take()
        {
            self.answers.give_all(self.held.park(record, after));
        }
    }
}

impl Drop for QueueReceipt {
    fn drop(&mut self) {
        if let Some(record) = self.record.take() {
            self.answers.give_all(self.held.give_back(record.message));
        }
    }
}
