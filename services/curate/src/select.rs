//! Which samples of a version a request takes.

use std::fs::File;
use std::path::Path;

use dataset_builder::{PlannedSample, SampleSource, ShardPlan};
use pipeline::{StageError, Work};
use shards::{SampleRow, ShardError};
use types::{DatasetVersionManifest, RejectCode, S3Uri, Split, VersionNumber};

use crate::CurationRequest;
use crate::stage::TABLE_BYTES;

/// Reads the version's sample table and keeps what the request asks for: one plan per split that has samples,
/// samples in seeded order, not yet cut into shards. Holds about 1 KiB per chosen sample in memory.
pub(crate) async fn select(
    work: &Work,
    request: &CurationRequest,
    manifest: &DatasetVersionManifest,
    folder: &S3Uri,
) -> Result<Vec<ShardPlan>, StageError> {
    let table = folder.join("samples.parquet");
    let summary = work.blobs.head(&table).await?;
    let path = work.workspace.output(&"source.parquet".parse().expect("a plain file name"))?;
    work.blobs.download(&summary.object, &path, TABLE_BYTES / 2).await?;
    let wanted = request.clone();
    let read = work.cpu.run(move || choose(&path, &wanted)).await?;
    let rows = read.map_err(|error| StageError::rejected(RejectCode::Corrupt, error.to_string()))?;
    let plans: Vec<_> =
        Split::ALL.into_iter().filter_map(|split| plan(request, manifest, &rows, split)).collect();
    if plans.is_empty() {
        return Err(StageError::rejected(RejectCode::InvalidRequest, "no sample of the version matches"));
    }
    Ok(plans)
}

fn choose(path: &Path, request: &CurationRequest) -> Result<Vec<SampleRow>, ShardError> {
    let wanted = |row: &SampleRow| {
        row.variant == request.variant
            && (request.splits.is_empty() || request.splits.contains(&row.split))
            && row.source_width >= request.min_width
            && row.source_height >= request.min_height
    };
    let rows = shards::read_samples_parquet(File::open(path)?)?;
    rows.filter(|row| row.as_ref().map_or(true, wanted)).collect()
}

fn plan(
    request: &CurationRequest,
    manifest: &DatasetVersionManifest,
    rows: &[SampleRow],
    split: Split,
) -> Option<ShardPlan> {
    let mut samples: Vec<_> = rows.iter().filter(|row| row.split == split).map(planned).collect();
    shards::sort_seeded(&request.seed, &mut samples, |sample| sample.image_id);
    samples.truncate(request.limit.unwrap_or(usize::MAX));
    let extension = samples.first()?.uri.key().rsplit('.').next()?.to_owned();
    Some(ShardPlan {
        dataset: request.name.clone(),
        // Known only once the store has given it; the plan is completed then.
        version: VersionNumber::FIRST,
        variant: request.variant.clone(),
        split,
        number: 0,
        normalization_policy_hash: manifest.normalization_policy_hash,
        extension,
        samples,
    })
}

fn planned(row: &SampleRow) -> PlannedSample {
    PlannedSample {
        image_id: row.key,
        group_id: row.group,
        source: SampleSource {
            uri: row.source_uri.clone(),
            key: row.source_key.clone(),
            sha256: row.source_sha256,
            width: row.source_width,
            height: row.source_height,
            orientation: row.orientation,
            copies: row.copies.into(),
        },
        uri: row.variant_uri.clone(),
        sha256: row.variant_sha256,
        bytes: row.image_bytes,
        width: row.width,
        height: row.height,
        affine: row.affine,
    }
}
