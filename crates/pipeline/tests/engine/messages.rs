//! The queue as a source, without an engine, by a clock that stands still until nothing else can happen.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use object_storage::{BlobStore, MemoryStore, PutOptions};
use pipeline::{Delivery, Event, MessageFate, Observer, QueueSettings, QueueSource, Slots, WorkSource as _};
use queue::{Depth, Entry, MemoryQueue, Message, Queue, QueueError, Receipt};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::bench::{LONG, uri};

const SECOND: Duration = Duration::from_secs(1);
const VISIBILITY: Duration = Duration::from_secs(30);

/// A queue that refuses deletes as often as it is told.
#[derive(Debug)]
struct Grudging {
    queue: MemoryQueue,
    refusals: AtomicUsize,
    asked: Mutex<Vec<Instant>>,
    /// Of the last message that was received.
    last_id: Mutex<String>,
}

#[async_trait]
impl Queue for Grudging {
    async fn receive(
        &self,
        max: usize,
        wait: Duration,
        visibility: Duration,
    ) -> Result<Vec<Message>, QueueError> {
        let received = self.queue.receive(max, wait, visibility).await?;
        if let Some(last) = received.last() {
            last.id.clone_into(&mut self.last_id.lock().unwrap_or_else(PoisonError::into_inner));
        }
        Ok(received)
    }

    async fn delete(&self, receipts: &[Receipt]) -> Result<Vec<Entry>, QueueError> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
        let less = |left: usize| left.checked_sub(1);
        if self.refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok() {
            let refused = QueueError::Unavailable("expected in this test".to_owned());
            return Ok(vec![Err(refused); receipts.len()]);
        }
        self.queue.delete(receipts).await
    }

    async fn hide(&self, receipts: &[Receipt], visibility: Duration) -> Result<Vec<Entry>, QueueError> {
        self.queue.hide(receipts, visibility).await
    }

    async fn send(&self, bodies: &[String]) -> Result<Vec<Entry>, QueueError> {
        self.queue.send(bodies).await
    }

    async fn depth(&self) -> Result<Depth, QueueError> {
        self.queue.depth().await
    }
}

/// Remembers when messages came and what became of them.
#[derive(Debug, Default)]
struct Diary {
    received: Mutex<Vec<Instant>>,
    fates: Mutex<Vec<MessageFate>>,
}

impl Observer for Diary {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::Received { .. } => {
                self.received.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
            }
            Event::Message(fate) => {
                self.fates.lock().unwrap_or_else(PoisonError::into_inner).push(*fate);
            }
            _ => {}
        }
    }
}

/// A source, its queues, and one object, `in/a`.
struct Fed {
    source: QueueSource,
    queue: Arc<Grudging>,
    dead: Arc<MemoryQueue>,
    blobs: Arc<MemoryStore>,
    diary: Arc<Diary>,
    began: Instant,
}

impl Fed {
    async fn new() -> anyhow::Result<Self> {
        let blobs = Arc::new(MemoryStore::new());
        blobs.create_bucket(&"bucket".parse()?);
        blobs.write("content".into(), &uri("in/a"), &PutOptions::default()).await?;
        let dead = Arc::new(MemoryQueue::new());
        let queue = MemoryQueue::with_dead_letters(Arc::clone(&dead), 3);
        let queue = Arc::new(Grudging {
            queue,
            refusals: AtomicUsize::new(0),
            asked: Mutex::default(),
            last_id: Mutex::default(),
        });
        let diary = Arc::<Diary>::default();
        let settings = QueueSettings {
            bucket: "bucket".parse()?,
            visibility: VISIBILITY,
            wait: 20 * SECOND,
            backoff: SECOND,
            parked: 10,
        };
        let (asked, looked_up) = (Arc::<Grudging>::clone(&queue), Arc::<MemoryStore>::clone(&blobs));
        let source = QueueSource::new(settings, asked, looked_up, Arc::<Diary>::clone(&diary));
        Ok(Self { source, queue, dead, blobs, diary, began: Instant::now() })
    }

