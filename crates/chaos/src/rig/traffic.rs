//! What went over the wire, and what the services say of themselves.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use queue::{Depth, Queue as _};
use serde_json::Value;
use testkit::{FaultProxy, LoggedRequest, Matcher, RuleId, Service};

use super::puts::Told;
use crate::{Class, Pod, Rig};

/// Requests for objects of the inbox whose path has this in it; keys stand percent-encoded there.
pub(crate) fn fetching(part: &str) -> Matcher {
    Matcher::any().method("GET").path_contains("/inbox/chaos/").path_contains(part)
}

/// The receipts in a batch of answers to the queue.
pub(crate) fn receipts(request: &LoggedRequest) -> Vec<String> {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let entries = body.get("Entries").and_then(Value::as_array).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.get("ReceiptHandle")?.as_str()?.to_owned())).collect()
}

/// Waits until this many requests have met a rule.
///
/// # Errors
/// They have not within `limit`.
pub(crate) async fn until_met(
    proxy: &FaultProxy,
    rule: RuleId,
    requests: usize,
    limit: Duration,
) -> anyhow::Result<()> {
    testkit::until(&format!("{requests} requests have met the fault"), limit, async || {
        Ok((met(proxy, rule) >= requests).then_some(()))
    })
    .await
}

/// How many requests have met a rule.
pub(crate) fn met(proxy: &FaultProxy, rule: RuleId) -> usize {
    proxy.count(|request| request.rule == Some(rule))
}

/// Starts a service and waits until it is ready.
///
/// # Errors
/// It did not start.
pub(crate) async fn started(pod: Pod) -> anyhow::Result<Service> {
    let mut pod = pod.start()?;
    pod.ready().await?;
    Ok(pod)
}

impl Rig {
    /// A small picture under this key, each number another one.
    ///
    /// # Errors
    /// As [`Rig::put`].
    pub async fn put_small(&mut self, key: &str, class: Class, number: u64) -> anyhow::Result<Told> {
        let seed = self.seed.wrapping_mul(7_000_003).wrapping_add(number);
        self.put(key, class, testkit::photo(seed, 48, 32)).await
    }

    /// How often objects of the inbox were asked for whose path has this in it.
    pub fn fetches(&self, part: &str) -> usize {
        self.s3.count(|request| {
            request.method == "GET"
                && request.path.starts_with("/inbox/chaos/")
                && request.path.contains(part)
        })
    }

    /// How often something was written to bronze whose path has this in it: `/images/`, `/manifests/`.
    pub fn writes(&self, part: &str) -> usize {
        self.s3.count(|request| {
            request.method == "PUT" && request.path.starts_with("/bronze/") && request.path.contains(part)
        })
    }

    /// How many answers of the inbox had this status.
    pub fn refusals(&self, status: u16) -> usize {
        self.s3.count(|request| request.path.starts_with("/inbox/") && request.status == Some(status))
    }

    /// How many messages the services have asked the queue to delete, repetitions included.
    pub fn deletions(&self) -> usize {
        let log = self.sqs.log();
        let calls = log.iter().filter(|request| request.target.as_deref() == Some("DeleteMessageBatch"));
        calls.map(|request| receipts(request).len()).sum()
    }

    /// Waits until the queue holds exactly this.
    ///
    /// # Errors
    /// It does not within `limit`.
    pub async fn until_depth(&self, visible: u64, in_flight: u64, limit: Duration) -> anyhow::Result<()> {
        let expected = Depth { visible, in_flight, delayed: 0 };
        testkit::until(&format!("the queue holds {expected:?}"), limit, async || {
            Ok((self.queue.depth().await? == expected).then_some(()))
        })
        .await
    }

    /// Files of work in the staging area, of all services.
    pub fn staged(&self) -> BTreeSet<PathBuf> {
        let files = walkdir::WalkDir::new(self.nvme()).into_iter().filter_map(Result::ok);
        let files = files.filter(|found| found.file_type().is_file() && found.depth() > 2);
        files.map(walkdir::DirEntry::into_path).collect()
    }
}
