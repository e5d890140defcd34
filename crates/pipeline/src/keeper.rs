//! Keeps a claim while its work runs.

use std::sync::Arc;
use std::time::Duration;

use manifest_store::{Claim, ManifestStore};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Renews a claim's lease in the background until dropped. When the claim is lost, or could not be renewed
/// before its lease ended, it cancels the work.
#[derive(Debug)]
pub(crate) struct Keeper {
    task: JoinHandle<()>,
}

impl Keeper {
    pub(crate) fn start(
        store: Arc<dyn ManifestStore>,
        claim: Claim,
        lease: Duration,
        work: CancellationToken,
    ) -> Self {
        let task = tokio::spawn(async move { keep(store.as_ref(), &claim, lease, &work).await });
        Self { task }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep(store: &dyn ManifestStore, claim: &Claim, lease: Duration, work: &CancellationToken) {
    let mut ends = Instant::now() + lease;
    loop {
        tokio::time::sleep(lease / 3).await;
        // Counted from before the call: the database's clock started our lease at that time or later.
        let asked = Instant::now();
        match tokio::time::timeout(lease / 3, store.renew(std::slice::from_ref(claim), lease)).await {
            Ok(Ok(kept)) if kept == [true] => ends = asked + lease,
            Ok(Ok(_)) => {
                tracing::warn!(object = %claim.key.object, "claim lost, work stopped");
                return work.cancel();
            }
            Ok(Err(error)) => tracing::warn!(%error, "claim not renewed"),
            Err(_) => tracing::warn!("claim not renewed: the manifest store does not answer"),
        }
        if Instant::now() + lease / 3 >= ends {
            tracing::warn!(object = %claim.key.object, "lease about to end unrenewed, work stopped");
            return work.cancel();
        }
    }
}
