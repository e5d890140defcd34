//! What COCO has no place for, as we write it beside COCO's own keys.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Drawn, Frame, Keypoint, Origin, Provenance, Record, RecordId, Region, Shape};

/// Beside an image: `{"record": …}`, and what else the writer was given.
#[derive(Serialize, Deserialize)]
pub(super) struct CarriedImage {
    pub(super) record: CarriedRecord,
    #[serde(flatten)]
    pub(super) identity: Map<String, Value>,
}

/// A record without what the image and its annotations say.
#[derive(Serialize, Deserialize)]
pub(super) struct CarriedRecord {
    pub(super) id: RecordId,
    /// The image as the record names it.
    pub(super) image: String,
    pub(super) frame: Option<Frame>,
    pub(super) origin: Origin,
    pub(super) provenance: Provenance,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) created_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) updated_at: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) ground_truth: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) score: Option<f64>,
    /// Regions that no annotation can hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) regions: Vec<Region>,
}

impl CarriedRecord {
    pub(super) fn of(record: &Record, regions: Vec<Region>) -> Self {
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
            regions,
        }
    }

    /// The record, of which an image's entry says the frame's size.
    pub(super) fn into_record(self, frame: Frame) -> Record {
        // A record without a frame has no coordinates; the entry's size is that of the image.
        let frame = self.frame.map(|carried| Frame { kind: carried.kind, ..frame });
        Record {
            id: self.id,
            image: self.image,
            frame,
            origin: self.origin,
            provenance: self.provenance,
            created_at: self.created_at,
            updated_at: self.updated_at,
            ground_truth: self.ground_truth,
            score: self.score,
            regions: self.regions,
        }
    }
}

/// Values of COCO's keys that are not the region's but worked out from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Derived {
    Bbox,
    Area,
    /// The attribute of that name.
    RegionId,
}

/// Beside an annotation.
#[derive(Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CarriedRegion {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) region_id: Option<String>,
    /// The exact shape, where COCO's form is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) shape: Option<Shape>,
    /// Keypoints that the category has no names for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) keypoints: Vec<Keypoint>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) derived: Vec<Derived>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) drawn: Option<Drawn>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) control: Option<String>,
}
