//! What COCO has no place for, as we write it beside COCO's own keys.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::header::Header;
use crate::{Drawn, Frame, Keypoint, Record, Region, Shape};

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
    #[serde(flatten)]
    pub(super) header: Header,
    /// Regions that no annotation can hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) regions: Vec<Region>,
}

impl CarriedRecord {
    pub(super) fn of(record: &Record, regions: Vec<Region>) -> Self {
        Self { header: Header::of(record), regions }
    }

    /// The record, of which an image's entry says the frame's size.
    pub(super) fn into_record(self, frame: Frame) -> Record {
        // A record without a frame has no coordinates; the entry's size is that of the image.
        let frame = self.header.frame.map(|carried| Frame { kind: carried.kind, ..frame });
        Header { frame, ..self.header }.with(self.regions)
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
