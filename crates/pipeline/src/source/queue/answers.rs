//! Answers on their way to the queue, in batches.

use std::sync::Arc;
use std::time::Duration;

use ::queue::{Entry, MAX_BATCH, Queue, QueueError, Receipt};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex, Notify};
use tokio::time::Instant;

use super::held::Held;
use crate::{Event, MessageFate, Observer};

/// How long the first answer of a batch waits for company, while there is work that may give it some.
const LINGER: Duration = Duration::from_millis(500);

/// The most answers that are carried out together.
const MOST: usize = 100;

/// Tries to delete a message. After that it comes again, and is found settled.
const TRIES: u32 = 4;

/// What is to be done with a message.
#[derive(Debug)]
pub(super) enum Verdict {
    Delete(Receipt),
    Hide(Receipt, Duration),
}

/// The way to the queue. Bounded by what is held: nothing is received while answers do not get through.
#[derive(Debug, Clone)]
pub(super) struct Answers {
    sender: UnboundedSender<Letter>,
}

#[derive(Debug)]
enum Letter {
    Verdict(Verdict),
    /// Everything sent before is to be carried out now.
    Flush(Arc<Notify>),
}

impl Answers {
    /// `order` keeps the keeper from hiding what is being made visible.
    pub(super) fn start(
        queue: Arc<dyn Queue>,
        order: Arc<Mutex<()>>,
        observer: Arc<dyn Observer>,
        held: Arc<Held>,
    ) -> Self {
        let (sender, letters) = unbounded_channel();
        tokio::spawn(Carrier { queue, order, observer, held }.carry(letters));
        Self { sender }
    }

    pub(super) fn give(&self, verdict: Verdict) {
        // The carrier lives as long as anybody can send. At the end of the runtime messages come again.
        self.sender.send(Letter::Verdict(verdict)).ok();
    }

    pub(super) fn give_all(&self, verdicts: impl IntoIterator<Item = Verdict>) {
        verdicts.into_iter().for_each(|verdict| self.give(verdict));
    }

    /// Returns when everything given so far has been carried out, or given up.
    pub(super) async fn finish(&self) {
        let done = Arc::new(Notify::new());
        if self.sender.send(Letter::Flush(Arc::clone(&done))).is_ok() {
            done.notified().await;
        }
    }
}

#[derive(Debug)]
struct Carrier {
    queue: Arc<dyn Queue>,
    order: Arc<Mutex<()>>,
    observer: Arc<dyn Observer>,
    held: Arc<Held>,
}

/// What goes out together.
#[derive(Debug, Default)]
struct Batch {
    delete: Vec<Receipt>,
    hide: Vec<(Receipt, Duration)>,
    flushed: Option<Arc<Notify>>,
}

impl Batch {
    fn add(&mut self, letter: Letter) {
        match letter {
            Letter::Verdict(Verdict::Delete(receipt)) => self.delete.push(receipt),
            Letter::Verdict(Verdict::Hide(receipt, after)) => self.hide.push((receipt, after)),
            Letter::Flush(done) => self.flushed = Some(done),
        }
    }

    fn len(&self) -> usize {
        self.delete.len() + self.hide.len()
    }

    fn is_due(&self) -> bool {
        // Whoever gets a message back waits for it; a deleted one is missed by nobody.
        self.delete.len() >= MAX_BATCH || !self.hide.is_empty() || self.flushed.is_some()
    }
}

impl Carrier {
    async fn carry(self, mut letters: UnboundedReceiver<Letter>) {
        while let Some(letter) = letters.recv().await {
            let mut batch = Batch::default();
            batch.add(letter);
            let linger = Instant::now() + LINGER;
            while !batch.is_due() && !self.held.is_empty() {
                match tokio::time::timeout_at(linger, letters.recv()).await {
                    Ok(Some(letter)) => batch.add(letter),
                    Ok(None) | Err(_) => break,
                }
            }
            while batch.flushed.is_none()
                && batch.len() < MOST
                && let Ok(letter) = letters.try_recv()
            {
                batch.add(letter);
            }
            self.hide(batch.hide).await;
            fail::fail_point!("acknowledging");
            self.delete(batch.delete).await;
            if let Some(done) = batch.flushed {
                done.notify_one();
            }
        }
    }

    async fn delete(&self, receipts: Vec<Receipt>) {
        for batch in receipts.chunks(MAX_BATCH) {
            self.delete_batch(batch.to_vec()).await;
        }
    }

    async fn delete_batch(&self, mut receipts: Vec<Receipt>) {
        for attempt in 1.. {
            if receipts.is_empty() {
                return;
            }
            let entries = answered(self.queue.delete(&receipts).await, receipts.len());
            let mut left = Vec::new();
            for (receipt, entry) in receipts.into_iter().zip(entries) {
                match entry {
                    Ok(()) => self.tell(MessageFate::Deleted),
                    Err(QueueError::Lost(_)) => self.tell(MessageFate::NotDeleted),
                    Err(_) if attempt < TRIES => left.push(receipt),
                    Err(error) => {
                        tracing::warn!(%error, "a settled message was not deleted and will come again");
                        self.tell(MessageFate::NotDeleted);
                    }
                }
            }
            receipts = left;
            if !receipts.is_empty() {
                tokio::time::sleep(Duration::from_millis(100) * 3_u32.pow(attempt)).await;
            }
        }
    }

    async fn hide(&self, mut receipts: Vec<(Receipt, Duration)>) {
        if receipts.is_empty() {
            return;
        }
        let _order = self.order.lock().await;
        receipts.sort_by_key(|(_, after)| *after);
        for alike in receipts.chunk_by(|one, other| one.1 == other.1) {
            for batch in alike.chunks(MAX_BATCH) {
                let after = batch.first().map_or(Duration::ZERO, |(_, after)| *after);
                let batch: Vec<_> = batch.iter().map(|(receipt, _)| receipt.clone()).collect();
                for entry in answered(self.queue.hide(&batch, after).await, batch.len()) {
                    // Failing means that it comes later, by itself.
                    if let Err(error) = entry {
                        tracing::debug!(%error, "a message could not be given back");
                    }
                    self.tell(MessageFate::GivenBack);
                }
            }
        }
    }

    fn tell(&self, fate: MessageFate) {
        self.observer.observe(&Event::Message(fate));
    }
}

/// One entry per receipt, whatever came back.
pub(super) fn answered(result: Result<Vec<Entry>, QueueError>, receipts: usize) -> Vec<Entry> {
    match result {
        Ok(mut entries) => {
            entries.resize_with(receipts, || Err(QueueError::Unavailable("no answer".to_owned())));
            entries
        }
        Err(error) => vec![Err(error); receipts],
    }
}
