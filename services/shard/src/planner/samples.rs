//! The content of a version: its samples, and the digest of all that decides them.

use std::collections::{BTreeSet, HashMap};

use annotations::Record;
use dataset_builder::{PlannedSample, SampleSource, ShardPlan, VersionSettings};
use manifest_store::{ManifestStore, ReadySample, SplitAssignment};
use pipeline::StageError;
use serde_json::json;
use sha2::Digest;
use types::{DatasetName, ImageId, PolicyHash, Sha256, VariantRecord, VersionNumber};

use super::splits_of;

const PAGE: u32 = 2_000;

/// Every sample of the dataset, by image id.
pub(super) async fn load(
    store: &dyn ManifestStore,
    dataset: &DatasetName,
    policy: &PolicyHash,
) -> Result<Vec<ReadySample>, StageError> {
    let mut samples: Vec<ReadySample> = Vec::new();
    loop {
        let after = samples.last().map(|sample| sample.original.image_id);
        let page = store.ready_samples(dataset, policy, after.as_ref(), PAGE).await?;
        if page.is_empty() {
            return Ok(samples);
        }
        samples.extend(page);
    }
}

/// What a version would hold.
pub(super) struct Content<'a> {
    pub(super) dataset: &'a DatasetName,
    pub(super) settings: &'a VersionSettings,
    /// By image id.
    pub(super) samples: &'a [ReadySample],
    pub(super) places: &'a HashMap<ImageId, SplitAssignment>,
    /// What people say of images.
    pub(super) annotated: &'a HashMap<ImageId, Record>,
}

impl Content<'_> {
    /// Changes when, and only when, the version would.
    pub(super) fn digest(&self, parts: &[ShardPlan]) -> Sha256 {
        let mut hasher = sha2::Sha256::new();
        let VersionSettings { normalization_policy_hash, seed, shard_bytes, .. } = self.settings;
        // Not the split shares: they place new images only, and each sample's place is hashed below.
        hasher.update(json!([normalization_policy_hash, seed, shard_bytes]).to_string());
        if !self.annotated.is_empty() {
            // A category's number is for ever: the labels in the samples say which it is.
            hasher.update(json!(["annotations", self.settings.annotations.clip]).to_string());
        }
        for part in parts {
            hasher.update(json!([part.variant, part.split]).to_string());
            for sample in &part.samples {
                hasher.update(json!(sample).to_string());
            }
        }
        Sha256::from_bytes(hasher.finalize().into())
    }

    /// One plan per variant and split that has samples, in manifest order, samples by image id.
    pub(super) fn by_variant_and_split(&self) -> Vec<ShardPlan> {
        let names: BTreeSet<&str> = self
            .samples
            .iter()
            .flat_map(|sample| &sample.variants)
            .map(|variant| variant.variant_name.as_str())
            .collect();
        let parts = names.into_iter().flat_map(splits_of);
        parts
            .map(|(variant, split)| self.part(variant, split))
            .filter(|part| !part.samples.is_empty())
            .collect()
    }

    fn part(&self, variant: String, split: types::Split) -> ShardPlan {
        let mut samples = Vec::new();
        for sample in self.samples {
            let Some(place) = self.places.get(&sample.original.image_id) else { continue };
            let found = sample.variants.iter().find(|found| found.variant_name == variant);
            let Some(found) = found.filter(|_| place.split == split) else { continue };
            let annotation = self.annotated.get(&sample.original.image_id).cloned();
            samples.push(PlannedSample { annotation, ..planned(sample, found, place) });
        }
        ShardPlan {
            dataset: self.dataset.clone(),
            // Known only once the store has given it; the plan is completed then.
            version: VersionNumber::FIRST,
            variant,
            split,
            number: 0,
            normalization_policy_hash: self.settings.normalization_policy_hash,
            extension: samples.first().map_or_else(String::new, |sample| sample.extension().to_owned()),
            annotations: self.settings.annotations.clone(),
            samples,
        }
    }
}

fn planned(sample: &ReadySample, variant: &VariantRecord, place: &SplitAssignment) -> PlannedSample {
    let original = &sample.original;
    PlannedSample {
        image_id: original.image_id,
        group_id: place.group_id,
        source: SampleSource {
            uri: original.bronze_uri.clone(),
            key: original.key.clone(),
            sha256: original.sha256,
            width: original.width,
            height: original.height,
            orientation: original.orientation,
            copies: sample.copies,
        },
        uri: variant.output_uri.clone(),
        sha256: variant.sha256,
        bytes: variant.bytes,
        width: variant.width,
        height: variant.height,
        affine: variant.affine,
        annotation: None,
    }
}
