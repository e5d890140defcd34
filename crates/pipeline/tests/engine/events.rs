//! The queue as a source of work.

use std::sync::Arc;
use std::time::Duration;

use object_storage::{BlobStore as _, ObjectSummary};
use pipeline::{EngineSettings, IgnoreReason, PollMode, ReconciledSource};
use queue::{Depth, MemoryQueue, Queue as _};
use serde_json::{Value, json};

use crate::bench::{Act, Bench, LONG, Running, VISIBILITY, until, uri};

/// A queue, its dead-letter queue, and an engine that takes from it.
struct Fed {
    bench: Bench,
    queue: Arc<MemoryQueue>,
    dead: Arc<MemoryQueue>,
}

impl Fed {
    async fn new() -> anyhow::Result<Self> {
        let dead = Arc::new(MemoryQueue::new());
        let queue = Arc::new(MemoryQueue::with_dead_letters(Arc::clone(&dead), 3));
        Ok(Self { bench: Bench::new().await?, queue, dead })
    }

    fn start(&self) -> Running {
        self.start_as(self.bench.service("only"))
    }

    fn start_as(&self, settings: EngineSettings) -> Running {
        self.bench.start_with(settings, Box::new(self.bench.events(&self.queue)))
    }

    /// Puts an object; what an event says of it.
    async fn put(&self, key: &str) -> anyhow::Result<Value> {
        self.bench.put(key).await?;
        Ok(record(&self.bench.blobs.head(&uri(key)).await?, "ObjectCreated:Put"))
    }

    async fn send(&self, records: &[Value]) -> anyhow::Result<()> {
        self.send_text(&json!({ "Records": records }).to_string()).await
    }

    async fn send_text(&self, body: &str) -> anyhow::Result<()> {
        for entry in self.queue.send(&[body.to_owned()]).await? {
            entry?;
        }
        Ok(())
    }

    async fn until_empty(&self) -> anyhow::Result<()> {
        until("the queue is empty", async || self.queue.depth().await == Ok(Depth::default())).await
    }

    async fn until_labels(&self, key: &str, labels: &[&str]) -> anyhow::Result<()> {
        until(&format!("{key} ended as {labels:?}"), async || self.bench.recorder.labels_of(key) == labels)
            .await
    }

    async fn dead(&self) -> anyhow::Result<u64> {
        Ok(self.dead.depth().await?.visible)
    }

    fn runs_of(&self, key: &str) -> usize {
        self.bench.stage.runs().iter().filter(|(of, _)| of == key).count()
    }
}

async fn end(running: Running) -> anyhow::Result<()> {
    running.shutdown.intake.cancel();
    running.ended().await
}

/// Keys of these tests need no encoding.
fn record(object: &ObjectSummary, name: &str) -> Value {
    let bucket = object.object.uri.bucket().as_str();
    json!({
        "eventVersion": "2.1", "eventSource": "aws:s3", "eventName": name,
        "s3": { "bucket": { "name": bucket }, "object": {
            "key": object.object.uri.key(), "size": object.bytes, "eTag": object.object.version,
        } },
    })
}

#[tokio::test]
async fn a_message_is_deleted_when_every_record_of_it_is_settled() -> anyhow::Result<()> {
    let fed = Fed::new().await?;
    let mut records = Vec::new();
    for key in ["in/a", "in/b", "in/c"] {
        records.push(fed.put(key).await?);
    }
    fed.bench.stage.tell("in/b", [Act::Fail, Act::Fail]);
    fed.send(&records).await?;
    let running = fed.start();
    fed.until_empty().await?;
    end(running).await?;
    assert_eq!(fed.bench.recorder.labels_of("in/b"), ["retried", "retried", "done"]);
    assert_eq!(
        ["in/a", "in/b", "in/c"].map(|key| fed.runs_of(key)),
        [1, 3, 1],
        "good ones are not done again"
    );
    assert_eq!(fed.dead().await?, 0);
    Ok(())
}

