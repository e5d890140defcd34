//! What must hold at the end of every scenario. Invariants are numbered as in docs/reliability.md.

mod deleted_last;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use manifest_store::ManifestRecord;
use object_storage::{BlobStore as _, ObjectSummary};
use queue::Queue as _;
use rustix::process::Signal;
use testkit::Service;
use types::{S3Uri, Sha256, layout};

use crate::{Class, Rig};

/// How long services may take to end the last work after the faults ended.
const SETTLE: Duration = Duration::from_secs(60);
/// Longer than any grace period.
const END: Duration = Duration::from_secs(30);
/// Of the services' decoders, set by the rig.
pub(crate) const DECODE_MEMORY: u64 = 64 << 20;
/// I5: everything but decoding, in bytes.
const OTHER_MEMORY: u64 = 256 << 20;

/// What came of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verdict {
    /// Object versions put.
    pub put: usize,
    /// Published.
    pub done: usize,
    /// In quarantine, each with its reason.
    pub rejected: usize,
    /// Messages in the dead-letter queue.
    pub dead: usize,
    /// The most memory that a service had, in bytes.
    pub peak_memory: u64,
}

impl Rig {
    /// Checks everything with services that end regularly; `dead` messages are expected in the dead-letter queue.
    ///
    /// # Errors
    /// What does not hold.
    pub async fn check(&mut self, pods: Vec<Service>, dead: u64) -> anyhow::Result<Verdict> {
        self.until_queue_is_empty(SETTLE).await.context("I3: the queue is not empty")?;
        let peak_memory = stop_all(pods).await?;
        ensure!(
            peak_memory <= OTHER_MEMORY + DECODE_MEMORY * 3 / 2,
            "I5: a service had {} MiB resident",
            peak_memory >> 20
        );
        self.nvme_is_clean().await?;
        let verdict = Verdict { peak_memory, ..self.check_effects(dead).await? };
        let open = self.blobs.open_uploads(&self.bronze(), None).await?.uploads;
        ensure!(open.is_empty(), "I6: incomplete multipart uploads: {open:?}");
        Ok(verdict)
    }

    /// The same for effects alone.
    ///
    /// # Errors
    /// What does not hold.
    pub async fn check_effects(&self, dead: u64) -> anyhow::Result<Verdict> {
        let manifests = self.manifests().await?;
        self.nothing_doubled_or_unexpected(&manifests)?;
        self.nothing_lost(&manifests).await?;
        self.messages_are_deleted_last().await?;
        let found = self.dead.depth().await?;
        ensure!(
            found.visible == dead,
            "I2: {} messages in the dead-letter queue, expected {dead}",
            found.visible
        );
        self.outputs_are_right(&manifests).await?;
        Ok(Verdict {
            put: self.ledger.entries().len(),
            done: manifests.len(),
            rejected: self.rejected().await?.len(),
            dead: usize::try_from(found.visible)?,
            peak_memory: 0,
        })
    }

    /// I1: what was published is what was put, each version once.
    fn nothing_doubled_or_unexpected(&self, manifests: &[ManifestRecord]) -> anyhow::Result<()> {
        let mut seen = BTreeSet::new();
        for found in manifests {
            let source = &found.manifest.source;
            ensure!(seen.insert(source), "I1: doubled: {source}");
            let contents: BTreeSet<_> = self.contents(&source.uri).collect();
            let entry = found.manifest.entries.first().context("a manifest without an output")?;
            ensure!(contents.contains(&entry.sha256), "I1: unexpected: {source} with other bytes");
        }
        Ok(())
    }

