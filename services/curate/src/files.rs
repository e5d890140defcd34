//! The `files` layout: one file per image, one `metadata.jsonl` per split.

use std::fmt::Write;

use dataset_builder::{PlannedSample, ShardPlan, VersionFiles, read_variant, sample_json};
use object_storage::PutOptions;
use pipeline::{Output, StageError, Work};
use serde_json::{Value, json};
use types::{S3Uri, Sha256};

/// Samples between two checkpoints.
const BATCH: usize = 256;

/// Copies every picture and describes each split; what a checkpoint says is there is not copied again.
pub(crate) async fn copy_files(
    work: &Work,
    folder: &S3Uri,
    parts: &[ShardPlan],
    uri: &S3Uri,
) -> Result<Vec<Output>, StageError> {
    let mut outputs = Vec::new();
    for part in parts {
        copy_part(work, part, folder).await?;
        let described = describe(part);
        outputs.push(Output::document(
            split_folder(part, folder).join("metadata.jsonl"),
            "application/jsonl",
            described,
            uri.clone(),
        ));
    }
    Ok(outputs)
}

/// Every copied picture with its digest, for the manifest.
pub(crate) fn listed(files: &VersionFiles<'_>, parts: &[ShardPlan]) -> Vec<(String, Sha256)> {
    let name = |part: &ShardPlan, sample: &PlannedSample| {
        let uri = place(part, sample, &files.folder);
        files.folder.relative(&uri).map(|name| (name.to_owned(), sample.sha256))
    };
    parts.iter().flat_map(|part| part.samples.iter().filter_map(move |sample| name(part, sample))).collect()
}

/// The folder of a split's pictures, in the version's folder.
fn split_folder(part: &ShardPlan, folder: &S3Uri) -> S3Uri {
    folder.join(&part.variant).join(part.split.as_str())
}

/// Where a sample's picture is, in the version's folder.
pub(crate) fn place(part: &ShardPlan, sample: &PlannedSample, folder: &S3Uri) -> S3Uri {
    split_folder(part, folder).join(&file_name(part, sample))
}

async fn copy_part(work: &Work, part: &ShardPlan, folder: &S3Uri) -> Result<(), StageError> {
    let target = split_folder(part, folder);
    let done = work.store.checkpoints(&work.claim.key).await?;
    for (number, batch) in part.samples.chunks(BATCH).enumerate() {
        let name = format!("{target}/{number}");
        if done.iter().any(|(known, _)| *known == name) {
            continue;
        }
        for sample in batch {
            copy(work, sample, &place(part, sample, folder)).await?;
        }
        work.store.put_checkpoint(&work.claim, &name, &json!(batch.len())).await?;
    }
    Ok(())
}

async fn copy(work: &Work, sample: &PlannedSample, to: &S3Uri) -> Result<(), StageError> {
    let bytes = read_variant(work.blobs.as_ref(), sample).await?;
    let options = PutOptions { sha256: Some(sample.sha256), ..PutOptions::default() };
    work.blobs.write(bytes, to, &options).await?;
    Ok(())
}

fn file_name(part: &ShardPlan, sample: &PlannedSample) -> String {
    format!("{}.{}", sample.image_id, part.extension)
}

fn describe(part: &ShardPlan) -> String {
    let mut lines = String::new();
    for sample in &part.samples {
        let mut line: Value =
            serde_json::from_slice(&sample_json(part, sample)).expect("our own JSON parses");
        if let Some(fields) = line.as_object_mut() {
            fields.insert("file_name".to_owned(), json!(file_name(part, sample)));
        }
        writeln!(lines, "{line}").expect("writing to a string does not fail");
    }
    lines
}
