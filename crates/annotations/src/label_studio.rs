//! Label Studio JSON, read and written.
//!
//! Read are exports (lists of tasks), single tasks, what S3 target storages write (an annotation with its task inside),
//! and tasks for import with the bodies of predictions. Each annotation that was not cancelled and each prediction is a
//! record. What we do where Label Studio, or the tools around it, leave it open:
//!
//! - **A record is taken whole or not at all**, with everything that is wrong with it listed. Annotations that were
//!   cancelled, drafts, ids of predictions whose bodies are elsewhere, and tasks that nobody annotated are no records
//!   and no mistakes: [`Skipped`]. An annotation without regions was looked at, and nothing is there.
//! - **Percent become pixels before anything is turned**, and are rounded to a billionth of a pixel: what was whole
//!   pixels, or had some decimals, comes out as it was. What is outside of the image by up to half a pixel is moved to
//!   its edge, more is refused; boxes that are turned, and ellipses, may reach out as long as their centre does not.
//! - **Several results with one id are one region**: its shape, its labels, and what else people said of it, which is
//!   kept in its attributes under the control's name (`{"colour": {"choices": ["red"]}}`).
//! - **Choices about the whole image** are labels of [`crate::Shape::Image`]. Texts, ratings and numbers about it are a
//!   region of that kind too; its label is the name of the control, what was said is in its attributes.
//! - **What the canonical record has no field for** (`meta`, relations, the control of generic labels, members that we
//!   do not know) is kept in the region's attributes under [`EXTRA`], and written as it was.
//! - **What Label Studio cannot say** (COCO's bounds, joints, areas and crowds, several polygons, holes) is written in
//!   the `meta` of the result under [`CARRIED`], which Label Studio keeps, and read back where nobody moved the region.
//!   Several polygons and those with holes look like brush strokes there. What the annotation's own members cannot say
//!   (the ids of a record from COCO) is beside them under [`CARRIED`], which a server drops.
//! - **The image** is the data key that the label configuration says; without one, the only one that looks like an
//!   image, or the one that all results name (`to_name`).
//! - **Annotators** are e-mail addresses where the export has them, else ids. Comments, reviews, lead times and other
//!   metadata of tasks are not imported; the original file is kept.
//! - **Ids** are kept. A task or prediction for import has none, which is 0 here; see [`crate::Provenance::identity`].

mod annotation;
pub mod brush;
mod carried;
mod document;
mod entries;
mod fields;
mod form;
mod image;
mod label_config;
mod piece;
mod read;
mod region;
mod result;
mod shape;
mod statement;
mod task;
mod write;

pub use document::looks_like;
pub use label_config::{Control, ImageTag, Label, LabelConfig, LabelConfigError, is_sayable};
pub use read::{Reader, read};
pub use write::{Task, Written, write};

use serde_json::Value;

use crate::{Item, MAX_REGION_POINTS, Record, Refusal};

/// The attribute that holds what Label Studio says of a region and the canonical one has no field for.
pub const EXTRA: &str = "label_studio";

/// The key under which results (in `meta`) and annotations carry what Label Studio has no place for.
pub const CARRIED: &str = "imageml";

/// What the image is called, in data and in configurations, where nothing else is said.
pub const IMAGE: &str = "image";

/// What a file may ask of memory beside its own size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one task, with all that is in it.
    pub item_bytes: usize,
    /// Results of one annotation.
    pub results: usize,
    /// Points of one region.
    pub region_points: usize,
    /// Points of all polygons of one annotation.
    pub points: usize,
    /// Pixels of all brush strokes of one annotation: each region has as many as the image.
    pub pixels: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            item_bytes: 64 << 20,
            results: 100_000,
            region_points: MAX_REGION_POINTS,
            points: 1_000_000,
            pixels: 1 << 32,
        }
    }
}

/// What the file does not say itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadOptions {
    /// The project's label configuration: controls and labels that it does not have are refused.
    pub label_config: Option<LabelConfig>,
    /// What is refused for its size.
    pub limits: Limits,
}

/// A record, and what it was made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The record.
    pub record: Record,
    /// The `result` as it is in the file.
    pub result: Value,
}

/// What was found in a file.
#[derive(Debug, Clone, PartialEq)]
pub enum ReadItem {
    /// A record.
    Record(Box<Found>),
    /// A mistake: the record, or the task, is not imported. There may be several of one record.
    Refused(Refusal),
    /// No record, and no mistake.
    Skipped(Item, Skipped),
}

/// Why something is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Skipped {
    /// Its annotator skipped the task, or took the annotation back.
    Cancelled,
    /// Not submitted yet.
    Draft,
    /// The id of a prediction; exports do not have its body.
    PredictionId,
    /// A task that nobody annotated.
    NotAnnotated,
}

impl Skipped {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::Cancelled, Self::Draft, Self::PredictionId, Self::NotAnnotated];

    /// The reason as text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Draft => "draft",
            Self::PredictionId => "prediction_id",
            Self::NotAnnotated => "not_annotated",
        }
    }
}

#[cfg(test)]
mod tests;