#[tokio::test]
async fn test_events_are_deleted_and_what_does_not_parse_becomes_a_dead_letter() -> anyhow::Result<()> {
    let fed = Fed::new().await?;
    fed.send_text(r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"bucket"}"#).await?;
    fed.send_text("{ no JSON").await?;
    fed.send_text(r#"{"Records":[{"some":"thing"}]}"#).await?;
    let running = fed.start();
    until("both are dead letters", async || matches!(fed.dead().await, Ok(2))).await?;
    fed.until_empty().await?;
    end(running).await
}

#[tokio::test]
async fn events_that_are_no_work_are_ignored_and_their_objects_never_fetched() -> anyhow::Result<()> {
    let fed = Fed::new().await?;
    fed.put("in/a").await?;
    let object = fed.bench.blobs.head(&uri("in/a")).await?;
    let mut foreign = record(&object, "ObjectCreated:Put");
    foreign["s3"]["bucket"]["name"] = json!("out");
    let removed = record(&object, "ObjectRemoved:Delete");
    let tagged = record(&object, "ObjectTagging:Put");
    fed.send(&[foreign, removed, tagged]).await?;
    let running = fed.start();
    fed.until_empty().await?;
    end(running).await?;
    let expected = [IgnoreReason::ForeignBucket, IgnoreReason::Removed, IgnoreReason::NotContent];
    assert_eq!(fed.bench.recorder.ignored(), expected);
    assert!(fed.bench.stage.runs().is_empty());
    Ok(())
}

#[tokio::test]
async fn work_that_outlasts_the_visibility_is_delivered_once() -> anyhow::Result<()> {
    let fed = Fed::new().await?;
    let told = fed.put("in/a").await?;
    fed.bench.stage.tell("in/a", [Act::Hold]);
    fed.send(&[told]).await?;
    let running = fed.start();
    until("it is at work", async || fed.runs_of("in/a") == 1).await?;
    // Five times the visibility: without a heartbeat it would have been a dead letter by now.
    tokio::time::sleep(5 * VISIBILITY).await;
    assert_eq!(fed.queue.depth().await?, Depth { in_flight: 1, ..Depth::default() });
    fed.bench.stage.let_go();
    fed.until_empty().await?;
    end(running).await?;
    assert_eq!((fed.bench.recorder.labels_of("in/a"), fed.dead().await?), (vec!["done"], 0));
    Ok(())
}

#[tokio::test]
async fn duplicates_of_an_event_have_one_effect() -> anyhow::Result<()> {
    let fed = Fed::new().await?;
    let told = fed.put("in/a").await?;
    for _ in 0..5 {
        fed.send(std::slice::from_ref(&told)).await?;
    }
    // Those that come while it is held look again when its lease would have ended.
    let running = fed.start_as(EngineSettings { lease: VISIBILITY, ..fed.bench.service("only") });
    fed.until_empty().await?;
    end(running).await?;
    assert_eq!((fed.runs_of("in/a"), fed.bench.manifests().await?, fed.dead().await?), (1, 1, 0));
    Ok(())
}

#[tokio::test]
async fn waiting_for_a_retry_counts_no_delivery() -> anyhow::Result<()> {
    let fed = Fed::new().await?;
    let told = fed.put("in/a").await?;
    // More waits than the three receives that make a dead letter.
    fed.bench.stage.tell("in/a", vec![Act::NotReady; 8]);
    fed.send(&[told]).await?;
    let running = fed.start();
    fed.until_empty().await?;
    end(running).await?;
    assert_eq!((fed.runs_of("in/a"), fed.dead().await?), (9, 0));
    Ok(())
}

#[tokio::test]
async fn more_waiting_work_than_may_be_parked_goes_back_to_the_queue_and_is_done_in_the_end()
-> anyhow::Result<()> {
    let fed = Fed::new().await?;
    for number in 0..30 {
        let key = format!("in/{number}");
        let told = fed.put(&key).await?;
        fed.bench.stage.tell(&key, [Act::Fail]);
        fed.send(&[told]).await?;
    }
    let running = fed.start();
    fed.until_empty().await?;
    end(running).await?;
    assert_eq!((fed.bench.manifests().await?, fed.dead().await?), (30, 0));
    Ok(())
}

#[tokio::test]
async fn everything_goes_back_at_once_when_the_work_is_stopped() -> anyhow::Result<()> {
    let fed = Fed::new().await?;
    let mut records = Vec::new();
    for number in 0..8 {
        let key = format!("in/{number}");
        records.push(fed.put(&key).await?);
        fed.bench.stage.tell(&key, [Act::Hold]);
    }
    // One message with more records than slots, and one that is parked.
    fed.send(&records).await?;
    let parked = fed.put("in/parked").await?;
    fed.bench.stage.tell("in/parked", vec![Act::NotReady; 1000]);
    fed.send(&[parked]).await?;
    let running = fed.start();
    until("all slots are busy", async || fed.bench.stage.runs().len() >= 4).await?;
    running.shutdown.intake.cancel();
    running.shutdown.work.cancel();
    running.ended().await?;
    let depth = fed.queue.depth().await?;
    assert_eq!((depth.visible, depth.in_flight), (2, 0), "visible long before their time");
    Ok(())
}

#[tokio::test]
async fn messages_that_an_open_poll_brings_after_the_end_go_back() -> anyhow::Result<()> {
    let fed = Fed::new().await?;
    let told = fed.put("in/a").await?;
    let running = fed.start();
    // The poll under way began before the end of the intake and waits half a second.
    tokio::time::sleep(Duration::from_millis(50)).await;
    running.shutdown.intake.cancel();
    tokio::time::sleep(Duration::from_millis(50)).await;
    fed.send(&[told]).await?;
    running.ended().await?;
    assert_eq!(fed.queue.depth().await?, Depth { visible: 1, ..Depth::default() });
    assert!(fed.bench.stage.runs().is_empty());
    Ok(())
}

#[tokio::test]
async fn the_present_version_is_worked_on_when_that_of_the_event_is_gone() -> anyhow::Result<()> {
    let fed = Fed::new().await?;
    let mut told = fed.put("in/a").await?;
    told["s3"]["object"]["eTag"] = json!("of an earlier content");
    let gone = {
        let mut gone = told.clone();
        gone["s3"]["object"]["key"] = json!("in/gone");
        gone
    };
    fed.send(&[told, gone]).await?;
    let running = fed.start();
    fed.until_labels("in/a", &["done"]).await?;
    fed.until_labels("in/gone", &["ignored"]).await?;
    fed.until_empty().await?;
    end(running).await?;
    assert_eq!(fed.bench.manifests().await?, 1);
    Ok(())
}

#[tokio::test]
async fn keys_that_a_server_sends_as_they_are_and_events_without_a_version_are_found() -> anyhow::Result<()> {
    let fed = Fed::new().await?;
    let raw = fed.put("in/1+1").await?;
    let mut incomplete = fed.put("in/b").await?;
    incomplete["s3"]["object"] = json!({ "key": "in/b" });
    let mut missing = incomplete.clone();
    missing["s3"]["object"] = json!({ "key": "in/missing" });
    fed.send(&[raw, incomplete, missing]).await?;
    let running = fed.start();
    fed.until_labels("in/1+1", &["done"]).await?;
    fed.until_labels("in/b", &["done"]).await?;
    fed.until_empty().await?;
    end(running).await?;
    assert_eq!(fed.bench.recorder.ignored(), [IgnoreReason::Superseded]);
    Ok(())
}

#[tokio::test]
async fn lost_events_are_found_by_the_sweep() -> anyhow::Result<()> {
    let fed = Fed::new().await?;
    let told = fed.put("in/told").await?;
    fed.bench.put("in/lost").await?;
    fed.send(&[told]).await?;
    let sweep = fed.bench.source(PollMode::Every(Duration::from_millis(100)));
    let source = ReconciledSource::new(fed.bench.events(&fed.queue), sweep);
    let running = fed.bench.start_with(fed.bench.service("only"), Box::new(source));
    until("both are done", async || matches!(fed.bench.manifests().await, Ok(2))).await?;
    fed.bench.put("in/lost later").await?;
    fed.until_labels("in/lost later", &["done"]).await?;
    fed.until_empty().await?;
    end(running).await?;
    assert_eq!(fed.runs_of("in/told"), 1);
    Ok(())
}

#[tokio::test]
async fn young_objects_are_left_to_their_events_by_the_sweep() -> anyhow::Result<()> {
    let fed = Fed::new().await?;
    // The listing comes to them in this order, and there is one slot.
    let told = fed.put("in/1 young").await?;
    for key in ["in/2 young", "in/3 old"] {
        fed.bench.put(key).await?;
    }
    fed.bench.blobs.backdate(&uri("in/3 old"), LONG)?;
    let sweep = fed.bench.source_of(PollMode::Every(Duration::from_millis(100)), LONG);
    let source = ReconciledSource::new(fed.bench.events(&fed.queue), sweep);
    let one_by_one = EngineSettings { slots: 1, ..fed.bench.service("only") };
    let running = fed.bench.start_with(one_by_one, Box::new(source));
    fed.until_labels("in/3 old", &["done"]).await?;
    assert_eq!((fed.runs_of("in/1 young"), fed.runs_of("in/2 young")), (0, 0), "they are passed over");

    fed.send(&[told]).await?;
    fed.until_labels("in/1 young", &["done"]).await?;
    fed.until_empty().await?;
    assert_eq!(fed.runs_of("in/2 young"), 0, "nobody told of it");
    fed.bench.blobs.backdate(&uri("in/2 young"), LONG)?;
    fed.until_labels("in/2 young", &["done"]).await?;
    end(running).await
}
