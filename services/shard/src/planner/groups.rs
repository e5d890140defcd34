//! Splits: near-duplicates stay together, and what was assigned once stays where it is.

use std::collections::HashMap;

use manifest_store::{ManifestStore, ReadySample, SplitAssignment};
use pipeline::StageError;
use types::{DatasetName, ImageId};

use super::PlannerSettings;

/// Images whose 64-bit perceptual hashes differ in at most this many bits are near-duplicates.
const MAX_DISTANCE: u32 = 3;
const PAGE: u32 = 10_000;

/// The place of every sample, frozen in the store: images without one get theirs now.
pub(super) async fn assign(
    store: &dyn ManifestStore,
    dataset: &DatasetName,
    samples: &[ReadySample],
    settings: &PlannerSettings,
) -> Result<HashMap<ImageId, SplitAssignment>, StageError> {
    let frozen = load(store, dataset).await?;
    let fresh = propose(samples, &frozen, settings);
    if fresh.is_empty() {
        return Ok(frozen);
    }
    for page in fresh.chunks(PAGE as usize) {
        store.freeze_splits(dataset, page).await?;
    }
    // Another planner may have been first: what the store says counts.
    load(store, dataset).await
}

async fn load(
    store: &dyn ManifestStore,
    dataset: &DatasetName,
) -> Result<HashMap<ImageId, SplitAssignment>, StageError> {
    let mut all = HashMap::new();
    let mut after = None;
    loop {
        let page = store.splits(dataset, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(all) };
        after = Some(last.image_id);
        all.extend(page.iter().map(|assignment| (assignment.image_id, *assignment)));
    }
}

/// Assignments for the samples that have none: a group with frozen members follows the one with the smallest id.
fn propose(
    samples: &[ReadySample],
    frozen: &HashMap<ImageId, SplitAssignment>,
    settings: &PlannerSettings,
) -> Vec<SplitAssignment> {
    let hashes: Vec<_> =
        samples.iter().map(|sample| (sample.original.image_id, sample.original.perceptual_hash)).collect();
    let groups = shards::near_duplicate_groups(&hashes, MAX_DISTANCE);
    let mut places: HashMap<ImageId, SplitAssignment> = HashMap::new();
    for ((image, _), group) in hashes.iter().zip(&groups) {
        if let Some(known) = frozen.get(image) {
            let place = places.entry(*group).or_insert(*known);
            if known.image_id < place.image_id {
                *place = *known;
            }
        }
    }
    let mut fresh = Vec::new();
    for ((image, _), group) in hashes.iter().zip(&groups) {
        if frozen.contains_key(image) {
            continue;
        }
        let place = places.get(group);
        fresh.push(SplitAssignment {
            image_id: *image,
            group_id: place.map_or(*group, |place| place.group_id),
            split: place
                .map_or_else(|| settings.split_ratios.assign(&settings.seed, *group), |place| place.split),
        });
    }
    fresh
}
