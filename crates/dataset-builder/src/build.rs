//! A plan becomes a tar.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::{FutureExt, StreamExt, stream};
use object_storage::{BlobStore, StorageError};
use pipeline::{Output, StageError};
use serde_json::{Map, json};
use shards::{ShardIndex, ShardWriter};
use staging::Workspace;
use tokio::sync::mpsc;
use types::{Disposition, LineageEdge, Relation, S3Uri, Sha256, ShardEntry};

use crate::{PlannedSample, ShardPlan, sample_footprint, sample_json};

const PARALLEL_READS: usize = 8;
const INDEX_BYTES_PER_SAMPLE: u64 = 512;

/// A shard that is uploaded; its indexes are small, and go with the rest.
#[derive(Debug)]
pub struct BuiltShard {
    /// The tar.
    pub entry: ShardEntry,
    /// The tar, stored already, and its indexes.
    pub outputs: Vec<Output>,
    /// Every variant's way into the tar.
    pub lineage: Vec<LineageEdge>,
}

/// Bytes on NVMe that a plan needs at most.
pub fn shard_demand(plan: &ShardPlan) -> u64 {
    let samples: u64 = plan.samples.iter().map(|sample| sample_footprint(plan, sample)).sum();
    samples + shards::TAR_EOF_BYTES + plan.samples.len() as u64 * INDEX_BYTES_PER_SAMPLE
}

/// Reads the planned variants in order, checks each against its planned digest, writes the tar on NVMe and uploads it to
/// `folder`, the variant's folder in the version: its digest is taken by that one pass. Holds a few samples in memory at a
/// time, and no file when it is done.
///
/// # Errors
/// A variant is gone or differs, a file cannot be written, or the tar cannot be uploaded.
pub async fn build_shard(
    plan: Arc<ShardPlan>,
    blobs: &dyn BlobStore,
    workspace: &Workspace,
    folder: &S3Uri,
    plan_uri: &S3Uri,
) -> Result<BuiltShard, StageError> {
    let stem = plan.stem();
    let name = format!("{stem}.tar").parse().expect("shard names are plain file names");
    let path = workspace.output(&name)?;
    let index = write_tar(Arc::clone(&plan), blobs, &path).await?;
    let uri = folder.join(&format!("{stem}.tar"));
    let tar = Output::stored(&path, uri.clone(), "application/x-tar", plan_uri.clone(), blobs).await?;
    tokio::fs::remove_file(&path).await.map_err(StageError::file(&path))?;
    let lineage = packed(&plan, &uri);
    let entry = ShardEntry {
        variant: plan.variant.clone(),
        split: plan.split,
        uri,
        samples: plan.samples.len() as u64,
        bytes: tar.bytes,
        sha256: tar.sha256,
    };
    let outputs = outputs(tar, &entry, &index, folder, &stem);
    Ok(BuiltShard { entry, outputs, lineage })
}

/// Every variant's way into the tar at `uri`.
pub fn packed(plan: &ShardPlan, uri: &S3Uri) -> Vec<LineageEdge> {
    let edge = |sample: &PlannedSample| LineageEdge {
        parent: sample.uri.clone(),
        child: uri.clone(),
        relation: Relation::Packed,
    };
    plan.samples.iter().map(edge).collect()
}

fn outputs(tar: Output, entry: &ShardEntry, index: &ShardIndex, folder: &S3Uri, stem: &str) -> Vec<Output> {
    let plan_uri = tar.source_uri.clone();
    let mut fields = Map::new();
    fields.insert("variant_name".to_owned(), json!(entry.variant));
    fields.insert("split".to_owned(), json!(entry.split));
    fields.insert("samples".to_owned(), json!(entry.samples));
    let sidecar = |name: String, content_type, bytes: Bytes| {
        Output::document(folder.join(&name), content_type, bytes, plan_uri.clone())
    };
    vec![
        Output { fields, ..tar },
        sidecar(format!("{stem}.idx"), "text/plain", index.dali_index().into()),
        sidecar(format!("{stem}.tar.idx"), "application/octet-stream", index.energon_index().into()),
    ]
}

async fn write_tar(
    plan: Arc<ShardPlan>,
    blobs: &dyn BlobStore,
    path: &Path,
) -> Result<ShardIndex, StageError> {
    let (sender, mut receiver) = mpsc::channel::<Bytes>(PARALLEL_READS);
    let (writer_plan, writer_path) = (Arc::clone(&plan), path.to_owned());
    let writer = tokio::task::spawn_blocking(move || {
        let failed = |error| shard_error(error, &writer_path);
        let file = File::create_new(&writer_path).map_err(StageError::file(&writer_path))?;
        let mut tar = ShardWriter::new(file);
        for sample in &writer_plan.samples {
            let Some(picture) = receiver.blocking_recv() else { return Ok(None) };
            check(sample, &picture)?;
            let key = sample.image_id.to_string();
            let json = sample_json(&writer_plan, sample);
            let members = [(writer_plan.extension.as_str(), &picture[..]), ("json", &json[..])];
            tar.append(&key, &members).map_err(failed)?;
        }
        tar.finish().map(|(_, index)| Some(index)).map_err(failed)
    });
    let read = read_in_order(&plan, blobs, sender).await;
    let written = writer.await.map_err(|_| StageError::Panicked(pipeline::Panicked))?;
    read?;
    written?.ok_or(StageError::Cancelled)
}

async fn read_in_order(
    plan: &ShardPlan,
    blobs: &dyn BlobStore,
    sender: mpsc::Sender<Bytes>,
) -> Result<(), StageError> {
    let reads = plan.samples.iter().map(|sample| blobs.read(&sample.uri, sample.bytes).boxed());
    let mut pictures = stream::iter(reads.collect::<Vec<_>>()).buffered(PARALLEL_READS);
    while let Some(picture) = pictures.next().await {
        if sender.send(picture?).await.is_err() {
            // The writer stopped: its own error says why.
            break;
        }
    }
    Ok(())
}

/// A planned variant's bytes, compared with their planned digest.
///
/// # Errors
/// The variant is gone or differs.
pub async fn read_variant(blobs: &dyn BlobStore, sample: &PlannedSample) -> Result<Bytes, StageError> {
    let bytes = blobs.read(&sample.uri, sample.bytes).await?;
    check(sample, &bytes)?;
    Ok(bytes)
}

fn check(sample: &PlannedSample, bytes: &[u8]) -> Result<(), StageError> {
    if Sha256::of(bytes) == sample.sha256 {
        return Ok(());
    }
    let problem = format!("expected sha256 {}, {} bytes", sample.sha256, sample.bytes);
    Err(StorageError::Damaged { uri: sample.uri.clone(), problem }.into())
}

pub(crate) fn shard_error(error: shards::ShardError, path: &Path) -> StageError {
    match error.disposition() {
        Disposition::Reject(reason) => StageError::Rejected(reason),
        Disposition::Retry { .. }
        | Disposition::Outage { .. }
        | Disposition::Cancelled
        | Disposition::Unknown => StageError::file(path)(std::io::Error::other(error)),
    }
}
