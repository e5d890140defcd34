//! COCO JSON, read and written.
//!
//! What we do where COCO, or the tools that write it, leave it open:
//!
//! - **An image is taken whole or not at all**, with everything that is wrong with it listed. An entry of `images`
//!   without annotations was looked at, and nothing is there. A file without `annotations` says nothing of its images
//!   and is refused; a list of COCO *results* names no images, and is named as what it is.
//! - **Coordinates** are taken as they are: no half pixels are added to keypoints. What is outside of the image by up
//!   to half a pixel is moved to its edge, more is refused. Segmentations are kept as they are beside `bbox` and `area`,
//!   which need not be tight. Keys of an annotation that COCO does not know are kept in the region's attributes under
//!   [`EXTRA_KEYS`], and written as they were; those of images and categories are counted in [`Import::not_kept`].
//! - **The frame** is not said in COCO. `width` and `height` are taken for what [`ReadOptions::frame`] says, and checked
//!   against the image by [`crate::Record::to_displayed`].
//! - **A file that ends in the middle of `annotations`** tells nothing of images whose annotations may be in the lost
//!   part. If annotations come in the order of `images`, the images before that of the last one are complete.
//! - **What COCO cannot say** is written beside it, under the key [`CARRIED`], and read back: who made a record and when,
//!   region ids, exact rotated boxes, ellipses and polygons with holes. COCO's own keys then hold the most faithful form
//!   that it has (polygon, or RLE for what has holes), and win if another tool changed them. Statements about the whole
//!   image and single points have no such form and are only there. A region with several labels is one annotation for
//!   each, with the same `attributes.region_id`.
//! - **Ids**: those of categories are kept. Images and annotations of files that we write keep theirs if all come from
//!   one COCO file; else they are numbered from 1.

mod annotation;
mod carried;
mod category;
mod document;
mod fields;
mod form;
mod image;
mod read;
mod segmentation;
mod write;

use std::collections::BTreeMap;

use crate::{FrameKind, MAX_REGION_POINTS, Record, Refusal, WantedCategory};
pub use document::{Kind, looks_like};
pub use read::read;
pub use write::{Entry, Written, write};

/// The attribute that holds the keys of an annotation that COCO does not define.
pub const EXTRA_KEYS: &str = "coco";

/// The key under which images and annotations carry what COCO has no place for.
pub const CARRIED: &str = "imageml";

/// What a file may ask of memory beside its own size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Points of one annotation's polygons.
    pub points: usize,
    /// Annotations of one image.
    pub annotations: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { points: MAX_REGION_POINTS, annotations: 10_000 }
    }
}

/// What the file does not say itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadOptions {
    /// The pixels that its coordinates are in.
    pub frame: FrameKind,
    /// What is refused for its size.
    pub limits: Limits,
}

/// What was read from a file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Import {
    /// The categories, with the file's numbers.
    pub categories: Vec<WantedCategory>,
    /// A record per image, in the order of `images`.
    pub records: Vec<Record>,
    /// What is not imported.
    pub refusals: Vec<Refusal>,
    /// Keys that the canonical record has no place for, with how often they were there: `images.license`.
    pub not_kept: BTreeMap<String, u64>,
}

#[cfg(test)]
mod tests;
