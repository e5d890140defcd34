//! Events: messages of a queue, each with one or more notifications of a bucket.

mod answers;
mod held;
mod keeper;
mod resolve;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ::queue::{MAX_BATCH, Message, Queue, QueueError};
use async_trait::async_trait;
use object_storage::BlobStore;
use s3_events::{Notification, ObjectEvent};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use types::BucketName;

use self::answers::{Answers, Verdict};
use self::held::{Held, MessageNumber, QueueReceipt, Record};
use self::keeper::{Keeper, Keeping};
use self::resolve::Resolution;
pub(crate) use self::resolve::current;
use crate::{Delivery, Event, MessageFate, Observer, Slots, SourceError, WorkSource};

/// What a receive may take beyond its wait. The adapter gives up before; without this a call that never ends would be
/// a source that silently stopped.
const PATIENCE: Duration = Duration::from_secs(20);

/// The shortest time between receives that bring nothing.
const LEAST_ROUND: Duration = Duration::from_secs(1);

/// How long a free slot waits for others before messages are asked for: a queue is paid by the call, and each takes a
/// round trip. Half of the slots have work meanwhile.
const GATHERING: Duration = Duration::from_millis(250);

/// At the end, how long the last answers may take when nobody has patience any more.
const LAST_ANSWERS: Duration = Duration::from_secs(3);

/// How messages are taken.
#[derive(Debug, Clone)]
pub struct QueueSettings {
    /// The only bucket whose events are work.
    pub bucket: BucketName,
    /// How long a message stays hidden without being kept so; it is kept so every third of this.
    pub visibility: Duration,
    /// How long one receive waits for messages, at most 20 seconds.
    pub wait: Duration,
    /// The first pause before an unreadable message comes again; doubled with each delivery, up to 15 minutes.
    pub backoff: Duration,
    /// Deliveries that may wait here for their time to be tried again, beside those worked on; more than that go back
    /// to the queue.
    pub parked: usize,
}

/// Delivers the object versions that the messages of a queue tell of.
///
/// A message is deleted when every record of it is answered for good. Until then it is kept hidden, from the moment it
/// was received. What is handed back for later waits here, hidden: the queue counts each delivery, and would put work
/// that only waits into its dead-letter queue. What does not parse is left alone, for exactly that reason.
#[derive(Debug)]
pub struct QueueSource {
    settings: QueueSettings,
    queue: Arc<dyn Queue>,
    blobs: Arc<dyn BlobStore>,
    observer: Arc<dyn Observer>,
    held: Arc<Held>,
    answers: Answers,
    keeper: Keeper,
    /// Records received and not delivered yet.
    fresh: VecDeque<(MessageNumber, ObjectEvent)>,
    /// The long poll under way. A task, so that dropping `next` does not lose what it brings.
    poll: Option<Poll>,
    returning: Option<JoinHandle<()>>,
}

type Poll = JoinHandle<Result<Vec<Message>, QueueError>>;

impl QueueSource {
    /// A source of the messages in `queue`; objects whose size or version an event leaves out are asked from `blobs`.
    /// Must be called within a runtime.
    pub fn new(
        settings: QueueSettings,
        queue: Arc<dyn Queue>,
        blobs: Arc<dyn BlobStore>,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let held = Arc::new(Held::new(settings.parked));
        let order = Arc::new(tokio::sync::Mutex::new(()));
        let answers =
            Answers::start(Arc::clone(&queue), Arc::clone(&order), Arc::clone(&observer), Arc::clone(&held));
        let keeper = Keeper::start(Keeping {
            queue: Arc::clone(&queue),
            held: Arc::clone(&held),
            observer: Arc::clone(&observer),
            visibility: settings.visibility,
            order,
        });
        Self {
            settings,
            queue,
            blobs,
            observer,
            held,
            answers,
            keeper,
            fresh: VecDeque::new(),
            poll: None,
            returning: None,
        }
    }

    /// Starts a long poll if none is under way; waits until it has ended or something held is due.
    async fn receive(&mut self, slots: &Slots) -> Result<(), SourceError> {
        let poll = self.poll.get_or_insert_with(|| {
            let (queue, settings, slots) = (Arc::clone(&self.queue), self.settings.clone(), slots.clone());
            tokio::spawn(async move { poll(queue.as_ref(), &settings, &slots).await })
        });
        let received = tokio::select! {
            received = poll => received,
            () = self.held.something_due() => return Ok(()),
        };
        self.poll = None;
        let received =
            received.unwrap_or_else(|_| Err(QueueError::Unavailable("a receive panicked".to_owned())));
        self.take_in(received?);
        Ok(())
    }