    /// I2: each put ends in its way.
    async fn nothing_lost(&self, manifests: &[ManifestRecord]) -> anyhow::Result<()> {
        let mut done: BTreeMap<_, BTreeSet<Sha256>> = BTreeMap::new();
        for found in manifests {
            let outputs = found.manifest.entries.iter().map(|entry| entry.sha256);
            done.entry(found.manifest.source.uri.clone()).or_default().extend(outputs);
        }
        let rejected: BTreeSet<_> =
            self.rejected().await?.into_iter().map(|record| record.key.object.uri).collect();
        for entry in self.ledger.entries() {
            let uri = self.inbox(&entry.key);
            let is_done = done.get(&uri).is_some_and(|contents| contents.contains(&entry.sha256));
            match entry.class {
                Class::Picture => ensure!(is_done, "I2: lost: {uri}"),
                Class::Corrupt => ensure!(rejected.contains(&uri), "I2: not rejected: {uri}"),
                Class::Replaced | Class::Deleted => {}
            }
        }
        Ok(())
    }

    /// I1 and I6: the output of each object is there, byte for byte that of an undisturbed run (ingest copies), and
    /// nothing is there that no manifest names.
    async fn outputs_are_right(&self, manifests: &[ManifestRecord]) -> anyhow::Result<()> {
        let mut named = BTreeSet::new();
        for found in manifests {
            named.insert(found.uri.clone());
            named.extend(found.manifest.entries.iter().map(|entry| entry.output_uri.clone()));
        }
        let there = self.list(&self.bronze()).await?;
        for object in &there {
            ensure!(named.contains(&object.object.uri), "I6: no manifest names {}", object.object.uri);
        }
        let there: BTreeSet<_> = there.into_iter().map(|object| object.object.uri).collect();
        for entry in self.ledger.entries().iter().filter(|entry| entry.class == Class::Picture) {
            let output = layout::bronze_image(&self.bronze(), &self.dataset(), &entry.key, &entry.sha256);
            ensure!(there.contains(&output), "I1: the output {output} is not there");
            let content = self.blobs.read(&output, 64 << 20).await?;
            ensure!(Sha256::of(&content) == entry.sha256, "I1: {output} has other bytes");
        }
        Ok(())
    }

    /// I4: a service that starts and ends leaves nothing but its lock files, whatever was left before.
    async fn nvme_is_clean(&self) -> anyhow::Result<()> {
        let mut sweeper = self.ingest().start()?;
        sweeper.ready().await?;
        stop_all(vec![sweeper]).await?;
        let files = walkdir::WalkDir::new(self.nvme()).into_iter().filter_map(Result::ok);
        let left: Vec<_> = files
            .filter(|found| found.file_type().is_file() && found.file_name() != ".lock")
            .map(|found| found.into_path())
            .collect();
        ensure!(left.is_empty(), "I4: left in the staging area: {left:?}");
        Ok(())
    }

    fn contents(&self, uri: &S3Uri) -> impl Iterator<Item = Sha256> {
        let entries = self.ledger.entries().iter();
        entries.filter(move |entry| self.inbox(&entry.key) == *uri).map(|entry| entry.sha256)
    }

    /// Everything below a prefix.
    ///
    /// # Errors
    /// The S3 server failed.
    pub async fn list(&self, prefix: &S3Uri) -> anyhow::Result<Vec<ObjectSummary>> {
        let (mut all, mut next) = (Vec::new(), None);
        loop {
            let page = self.blobs.list(prefix, next.as_deref(), 1000).await?;
            all.extend(page.objects);
            match page.next {
                Some(token) => next = Some(token),
                None => return Ok(all),
            }
        }
    }
}

/// SIGTERM to all, and their regular ends. Answers the most memory that one had.
pub(crate) async fn stop_all(pods: Vec<Service>) -> anyhow::Result<u64> {
    let peak = pods.iter().filter_map(Service::peak_memory).max().unwrap_or(0);
    for pod in &pods {
        pod.signal(Signal::TERM)?;
    }
    for mut pod in pods {
        let status = pod.exit(END).await?;
        ensure!(status.code() == Some(0), "a service ended with {status}:\n{}", pod.log_text());
    }
    Ok(peak)
}
