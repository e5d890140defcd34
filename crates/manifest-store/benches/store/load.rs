//! Objects that are claimed and published.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::bail;
use manifest_store::{ClaimOutcome, Claims, PostgresStore};

use crate::image;

const LEASE: Duration = Duration::from_secs(600);

/// So many objects, in batches, by workers side by side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// The first one's number.
    pub(crate) first: usize,
    pub(crate) objects: usize,
    pub(crate) batch: usize,
    pub(crate) workers: usize,
}

impl Load {
    /// Claims and publishes all of them.
    pub(crate) async fn run(self, store: &PostgresStore) -> anyhow::Result<()> {
        let next = Arc::new(AtomicUsize::new(self.first));
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..self.workers {
            workers.spawn(self.work(store.clone(), Arc::clone(&next)));
        }
        while let Some(ended) = workers.join_next().await {
            ended??;
        }
        Ok(())
    }

    async fn work(self, store: PostgresStore, next: Arc<AtomicUsize>) -> anyhow::Result<()> {
        let end = self.first + self.objects;
        loop {
            let first = next.fetch_add(self.batch, Ordering::Relaxed);
            if first >= end {
                return Ok(());
            }
            claim_and_publish(&store, first..end.min(first + self.batch)).await?;
        }
    }
}

async fn claim_and_publish(store: &PostgresStore, numbers: std::ops::Range<usize>) -> anyhow::Result<()> {
    let originals: Vec<_> = numbers.map(image::original).collect();
    let keys: Vec<_> = originals.iter().map(image::claim_key).collect();
    let mut publications = Vec::with_capacity(keys.len());
    for (outcome, original) in store.claim(&keys, "bench", LEASE).await?.into_iter().zip(originals) {
        let ClaimOutcome::Owned(claim) = outcome else { bail!("not granted: {outcome:?}") };
        publications.push(image::publication(claim, original));
    }
    for answer in store.publish_all(&publications).await? {
        answer?;
    }
    Ok(())
}
