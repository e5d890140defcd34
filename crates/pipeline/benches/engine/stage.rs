//! A stage that copies, and an observer that counts.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use manifest_store::Effect;
use object_storage::ObjectSummary;
use pipeline::{
    Accepted, Content, Demand, Ending, Event, Input, InputMode, Metrics, Observer, Outcome, Output,
    Processed, Route, Stage, StageError, Work,
};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;
use types::{
    DatasetName, ImageId, LineageEdge, Orientation, OriginalRecord, PolicyHash, RejectReason, Relation,
    S3Uri, Sha256, StageName,
};

/// Does what ingest does, without looking at the picture: one output, one edge, one original.
#[derive(Debug)]
pub(crate) struct CopyStage {
    pub(crate) dataset: DatasetName,
    pub(crate) output: S3Uri,
}

impl CopyStage {
    fn original(&self, object: &ObjectSummary, to: &S3Uri, sha256: Sha256) -> OriginalRecord {
        OriginalRecord {
            source: object.object.clone(),
            bronze_uri: to.clone(),
            key: object.object.uri.key().to_owned(),
            image_id: ImageId::of(&sha256),
            sha256,
            bytes: object.bytes,
            format: "jpeg".to_owned(),
            width: 4000,
            height: 3000,
            orientation: Orientation::Rotate90,
            pixel_hash: sha256,
            perceptual_hash: 7,
            exif: Value::Null,
            animated: false,
        }
    }
}

#[async_trait]
impl Stage for CopyStage {
    fn name(&self) -> StageName {
        StageName::Ingest
    }

    fn policy(&self) -> PolicyHash {
        PolicyHash::of("copy")
    }

    fn input(&self) -> InputMode {
        InputMode::Staged { max_bytes: 1 << 20 }
    }

    fn manifest_folder(&self, dataset: &DatasetName) -> S3Uri {
        self.output.join(&format!("{dataset}/manifests"))
    }

    fn route(&self, _object: &ObjectSummary) -> Route {
        Route::Accept(Accepted { dataset: self.dataset.clone() })
    }

    fn demand(&self, object: &ObjectSummary, _document: Option<&Bytes>) -> Result<Demand, RejectReason> {
        Ok(Demand { nvme_bytes: object.bytes })
    }

    async fn process(&self, work: &Work) -> Result<Outcome, StageError> {
        let Input::File { path, bytes, sha256 } = work.input.clone() else {
            unreachable!("the input is staged");
        };
        // Nothing is computed, but every stage goes there and back.
        work.cpu.run(|| ()).await?;
        let from = work.object.object.uri.clone();
        let to = self.output.join(&format!("{}/{}", self.dataset, from.key()));
        let original = self.original(&work.object, &to, sha256);
        let lineage =
            vec![LineageEdge { parent: from.clone(), child: to.clone(), relation: Relation::Copied }];
        let output = Output {
            content: Content::File(path),
            uri: to,
            content_type: "image/jpeg",
            bytes,
            sha256,
            source_uri: from,
            fields: Map::new(),
        };
        let effects = vec![Effect::Original(original)];
        Ok(Processed { outputs: vec![output], lineage, effects, ..Processed::default() }.into())
    }
}

/// The metrics of a service, and a count that ends the run.
#[derive(Debug)]
pub(crate) struct Counter {
    metrics: Metrics,
    left: AtomicUsize,
    other: Mutex<Vec<Ending>>,
    last: Mutex<Instant>,
    /// Fires at the last object.
    pub(crate) all_done: CancellationToken,
}

impl Counter {
    /// Fires `all_done` after so many objects.
    pub(crate) fn new(metrics: Metrics, objects: usize, all_done: CancellationToken) -> Self {
        let (left, last) = (AtomicUsize::new(objects), Mutex::new(Instant::now()));
        Self { metrics, left, other: Mutex::default(), last, all_done }
    }

    /// When the last object was done.
    pub(crate) fn last(&self) -> Instant {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Endings other than success.
    pub(crate) fn other(&self) -> Vec<Ending> {
        self.other.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Observer for Counter {
    fn observe(&self, event: &Event<'_>) {
        self.metrics.observe(event);
        let Event::Finished { ending, .. } = event else { return };
        if !matches!(ending, Ending::Done) {
            return self.other.lock().unwrap_or_else(PoisonError::into_inner).push((*ending).clone());
        }
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
            self.all_done.cancel();
        }
    }
}
