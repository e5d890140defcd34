//! Plans: documents that say what to build, complete enough to build it without asking the database.

use std::ops::Range;

use annotations::Record;
use manifest_store::PlannedShard;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use types::{
    Affine, DatasetName, ImageId, Orientation, PolicyHash, RejectCode, RejectReason, S3Uri, Sha256, Split,
    SplitRatios, VersionNumber, layout,
};

use crate::{AnnotationSettings, sample_annotations};

/// The original behind a sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SampleSource {
    /// The original in bronze.
    pub uri: S3Uri,
    /// Its key in the dataset: the first by key order among exact duplicates.
    pub key: String,
    /// Digest of its bytes.
    pub sha256: Sha256,
    /// Pixels across, upright.
    pub width: u32,
    /// Pixels down, upright.
    pub height: u32,
    /// How its stored pixels had to be turned.
    pub orientation: Orientation,
    /// How many originals are this image.
    pub copies: u64,
}

/// One sample of one shard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedSample {
    /// The image.
    pub image_id: ImageId,
    /// The near-duplicates that it stays with.
    pub group_id: ImageId,
    /// The original behind it.
    pub source: SampleSource,
    /// The variant's object.
    pub uri: S3Uri,
    /// Digest of the variant.
    pub sha256: Sha256,
    /// Size of the variant.
    pub bytes: u64,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// From the upright original's pixels to the variant's.
    pub affine: Affine,
    /// What people say is there, in pixels of the upright original; `None` where nobody has looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotation: Option<Record>,
}

impl PlannedSample {
    /// The extension of the variant's object, without a dot: keys of variants are ours, `….jpg`.
    pub fn extension(&self) -> &str {
        self.uri.key().rsplit('.').next().unwrap_or_default()
    }

    /// Whether people gave one of these labels.
    pub fn has_any(&self, labels: &[String]) -> bool {
        self.labels().any(|label| labels.iter().any(|wanted| wanted == label))
    }

    /// Every label that people gave, as often as they did.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        let regions = self.annotation.iter().flat_map(|record| &record.regions);
        regions.flat_map(|region| &region.labels).map(String::as_str)
    }
}

/// One shard that is to be built.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShardPlan {
    /// The dataset.
    pub dataset: DatasetName,
    /// The version.
    pub version: VersionNumber,
    /// The variant.
    pub variant: String,
    /// The split.
    pub split: Split,
    /// The shard's number within variant and split.
    pub number: u32,
    /// The policy of the variants.
    pub normalization_policy_hash: PolicyHash,
    /// The file extension of the pictures, without a dot.
    pub extension: String,
    /// How annotations are carried into the variant.
    #[serde(default)]
    pub annotations: AnnotationSettings,
    /// The samples in order.
    pub samples: Vec<PlannedSample>,
}

impl ShardPlan {
    /// `<split>-<000000>`
    pub fn stem(&self) -> String {
        layout::shard_stem(self.split, self.number)
    }

    /// Cuts the samples, in their order, into numbered shards of even size that aim at `shard_bytes`.
    pub fn cut(mut self, shard_bytes: u64) -> Vec<Self> {
        let sizes: Vec<_> = self.samples.iter().map(|sample| sample_footprint(&self, sample)).collect();
        // Taken out, so that each shard copies what it holds and no more.
        let samples = std::mem::take(&mut self.samples);
        let shard = |(number, range): (u32, Range<usize>)| {
            let samples = samples.get(range).unwrap_or_default().to_vec();
            Self { number, samples, ..self.clone() }
        };
        (0..).zip(shards::pack(&sizes, shard_bytes)).map(shard).collect()
    }

    /// What the manifest store keeps of it.
    pub fn planned(&self) -> PlannedShard {
        PlannedShard {
            variant: self.variant.clone(),
            split: self.split,
            number: self.number,
            samples: self.samples.len() as u64,
        }
    }
}

/// What decides a version beside its samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionSettings {
    /// The policy of the variants.
    pub normalization_policy_hash: PolicyHash,
    /// Its canonical form.
    pub normalization_policy: serde_json::Value,
    /// Seed of the order, salt of the splits.
    pub seed: String,
    /// The wanted split shares.
    pub split_ratios: SplitRatios,
    /// The size that shards aim at.
    pub shard_bytes: u64,
    /// How annotations are carried into variants.
    #[serde(default)]
    pub annotations: AnnotationSettings,
}

/// The plan to publish a version once its shards are built.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionPlanDocument {
    /// The dataset.
    pub dataset: DatasetName,
    /// The version.
    pub version: VersionNumber,
    /// Digest of everything that decides the content.
    pub input_digest: Sha256,
    /// Samples over all variants: rows of the sample table.
    pub rows: u64,
    /// The settings.
    pub settings: VersionSettings,
}

/// Reads a plan or request.
///
/// # Errors
/// It is not the document asked for.
pub fn parse_document<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, RejectReason> {
    serde_json::from_slice(bytes)
        .map_err(|error| RejectReason::new(RejectCode::InvalidRequest, error.to_string()))
}

/// The `.json` member of a sample: what a training script may want to know, in the variant's own pixels. It
/// names no version, so that the same sample has the same bytes in every version.
pub fn sample_json(plan: &ShardPlan, sample: &PlannedSample) -> Vec<u8> {
    let mut member = json!({
        "key": sample.image_id,
        "dataset": plan.dataset,
        "variant": plan.variant,
        "split": plan.split,
        "group": sample.group_id,
        "width": sample.width,
        "height": sample.height,
        "affine": sample.affine,
        "normalization_policy_hash": plan.normalization_policy_hash,
        "source": sample.source,
    });
    let said = sample_annotations(sample, &plan.annotations);
    if let (Some(member), Value::Object(said)) = (member.as_object_mut(), said) {
        member.extend(said);
    }
    member.to_string().into_bytes()
}

/// Bytes that a sample takes in a tar.
pub fn sample_footprint(plan: &ShardPlan, sample: &PlannedSample) -> u64 {
    shards::tar_footprint([sample.bytes, sample_json(plan, sample).len() as u64])
}
