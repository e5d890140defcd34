//! Waiting for the services.

use std::collections::BTreeSet;
use std::time::Duration;

use manifest_store::{ClaimStatus, ManifestRecord, RejectedRecord};
use queue::{Depth, Queue as _};
use types::{S3Uri, StageName};

use super::puts::Told;
use crate::Rig;

/// A page of the manifest store.
const PAGE: u32 = 1000;

impl Rig {
    /// Waits until each of these object versions is settled.
    ///
    /// # Errors
    /// They are not within `limit`.
    pub async fn until_done(&self, objects: &[Told], limit: Duration) -> anyhow::Result<()> {
        testkit::until("these objects are settled", limit, async || {
            for object in objects {
                let uri = S3Uri::new("inbox".parse()?, object.key.as_str());
                let known = self.store.processed(StageName::Ingest, &uri).await?;
                let settled = known.iter().any(|record| {
                    record.key.object.version == object.etag
                        && matches!(record.status, ClaimStatus::Settled(_))
                });
                if !settled {
                    return Ok(None);
                }
            }
            Ok(Some(()))
        })
        .await
    }

    /// Waits until at least this many object versions are done or rejected.
    ///
    /// # Errors
    /// They are not within `limit`.
    pub async fn until_settled(&self, count: usize, limit: Duration) -> anyhow::Result<()> {
        testkit::until(&format!("{count} objects are settled"), limit, async || {
            Ok((self.settled().await? >= count).then_some(()))
        })
        .await
    }

    /// How many object versions are done or rejected.
    ///
    /// # Errors
    /// The manifest store failed.
    pub async fn settled(&self) -> anyhow::Result<usize> {
        let done: BTreeSet<_> =
            self.manifests().await?.into_iter().map(|found| found.manifest.source).collect();
        Ok(done.len() + self.rejected().await?.len())
    }

    /// Waits until the queue is empty: nothing visible, nothing in flight.
    ///
    /// # Errors
    /// It is not within `limit`.
    pub async fn until_queue_is_empty(&self, limit: Duration) -> anyhow::Result<()> {
        testkit::until("the queue is empty", limit, async || {
            Ok((self.queue.depth().await? == Depth::default()).then_some(()))
        })
        .await
    }

    /// Everything that ingest published.
    ///
    /// # Errors
    /// The manifest store failed.
    pub async fn manifests(&self) -> anyhow::Result<Vec<ManifestRecord>> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = self.store.manifests(&self.dataset(), StageName::Ingest, after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(all) };
            after = Some(last.id);
            all.extend(page);
        }
    }

    /// Everything in quarantine.
    ///
    /// # Errors
    /// The manifest store failed.
    pub async fn rejected(&self) -> anyhow::Result<Vec<RejectedRecord>> {
        let (mut all, mut after) = (Vec::<RejectedRecord>::new(), None);
        loop {
            let page = self.store.rejected(&self.dataset(), after.as_ref(), PAGE).await?;
            let Some(last) = page.last() else { return Ok(all) };
            after = Some(last.key.clone());
            all.extend(page);
        }
    }
}
