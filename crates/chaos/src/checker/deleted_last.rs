//! I8: a message is deleted after what it tells of was published, never before.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use s3_events::{EventKind, Notification};
use serde::Deserialize;
use serde_json::Value;
use testkit::LoggedRequest;

use crate::rig::traffic::receipts;
use crate::{Class, Rig};

/// When each object version was published first, and the time of the same clock.
const PUBLISHED: &str = "
    SELECT json_build_object(
        'now', floor(extract(epoch FROM clock_timestamp()) * 1000000),
        'published', (
            SELECT coalesce(json_agg(json_build_array(
                       source_key, source_version, floor(extract(epoch FROM created_at) * 1000000))), '[]')
            FROM (SELECT source_key, source_version, min(created_at) AS created_at FROM manifests
                  WHERE stage = 'ingest' GROUP BY source_key, source_version) AS first))";

/// Times in microseconds by the database's clock.
#[derive(Deserialize)]
struct Answer {
    now: u64,
    published: Vec<(String, String, u64)>,
}

/// Key and ETag.
type Version = (String, String);

impl Rig {
    /// Compares what the proxy before the queue saw with the times in the manifest store, both of this machine. A
    /// publication's time is taken just before its commit: a message that is deleted between the two is not found.
    pub(super) async fn messages_are_deleted_last(&self) -> anyhow::Result<()> {
        let published = self.published().await?;
        let log = self.sqs.log();
        let told = told(&log);
        // What was replaced or deleted for a while is ignored meanwhile, and published when the same content comes back.
        let ledger = self.ledger.entries().iter();
        let gone = ledger.filter(|entry| matches!(entry.class, Class::Replaced | Class::Deleted));
        let gone: BTreeSet<String> = gone.map(|entry| format!("/{}", entry.key)).collect();
        let (mut deleted, mut known) = (0, 0);
        for request in log.iter().filter(|request| is(request, "DeleteMessageBatch")) {
            for receipt in receipts(request) {
                deleted += 1;
                let Some(versions) = told.get(&receipt) else { continue };
                known += 1;
                for version in versions.iter().filter(|(key, _)| !gone.iter().any(|gone| key.ends_with(gone)))
                {
                    let early = published.get(version).and_then(|at| at.checked_duration_since(request.at));
                    let early = early.unwrap_or_default();
                    ensure!(early.is_zero(), "I8: a message of {version:?} was deleted {early:?} too early");
                }
            }
        }
        ensure!(deleted == 0 || known > 0, "I8: of {deleted} deleted messages none was seen to be received");
        Ok(())
    }

    /// When each version was published at the earliest.
    async fn published(&self) -> anyhow::Result<BTreeMap<Version, Instant>> {
        let asked = Instant::now();
        let answer = self.run_statement(PUBLISHED).await?.context("an aggregate has a row")?;
        let Answer { now, published } = serde_json::from_str(&answer)?;
        let at = |(key, etag, time): (String, String, u64)| {
            // The database looked at its clock after we had looked at ours.
            let at = asked.checked_sub(Duration::from_micros(now.saturating_sub(time)))?;
            Some(((key, etag), at))
        };
        Ok(published.into_iter().filter_map(at).collect())
    }
}

/// What the messages told of that were received, by their receipts.
fn told(log: &[LoggedRequest]) -> BTreeMap<String, BTreeSet<Version>> {
    let mut told = BTreeMap::new();
    for request in log.iter().filter(|request| is(request, "ReceiveMessage")) {
        let answer: Value = serde_json::from_slice(&request.answer).unwrap_or_default();
        for message in answer.get("Messages").and_then(Value::as_array).into_iter().flatten() {
            let text = |name: &str| message.get(name).and_then(Value::as_str);
            let (Some(receipt), Some(body)) = (text("ReceiptHandle"), text("Body")) else { continue };
            let Ok(Notification::Objects(events)) = s3_events::parse(body) else { continue };
            // A removal says nothing of what is to be published.
            let created = events.into_iter().filter(|event| event.kind == EventKind::Created);
            let versions = created.filter_map(|event| Some((event.key, event.etag?)));
            told.insert(receipt.to_owned(), versions.collect());
        }
    }
    told
}

fn is(request: &LoggedRequest, target: &str) -> bool {
    request.target.as_deref() == Some(target)
}
