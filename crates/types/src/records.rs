//! What stages record: originals, variants, manifests and lineage.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Affine, DatasetName, ImageId, ObjectVersion, Orientation, PolicyHash, S3Uri, Sha256, StageName};

/// One ingested image: the catalogue entry, by (dataset, key).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OriginalRecord {
    /// The key relative to the dataset's input prefix.
    pub key: String,
    /// Where it came from.
    pub source: ObjectVersion,
    /// The untouched copy in bronze.
    pub bronze_uri: S3Uri,
    /// The image it is; equal ids are exact duplicates.
    pub image_id: ImageId,
    /// SHA-256 of the bytes.
    pub sha256: Sha256,
    /// Size of the object.
    pub bytes: u64,
    /// What the first bytes say: `jpeg`, `png`, ….
    pub format: String,
    /// Pixels across, upright.
    pub width: u32,
    /// Pixels down, upright.
    pub height: u32,
    /// How the stored pixels had to be turned.
    pub orientation: Orientation,
    /// SHA-256 over the upright decoded pixels: equal for the same picture in other bytes.
    pub pixel_hash: Sha256,
    /// 64-bit perceptual hash; near pictures differ in few bits.
    pub perceptual_hash: u64,
    /// Facts from EXIF, as a JSON object; never copied into variants.
    pub exif: Value,
    /// Whether the file holds more frames or pages than the first, which is the one used.
    pub animated: bool,
}

/// One rendition in silver.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VariantRecord {
    /// The image it shows.
    pub image_id: ImageId,
    /// The original it was made from.
    pub source_uri: S3Uri,
    /// The size spec's name.
    pub variant_name: String,
    /// Where it is.
    pub output_uri: S3Uri,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// The policy it was made under.
    pub normalization_policy_hash: PolicyHash,
    /// Size of the object.
    pub bytes: u64,
    /// SHA-256 of the bytes.
    pub sha256: Sha256,
    /// From the upright original's pixels to this variant's.
    pub affine: Affine,
}

/// What one unit of work at one stage published.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageManifest {
    /// The dataset.
    pub dataset: DatasetName,
    /// The stage.
    pub stage: StageName,
    /// The settings under which it worked.
    pub policy_hash: PolicyHash,
    /// The object version that was processed.
    pub source: ObjectVersion,
    /// Facts about the whole, stage by stage.
    pub metadata: Value,
    /// What was written.
    pub entries: Vec<ManifestEntry>,
}

/// One output of a unit of work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ManifestEntry {
    /// What it was made from.
    pub source_uri: S3Uri,
    /// Where it is.
    pub output_uri: S3Uri,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the bytes.
    pub sha256: Sha256,
    /// The stage's own fields (for normalize: `variant_name`, `width`, `height`, `affine`, …).
    #[serde(flatten)]
    pub fields: serde_json::Map<String, Value>,
}

/// How a child came from its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Relation {
    /// An untouched copy (inbox to bronze).
    Copied,
    /// A rendition (bronze to silver).
    Rendered,
    /// Packed into a shard (silver to gold, or to training).
    Packed,
    /// Listed by a version manifest.
    Listed,
}

impl Relation {
    /// The relation as text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Copied => "copied",
            Self::Rendered => "rendered",
            Self::Packed => "packed",
            Self::Listed => "listed",
        }
    }
}

/// One step of lineage between two objects.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LineageEdge {
    /// What it was made from.
    pub parent: S3Uri,
    /// What was made.
    pub child: S3Uri,
    /// How.
    pub relation: Relation,
}