    /// Sends an event without size and version: the object has to be looked up.
    async fn send(&self) -> anyhow::Result<()> {
        let record = r#"{"eventSource":"aws:s3","eventName":"ObjectCreated:Put",
            "s3":{"bucket":{"name":"bucket"},"object":{"key":"in/a"}}}"#;
        for entry in self.queue.send(&[format!(r#"{{"Records":[{record}]}}"#)]).await? {
            entry?;
        }
        Ok(())
    }

    async fn next(&mut self) -> anyhow::Result<Delivery> {
        let delivered = timeout(LONG, self.source.next(&Slots::new(1))).await??;
        delivered.ok_or_else(|| anyhow::anyhow!("the source ended"))
    }

    /// When messages came, in seconds from the beginning.
    fn received(&self) -> Vec<u64> {
        self.seconds(&self.diary.received)
    }

    fn seconds(&self, times: &Mutex<Vec<Instant>>) -> Vec<u64> {
        let times = times.lock().unwrap_or_else(PoisonError::into_inner);
        times.iter().map(|at| at.duration_since(self.began).as_secs()).collect()
    }

    fn fates(&self) -> Vec<MessageFate> {
        self.diary.fates.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_that_may_not_be_looked_up_comes_later_each_time_until_it_is_a_dead_letter()
-> anyhow::Result<()> {
    let mut fed = Fed::new().await?;
    fed.blobs.deny(&uri("in/a"), true)?;
    fed.send().await?;
    let delivered = timeout(VISIBILITY, fed.source.next(&Slots::new(1))).await;
    assert!(delivered.is_err(), "{delivered:?}");
    // Given back for one second, then two, then four; the third receive was the last one that the queue allows.
    assert_eq!(fed.received(), [0, 1, 3]);
    assert_eq!(fed.fates(), [MessageFate::GivenBack; 3]);
    let rest = (fed.dead.depth().await?.visible, fed.queue.depth().await?);
    assert_eq!(rest, (1, Depth::default()));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn an_object_that_may_be_looked_up_again_is_delivered() -> anyhow::Result<()> {
    let mut fed = Fed::new().await?;
    fed.blobs.deny(&uri("in/a"), true)?;
    fed.send().await?;
    let denied = timeout(SECOND / 2, fed.source.next(&Slots::new(1))).await;
    assert!(denied.is_err(), "{denied:?}");
    fed.blobs.deny(&uri("in/a"), false)?;
    let delivery = fed.next().await?;
    assert_eq!(delivery.object, fed.blobs.head(&uri("in/a")).await?);
    delivery.ack().await;
    fed.source.stop();
    fed.source.finish(&CancellationToken::new()).await;
    assert_eq!(fed.fates(), [MessageFate::GivenBack, MessageFate::Deleted]);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_message_that_cannot_be_deleted_comes_again_and_is_deleted_then() -> anyhow::Result<()> {
    let mut fed = Fed::new().await?;
    fed.queue.refusals.store(4, Ordering::Relaxed);
    fed.send().await?;
    fed.next().await?.ack().await;
    let again = fed.next().await?;
    assert_eq!(fed.received(), [0, 30], "when its visibility ended");
    // After 0.3, 0.9 and 2.7 seconds more.
    assert_eq!(fed.seconds(&fed.queue.asked), [0, 0, 1, 3]);
    assert_eq!(fed.fates(), [MessageFate::NotDeleted]);
    again.ack().await;
    fed.source.stop();
    fed.source.finish(&CancellationToken::new()).await;
    assert_eq!(fed.fates(), [MessageFate::NotDeleted, MessageFate::Deleted]);
    assert_eq!(fed.queue.depth().await?, Depth::default());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn each_receive_is_counted_with_what_became_of_it() -> anyhow::Result<()> {
    let mut fed = Fed::new().await?;
    fed.send().await?;
    let delivery = fed.next().await?;
    let id = fed.queue.last_id.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert!(fed.queue.queue.duplicate(&id), "SQS may deliver what is hidden");
    // Its work goes on; nothing is delivered anew.
    let again = timeout(SECOND, fed.source.next(&Slots::new(1))).await;
    assert!(again.is_err(), "{again:?}");
    delivery.ack().await;

    // A poll is under way at the end, and brings one more.
    fed.source.stop();
    fed.send().await?;
    fed.source.finish(&CancellationToken::new()).await;
    assert_eq!(fed.received().len(), 3);
    let mut fates = fed.fates();
    fates.sort_by_key(|fate| fate.label());
    assert_eq!(fates, [MessageFate::Deleted, MessageFate::GivenBack, MessageFate::Repeated]);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn deletes_wait_for_company_while_there_is_work_that_may_give_it() -> anyhow::Result<()> {
    let mut fed = Fed::new().await?;
    let mut deliveries = Vec::new();
    for _ in 0..3 {
        fed.send().await?;
        deliveries.push(fed.next().await?);
    }
    let last = deliveries.pop().expect("three");
    for delivery in deliveries {
        delivery.ack().await;
    }
    tokio::time::sleep(SECOND / 3).await;
    assert_eq!(fed.fates(), []);
    tokio::time::sleep(SECOND / 3).await;
    assert_eq!(fed.fates(), [MessageFate::Deleted; 2]);
    assert_eq!(fed.seconds(&fed.queue.asked).len(), 1, "one call for both");

    last.ack().await;
    tokio::time::sleep(SECOND / 100).await;
    assert_eq!(fed.fates(), [MessageFate::Deleted; 3]);
    Ok(())
}
