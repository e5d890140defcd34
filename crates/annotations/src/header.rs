//! Records without their regions, as they are carried beside those in the files of other tools.

use serde::{Deserialize, Serialize};

use crate::{Frame, Origin, Provenance, Record, RecordId, Region};

/// A record without its regions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) id: RecordId,
    pub(crate) image: String,
    pub(crate) frame: Option<Frame>,
    pub(crate) origin: Origin,
    pub(crate) provenance: Provenance,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) created_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) updated_at: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) ground_truth: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) score: Option<f64>,
}

impl Header {
    pub(crate) fn of(record: &Record) -> Self {
        Self {
            id: record.id.clone(),
            image: record.image.clone(),
            frame: record.frame,
            origin: record.origin.clone(),
            provenance: record.provenance.clone(),
            created_at: record.created_at.clone(),
            updated_at: record.updated_at.clone(),
            ground_truth: record.ground_truth,
            score: record.score,
        }
    }

    pub(crate) fn with(self, regions: Vec<Region>) -> Record {
        Record {
            id: self.id,
            image: self.image,
            frame: self.frame,
            origin: self.origin,
            provenance: self.provenance,
            created_at: self.created_at,
            updated_at: self.updated_at,
            ground_truth: self.ground_truth,
            score: self.score,
            regions,
        }
    }
}
