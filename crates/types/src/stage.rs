//! The stages of the pipeline.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A stage, as it is named in tables, metrics, flags and object keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StageName {
    /// Stage 1: original images into bronze.
    Ingest,
    /// Stage 2: every size variant into silver.
    Normalize,
    /// Stage 3: training shards into gold.
    Shard,
    /// Stage 4: curated training datasets.
    Curate,
}

impl StageName {
    /// Every stage, in pipeline order.
    pub const ALL: [Self; 4] = [Self::Ingest, Self::Normalize, Self::Shard, Self::Curate];

    /// The name as text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Normalize => "normalize",
            Self::Shard => "shard",
            Self::Curate => "curate",
        }
    }

    /// The stage number that manifests carry, from 1.
    pub const fn number(self) -> u8 {
        self as u8 + 1
    }
}

impl fmt::Display for StageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for StageName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|stage| stage.as_str() == text)
            .ok_or_else(|| format!("unknown stage {text:?}: expected ingest, normalize, shard or curate"))
    }
}