    fn take_in(&mut self, messages: Vec<Message>) {
        fail::fail_point!("received");
        self.observer.observe(&Event::Polled);
        for message in messages {
            self.observer.observe(&Event::Received { messages: 1, age: age(&message) });
            match s3_events::parse(&message.body) {
                Ok(Notification::Objects(events)) => {
                    // The same message again, while we have it: its new receipt is the one that counts now.
                    match self.held.take_in(message, events.len()) {
                        Some(number) => self.fresh.extend(events.into_iter().map(|event| (number, event))),
                        None => self.observer.observe(&Event::Message(MessageFate::Repeated)),
                    }
                }
                Ok(Notification::Test) => {
                    self.observer.observe(&Event::Message(MessageFate::Test));
                    self.answers.give(Verdict::Delete(message.receipt));
                }
                Err(error) => {
                    let after = held::backoff(self.settings.backoff, message.receive_count);
                    tracing::warn!(message.id, message.receive_count, %error, "unreadable message left for the dead-letter queue");
                    self.observer.observe(&Event::Message(MessageFate::Unreadable));
                    self.answers.give(Verdict::Hide(message.receipt, after));
                }
            }
        }
    }

    /// The next record that is work. Cancel safety: a record is taken out only when it is known what it is.
    async fn next_fresh(&mut self) -> Result<Option<Record>, SourceError> {
        while let Some((number, event)) = self.fresh.front() {
            let resolution = resolve::resolve(event, &self.settings.bucket, self.blobs.as_ref()).await?;
            let number = *number;
            self.fresh.pop_front();
            match resolution {
                Resolution::Work(object, trail) => {
                    return Ok(Some(Record { message: number, object, trail }));
                }
                Resolution::Ignore(reason) => {
                    self.observer.observe(&Event::Ignored { reason });
                    self.answers.give_all(self.held.settle(number));
                }
                Resolution::Later(error) => {
                    tracing::warn!(%error, "an event's object cannot be looked up, trying again");
                    self.answers.give_all(self.held.return_later(number, self.settings.backoff));
                }
            }
        }
        Ok(None)
    }

    fn deliver(&self, record: Record) -> Delivery {
        let (object, trail) = (record.object.clone(), record.trail.clone());
        let receipt = QueueReceipt::new(Arc::clone(&self.held), self.answers.clone(), record);
        Delivery { trail: Some(trail), ..Delivery::new(object, Box::new(receipt)) }
    }
}

#[expect(clippy::disallowed_methods, reason = "a metric")]
fn age(message: &Message) -> Option<Duration> {
    SystemTime::now().duration_since(message.sent_at?).ok()
}

async fn poll(
    queue: &dyn Queue,
    settings: &QueueSettings,
    slots: &Slots,
) -> Result<Vec<Message>, QueueError> {
    slots.gather(MAX_BATCH, GATHERING).await;
    let begun = Instant::now();
    let received = queue.receive(slots.room().min(MAX_BATCH), settings.wait, settings.visibility);
    let silent = |_| Err(QueueError::Unavailable("the queue does not answer".to_owned()));
    let received = tokio::time::timeout(settings.wait + PATIENCE, received).await.unwrap_or_else(silent)?;
    if received.is_empty() {
        // A server that does not wait, or has too much in flight, says "nothing" at once: not to be asked in a hurry.
        tokio::time::sleep_until(begun + settings.wait.min(LEAST_ROUND)).await;
    }
    Ok(received)
}

#[async_trait]
impl WorkSource for QueueSource {
    async fn next(&mut self, slots: &Slots) -> Result<Option<Delivery>, SourceError> {
        loop {
            if let Some(record) = self.held.take_due(Instant::now()) {
                return Ok(Some(self.deliver(record)));
            }
            if let Some(record) = self.next_fresh().await? {
                return Ok(Some(self.deliver(record)));
            }
            self.receive(slots).await?;
        }
    }

    fn stop(&mut self) {
        let returned = self.fresh.drain(..).flat_map(|(number, _)| self.held.give_back(number));
        self.answers.give_all(returned);
        self.answers.give_all(self.held.stop());
        if let Some(poll) = self.poll.take() {
            let (answers, observer) = (self.answers.clone(), Arc::clone(&self.observer));
            self.returning = Some(tokio::spawn(async move {
                for message in poll.await.ok().and_then(Result::ok).unwrap_or_default() {
                    observer.observe(&Event::Received { messages: 1, age: age(&message) });
                    answers.give(Verdict::Hide(message.receipt, Duration::ZERO));
                }
            }));
        }
    }

    async fn finish(&mut self, patience: &CancellationToken) {
        let answered = async {
            if let Some(returning) = self.returning.take() {
                // It does not panic; nothing is left to return when it did.
                returning.await.ok();
            }
            self.answers.finish().await;
        };
        let out_of_patience = async {
            patience.cancelled().await;
            tokio::time::sleep(LAST_ANSWERS).await;
        };
        tokio::select! {
            () = answered => {}
            () = out_of_patience => tracing::warn!("the queue did not take the last answers: messages will come again"),
        }
        self.keeper.stop();
    }
}
