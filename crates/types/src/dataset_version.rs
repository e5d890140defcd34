//! Published dataset versions.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{DatasetName, PolicyHash, S3Uri, Sha256, Split, SplitRatios};

/// The number of a dataset version, from 1; written `v1` in keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VersionNumber(NonZeroU32);

impl VersionNumber {
    /// The first version of any dataset.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// A version from its number; `None` for 0.
    pub fn new(number: u32) -> Option<Self> {
        NonZeroU32::new(number).map(Self)
    }

    /// The number, at least 1.
    pub fn get(self) -> u32 {
        self.0.get()
    }

    /// The number after this one.
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for VersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}", self.0)
    }
}

impl FromStr for VersionNumber {
    type Err = String;

    /// Accepts `3` and `v3`.
    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix('v').unwrap_or(text);
        digits.parse().map(Self).map_err(|_| format!("version {text:?} is not a number from 1"))
    }
}

/// `manifest.json` of a published version: written last, immutable, enough to use and to verify the version
/// without the database. Holds no time and no host, so the same inputs give the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetVersionManifest {
    /// The layout of this document.
    pub schema: u32,
    /// The dataset.
    pub dataset: DatasetName,
    /// The version.
    pub version: VersionNumber,
    /// Digest of everything that decided the content: images, variants, policy, shard settings, seed.
    pub input_digest: Sha256,
    /// The policy of the variants.
    pub normalization_policy_hash: PolicyHash,
    /// The policy's canonical form.
    pub normalization_policy: serde_json::Value,
    /// The seed of the order and the salt of the splits.
    pub seed: String,
    /// The wanted split shares.
    pub split_ratios: SplitRatios,
    /// The categories, and how annotations were chosen and carried into the variants.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub annotations: serde_json::Value,
    /// Per variant, what there is.
    pub variants: BTreeMap<String, VariantSummary>,
    /// Every tar, by variant, split and number.
    pub shards: Vec<ShardEntry>,
    /// Every other object of the version (indexes, `samples.parquet`, …) by key relative to this manifest, with its digest.
    pub files: BTreeMap<String, Sha256>,
}

/// The size of one variant in a version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VariantSummary {
    /// Samples over all splits.
    pub samples: u64,
    /// Bytes of tars over all splits.
    pub bytes: u64,
    /// Samples by split.
    pub splits: BTreeMap<Split, u64>,
}

/// One tar of a version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ShardEntry {
    /// The variant.
    pub variant: String,
    /// The split.
    pub split: Split,
    /// Where the tar is.
    pub uri: S3Uri,
    /// Samples in it.
    pub samples: u64,
    /// Size of the tar.
    pub bytes: u64,
    /// SHA-256 of the tar.
    pub sha256: Sha256,
}
