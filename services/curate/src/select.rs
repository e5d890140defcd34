//! Which samples of a version a request takes.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::path::Path;

use dataset_builder::{AnnotationSettings, PlannedSample, ShardPlan};
use pipeline::{StageError, Work};
use shards::{SampleRow, ShardError};
use types::{DatasetVersionManifest, RejectCode, S3Uri, Split, VersionNumber};

use crate::CurationRequest;
use crate::stage::TABLE_BYTES;

/// The version that samples are chosen from.
pub(crate) struct Source<'a> {
    pub(crate) manifest: &'a DatasetVersionManifest,
    pub(crate) folder: &'a S3Uri,
    pub(crate) annotations: &'a AnnotationSettings,
}

/// Reads the version's sample table and keeps what the request asks for: one plan per split that has samples,
/// samples in seeded order, not yet cut into shards. Holds about 1 KiB per chosen sample in memory, and its annotation.
pub(crate) async fn select(
    work: &Work,
    request: &CurationRequest,
    source: &Source<'_>,
) -> Result<Vec<ShardPlan>, StageError> {
    let table = source.folder.join("samples.parquet");
    let summary = work.blobs.head(&table).await?;
    let path = work.workspace.output(&"source.parquet".parse().expect("a plain file name"))?;
    work.blobs.download(&summary.object, &path, TABLE_BYTES / 2).await?;
    let wanted = request.clone();
    let read = work.cpu.run(move || choose(&path, &wanted)).await?;
    let chosen = read.map_err(|error| StageError::rejected(RejectCode::Corrupt, error.to_string()))?;
    let plans: Vec<_> =
        Split::ALL.into_iter().filter_map(|split| plan(request, source, &chosen, split)).collect();
    if plans.is_empty() {
        return Err(StageError::rejected(RejectCode::InvalidRequest, "no sample of the version matches"));
    }
    Ok(plans)
}

/// A chosen sample, and its split.
type Chosen = (Split, PlannedSample);

fn choose(path: &Path, request: &CurationRequest) -> Result<Vec<Chosen>, ShardError> {
    let wanted = |row: &SampleRow| {
        row.variant == request.variant
            && (request.splits.is_empty() || request.splits.contains(&row.split))
            && row.source_width >= request.min_width
            && row.source_height >= request.min_height
            && request.reviewed.is_none_or(|reviewed| reviewed != row.annotation.is_empty())
    };
    let labelled = |sample: &PlannedSample| request.labels.is_empty() || sample.has_any(&request.labels);
    let mut chosen = Vec::new();
    for row in shards::read_samples_parquet(File::open(path)?)? {
        let row = row?;
        if wanted(&row) {
            let sample = PlannedSample::try_from(&row)?;
            if labelled(&sample) {
                chosen.push((row.split, sample));
            }
        }
    }
    Ok(chosen)
}

fn plan(
    request: &CurationRequest,
    source: &Source<'_>,
    chosen: &[Chosen],
    split: Split,
) -> Option<ShardPlan> {
    let of_split = chosen.iter().filter(|(of, _)| *of == split);
    let mut samples: Vec<_> = of_split.map(|(_, sample)| sample.clone()).collect();
    shards::sort_seeded(&request.seed, &mut samples, |sample| sample.image_id);
    if let Some(limit) = request.limit_per_class {
        keep_per_class(&mut samples, limit);
    }
    samples.truncate(request.limit.unwrap_or(usize::MAX));
    let extension = samples.first()?.extension().to_owned();
    Some(ShardPlan {
        dataset: request.name.clone(),
        // Known only once the store has given it; the plan is completed then.
        version: VersionNumber::FIRST,
        variant: request.variant.clone(),
        split,
        number: 0,
        normalization_policy_hash: source.manifest.normalization_policy_hash,
        extension,
        annotations: source.annotations.clone(),
        samples,
    })
}

/// Leaves out, in order, samples all of whose labels are in `limit` samples already. Samples without labels stay.
fn keep_per_class(samples: &mut Vec<PlannedSample>, limit: u64) {
    let mut counts: HashMap<String, u64> = HashMap::new();
    samples.retain(|sample| {
        let found: BTreeSet<&str> = sample.labels().collect();
        let room = |label: &&str| counts.get(*label).is_none_or(|count| *count < limit);
        let keep = found.is_empty() || found.iter().any(room);
        if keep {
            found.iter().for_each(|label| *counts.entry((*label).to_owned()).or_default() += 1);
        }
        keep
    });
}
