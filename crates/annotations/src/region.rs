//! Regions: the single statements of a record.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Bounds, Point, Shape};

/// Whether a keypoint can be seen. The numbers are COCO's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Visibility {
    /// 0: not labelled; its position means nothing.
    Absent,
    /// 1: labelled, but hidden by something.
    Hidden,
    /// 2: labelled and visible.
    Visible,
}

impl TryFrom<u8> for Visibility {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        match number {
            0 => Ok(Self::Absent),
            1 => Ok(Self::Hidden),
            2 => Ok(Self::Visible),
            other => Err(format!("a keypoint's visibility is 0, 1 or 2, not {other}")),
        }
    }
}

impl From<Visibility> for u8 {
    fn from(visibility: Visibility) -> Self {
        visibility as Self
    }
}

/// One joint of a skeleton; its name is that of the same place in the category's list.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Keypoint {
    /// Where.
    pub at: Point,
    /// Whether it can be seen.
    pub visibility: Visibility,
}

/// How a region came to be, where the source says (Label Studio's `origin`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Drawn {
    /// By hand.
    Manual,
    /// Taken from a prediction as it was.
    Prediction,
    /// Taken from a prediction and changed.
    PredictionChanged,
}

/// One statement about an image: these labels hold here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Region {
    /// Unique in its record: Label Studio's region id, or COCO's annotation id in decimal.
    pub id: String,
    /// What it is: at least one label. COCO has exactly one.
    pub labels: Vec<String>,
    /// Where it is.
    pub shape: Shape,
    /// The bounding box, where the source states one beside another shape; it need not be tight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounds: Option<Bounds>,
    /// The joints, where the category has a skeleton; as many as the category names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keypoints: Vec<Keypoint>,
    /// The area in square pixels, where the source states one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<f64>,
    /// A crowd rather than one thing (COCO's `iscrowd`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub crowd: bool,
    /// How sure the annotator or model is, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// How it came to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drawn: Option<Drawn>,
    /// The id of the region that it belongs to (Label Studio's `parentID`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The Label Studio control that it was made with (`from_name`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<String>,
    /// What else the source says of it (COCO's `attributes`, Label Studio's `meta`, per-region choices and texts).
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub attributes: Map<String, Value>,
}

impl Region {
    /// A region of which no more is said than this.
    pub fn new(id: impl Into<String>, label: impl Into<String>, shape: Shape) -> Self {
        Self {
            id: id.into(),
            labels: vec![label.into()],
            shape,
            bounds: None,
            keypoints: Vec::new(),
            area: None,
            crowd: false,
            score: None,
            drawn: None,
            parent: None,
            control: None,
            attributes: Map::new(),
        }
    }
}
