//! Steps 7 and 8: outputs up, then one transaction.

use std::time::{Duration, Instant};

use futures::{FutureExt, StreamExt, TryStreamExt, stream};
use manifest_store::{Publication, StoreError};
use object_storage::StorageError;
use serde_json::Value;
use types::{ManifestEntry, S3Uri, Sha256, StageManifest};

use super::Engine;
use crate::{Event, Output, Processed, StageError, StepError, Work};

const PARALLEL_UPLOADS: usize = 4;
const COMMIT_TRIES: u32 = 3;

impl Engine {
    pub(super) async fn publish(&self, work: &Work, processed: Processed) -> Result<(), StepError> {
        let begun = Instant::now();
        let publication = self.publication(work, &processed);
        let uploaded = self.upload_all(&processed, &publication).await;
        uploaded.map_err(|error| StepError { step: "upload", error })?;
        self.observer.observe(&Event::Step { step: "upload", took: begun.elapsed() });
        fail::fail_point!("publishing");
        let begun = Instant::now();
        let committed = self.commit(publication).await;
        committed.map_err(|error| StepError { step: "publish", error: error.into() })?;
        self.observer.observe(&Event::Step { step: "publish", took: begun.elapsed() });
        fail::fail_point!("published");
        Ok(())
    }

    fn publication(&self, work: &Work, processed: &Processed) -> Publication {
        let key = &work.claim.key;
        let outputs = processed.outputs.iter().chain(&processed.finals);
        let manifest = StageManifest {
            dataset: key.dataset.clone(),
            stage: key.stage,
            policy_hash: key.policy,
            source: key.object.clone(),
            metadata: processed.metadata.clone(),
            entries: outputs.map(entry).collect(),
        };
        Publication {
            manifest_uri: self.manifest_uri(work),
            claim: work.claim.clone(),
            manifest,
            lineage: processed.lineage.clone(),
            effects: processed.effects.clone(),
        }
    }

    /// Derived from what was claimed, so that a repetition of the work writes the same object.
    fn manifest_uri(&self, work: &Work) -> S3Uri {
        let key = &work.claim.key;
        let mut name = Sha256::of(format!("{}\0{}", key.object.uri, key.object.version)).to_hex();
        name.truncate(32);
        self.stage.manifest_folder(&key.dataset).join(&format!("{name}-{}.json", key.policy.short()))
    }

    async fn upload_all(&self, processed: &Processed, publication: &Publication) -> Result<(), StageError> {
        // Collected first: a stream of closures over borrows is not `Send` for every lifetime.
        let uploads: Vec<_> = processed.outputs.iter().map(|output| self.upload(output).boxed()).collect();
        stream::iter(uploads).buffer_unordered(PARALLEL_UPLOADS).try_collect::<()>().await?;
        let manifest = serde_json::to_vec_pretty(&publication.manifest).expect("a manifest is plain JSON");
        let source = publication.claim.key.object.uri.clone();
        let manifest =
            Output::document(publication.manifest_uri.clone(), "application/json", manifest, source);
        self.upload(&manifest).await?;
        for output in &processed.finals {
            self.upload(output).await?;
        }
        Ok(())
    }

    async fn upload(&self, output: &Output) -> Result<(), StorageError> {
        output.upload(self.backends.output.as_ref()).await?;
        self.observer.observe(&Event::Uploaded { bytes: output.bytes });
        Ok(())
    }

    /// Publishing twice under one token is harmless, so a lost answer is answered by asking again.
    async fn commit(&self, publication: Publication) -> Result<(), StoreError> {
        let mut tries = 1;
        loop {
            let cut_short = || Err(StoreError::Unknown("the call was cut short".to_owned()));
            match self.publications.ask(publication.clone()).await.unwrap_or_else(cut_short) {
                Err(StoreError::Unknown(error) | StoreError::Unavailable(error)) if tries < COMMIT_TRIES => {
                    tracing::warn!(%error, tries, "commit not confirmed, asking again");
                    tokio::time::sleep(Duration::from_millis(200) * tries).await;
                    tries += 1;
                }
                result => return result,
            }
        }
    }
}

fn entry(output: &Output) -> ManifestEntry {
    let fields = output.fields.iter().filter(|(_, value)| !matches!(value, Value::Null));
    ManifestEntry {
        source_uri: output.source_uri.clone(),
        output_uri: output.uri.clone(),
        bytes: output.bytes,
        sha256: output.sha256,
        fields: fields.map(|(name, value)| (name.clone(), value.clone())).collect(),
    }
}
