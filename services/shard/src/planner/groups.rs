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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Value;
    use types::{ObjectVersion, OriginalRecord, S3Uri, Sha256, Split};

    use super::*;

    fn sample(name: &str, perceptual_hash: u64) -> ReadySample {
        let sha256 = Sha256::of(name);
        let uri = S3Uri::new("bucket".parse().expect("a valid name"), name);
        let original = OriginalRecord {
            key: name.to_owned(),
            source: ObjectVersion { uri: uri.clone(), version: "1".to_owned() },
            bronze_uri: uri,
            image_id: ImageId::of(&sha256),
            sha256,
            bytes: 1,
            format: "jpeg".to_owned(),
            width: 1,
            height: 1,
            orientation: types::Orientation::Upright,
            pixel_hash: sha256,
            perceptual_hash,
            exif: Value::Null,
            animated: false,
        };
        ReadySample { original, copies: 1, variants: Vec::new() }
    }

    fn settings(ratios: &str) -> PlannerSettings {
        PlannerSettings {
            shard_bytes: 1 << 20,
            split_ratios: ratios.parse().expect("valid shares"),
            seed: "seed".to_owned(),
            clip: annotations::ClipPolicy::default(),
            settle: Duration::ZERO,
        }
    }

    #[test]
    fn near_duplicates_get_one_split_whatever_the_shares() {
        // Three bits apart, twice: the first and the last differ in six bits and are held together by the second.
        let samples =
            [sample("a", 0b000_000), sample("b", 0b000_111), sample("c", 0b111_111), sample("d", u64::MAX)];
        for seed in 0..50 {
            let settings = PlannerSettings { seed: seed.to_string(), ..settings("34/33/33") };
            let fresh = propose(&samples, &HashMap::new(), &settings);
            assert_eq!(fresh.len(), 4);
            assert!(fresh.iter().take(3).all(|place| place.split == fresh[0].split), "{fresh:?}");
            assert!(fresh.iter().take(3).all(|place| place.group_id == fresh[0].group_id), "{fresh:?}");
            assert_ne!(fresh[3].group_id, fresh[0].group_id);
        }
    }

    #[test]
    fn new_images_follow_their_frozen_near_duplicate_and_frozen_ones_never_move() {
        let (old, new) = (sample("old", 7), sample("new", 3));
        let image_id = old.original.image_id;
        let place = SplitAssignment { image_id, group_id: image_id, split: Split::Test };
        let frozen = HashMap::from([(image_id, place)]);
        let fresh = propose(&[old, new.clone()], &frozen, &settings("100/0/0"));
        let expected =
            SplitAssignment { image_id: new.original.image_id, group_id: image_id, split: Split::Test };
        assert_eq!(fresh, [expected]);
    }
}
