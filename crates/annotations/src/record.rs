//! The canonical annotation record.

use std::fmt;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use types::Sha256;

use crate::{Item, Region};

/// Hex digits of a record id.
const ID_DIGITS: usize = 32;

/// Which record it is: equal for the same annotation in every later export, so that re-imports replace it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordId(String);

impl RecordId {
    /// The id of an identity, a text that the source never gives to another annotation
    /// ([`Provenance::identity`]): the first 32 hex digits of its SHA-256.
    pub fn of(identity: &str) -> Self {
        let mut digest = Sha256::of(identity).to_hex();
        digest.truncate(ID_DIGITS);
        Self(digest)
    }

    /// An id that was stored as text.
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The file format that a record came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Label Studio JSON, rooted at tasks or at annotations.
    LabelStudio,
    /// COCO JSON.
    Coco,
}

impl Format {
    /// The format as text, as manifests record it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LabelStudio => "label_studio",
            Self::Coco => "coco",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which pixels coordinates are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrameKind {
    /// The image as it is displayed, turned by its EXIF orientation: what people drew on.
    #[default]
    Displayed,
    /// The image as its pixels are stored, orientation ignored.
    Stored,
}

/// The frame that a record's coordinates are in, as the source declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Frame {
    /// Pixels across, at least 1.
    pub width: u32,
    /// Pixels down, at least 1.
    pub height: u32,
    /// Which pixels.
    pub kind: FrameKind,
}

/// Who made a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Origin {
    /// A person.
    Human {
        /// Who, as the source names them (Label Studio's `completed_by`); `None` where it does not.
        annotator: Option<String>,
    },
    /// A model: a suggestion that nobody has confirmed.
    Model {
        /// Name and version, as the source writes them (Label Studio's `model_version`); may be empty.
        version: String,
    },
}

/// Where in its source a record was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "format", rename_all = "snake_case")]
pub enum Provenance {
    /// A Label Studio annotation or prediction.
    LabelStudio {
        /// The task; 0 if it has no number, as tasks for import.
        task_id: i64,
        /// The annotation, or the prediction where the origin is a model; 0 if it has no number.
        annotation_id: i64,
        /// The annotation's uuid; stays the same in every export and server. Older servers have none.
        unique_id: Option<String>,
    },
    /// An entry of `images` in a COCO file, with its annotations.
    Coco {
        /// The image's id in that file; means nothing in another file.
        image_id: i64,
    },
}

impl Provenance {
    /// The file format.
    pub fn format(&self) -> Format {
        match self {
            Self::LabelStudio { .. } => Format::LabelStudio,
            Self::Coco { .. } => Format::Coco,
        }
    }

    /// The text that [`RecordId::of`] takes. COCO ids are numbered anew with each export, so there the image is the
    /// identity: a later export replaces all annotations of it. Of Label Studio's annotations without number, it is the
    /// image and who made them.
    pub fn identity(&self, origin: &Origin, image: &str) -> String {
        let kind = match origin {
            Origin::Human { .. } => "annotation",
            Origin::Model { .. } => "prediction",
        };
        match self {
            Self::LabelStudio { unique_id: Some(unique_id), .. } => {
                format!("label_studio/{kind}/{unique_id}")
            }
            Self::LabelStudio { annotation_id: 0, unique_id: None, .. } => {
                let who = match origin {
                    Origin::Human { annotator } => annotator.as_deref().unwrap_or_default(),
                    Origin::Model { version } => version,
                };
                format!("label_studio/{kind}/of/{image}/by/{who}")
            }
            Self::LabelStudio { task_id, annotation_id, unique_id: None } => {
                format!("label_studio/{kind}/{task_id}/{annotation_id}")
            }
            Self::Coco { .. } => format!("coco/{image}"),
        }
    }
}

/// One annotation of one image: what one person or model says of it.
///
/// No regions mean "looked at, nothing there". An image without any record was not annotated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Which record it is.
    pub id: RecordId,
    /// The image, as the source names it: an S3 URI, a URL, a path, a file name.
    pub image: String,
    /// The frame of all coordinates; `None` where the source says none, and then no region has any.
    pub frame: Option<Frame>,
    /// Who made it.
    pub origin: Origin,
    /// Where in the source it was.
    pub provenance: Provenance,
    /// When it was made, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When it was last changed, as written (RFC 3339 in Label Studio).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<String>,
    /// Marked as the truth by reviewers.
    #[serde(default)]
    pub ground_truth: bool,
    /// How sure the model is of the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// What is there, in the order of the source.
    pub regions: Vec<Region>,
}

impl Record {
    /// When it was last changed, by the source's clock, as far as it says.
    pub fn changed_at(&self) -> Option<SystemTime> {
        let written = self.updated_at.as_deref().or(self.created_at.as_deref())?;
        let with_offset = OffsetDateTime::parse(written, &Rfc3339).map(SystemTime::from);
        // Older servers leave out what says that it is UTC.
        with_offset.ok().or_else(|| humantime::parse_rfc3339_weak(written).ok())
    }

    /// What a refusal of it is about.
    pub fn item(&self) -> Item {
        let item = Item { image: Some(self.image.clone()), ..Item::default() };
        match &self.provenance {
            Provenance::LabelStudio { task_id, annotation_id, .. } => {
                let [task_id, annotation_id] =
                    [task_id, annotation_id].map(|id| Some(*id).filter(|id| *id != 0));
                Item { task_id, annotation_id, ..item }
            }
            Provenance::Coco { image_id } => Item { image_id: Some(*image_id), ..item },
        }
    }
}
