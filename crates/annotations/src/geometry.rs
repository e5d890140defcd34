//! Annotations in other pixels: every shape under an affine map, clipped to the picture that it lands on.
//!
//! - **Boxes** stay boxes. **Rotated boxes** and **ellipses** stay what they are where they fit the picture: an affine
//!   map makes an ellipse of an ellipse, and a rotated box stays one if no corner is off by more than half a pixel and
//!   a 50th of the shorter side (sides of variants are rounded, so hardly any scale is exactly uniform); else it becomes
//!   the exact parallelogram.
//! - **What is cut** at the picture's edge becomes a polygon, boxes excepted. An ellipse has [`ELLIPSE_VERTICES`] then.
//! - **Masks** take the pixel under the centre of each of the variant's pixels.
//! - **Keypoints** keep their visibility. One that leaves the picture is marked as not labelled, at (0, 0): so do
//!   COCO's own tools and Detectron2 after a crop.
//!
//! What changed is said in [`Note`]s, what is lost in a [`DropReason`].

mod clip;
mod ellipse;
mod linear;
mod map;
mod measure;
mod quad;
mod raster;

use serde::{Deserialize, Serialize};
use types::Affine;

use crate::{Keypoint, Point, Region, Shape, Visibility};
use clip::{Clipped, clip};
use linear::Linear;
pub(crate) use measure::bounding;
pub use raster::outline;
pub(crate) use raster::rasterize;

/// Vertices of the polygon that takes the place of an ellipse; it has the ellipse's area, and is nowhere farther from
/// it than a 2500th of the larger radius.
pub const ELLIPSE_VERTICES: usize = 128;

/// Pixels that arithmetic may be off: nothing is cut for less.
const TOLERANCE: f64 = 1e-6;

/// Which regions are kept although a part of them is outside.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClipPolicy {
    /// The part of a region's area that must stay inside of the picture, 0 to 1.
    pub min_visible: f64,
}

impl Default for ClipPolicy {
    fn default() -> Self {
        Self { min_visible: 0.1 }
    }
}

/// Something that a region is not exactly as before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum Note {
    /// It is another kind of shape now ([`Shape::kind`]).
    Became {
        /// What it was.
        from: &'static str,
        /// What it is.
        to: &'static str,
    },
    /// It was cut at the edge of the picture.
    Clipped {
        /// The part of its area that is left, 0 to 1.
        visible: f64,
    },
    /// A polygon that was not closed is closed now, along the edge where it was cut.
    Closed,
    /// Keypoints that are outside of the picture and are marked as not labelled.
    KeypointsOutside {
        /// How many.
        count: usize,
    },
}

/// Why a region is not in a variant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum DropReason {
    /// It is wholly outside of the picture.
    Outside,
    /// Less of it is inside than the policy asks for.
    BelowMinimum {
        /// The part of its area that is inside, 0 to 1.
        visible: f64,
    },
    /// A mask so small that it covers no pixel's centre.
    Vanished,
    /// A mask of a picture that has more pixels than [`crate::Mask::MAX_PIXELS`].
    TooLarge,
}

/// What became of a region.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly all regions are kept")]
pub enum Transformed {
    /// It is there.
    Kept(Region, Vec<Note>),
    /// It is not.
    Dropped(DropReason),
}

/// A region in the pixels of a variant of `size`, to which `affine` leads.
pub fn transform(region: &Region, affine: &Affine, size: (u32, u32), policy: &ClipPolicy) -> Transformed {
    let map = Linear::new(affine);
    let (mapped, mut notes) = match map::shape(&region.shape, &map, size) {
        Ok(mapped) => mapped,
        Err(reason) => return Transformed::Dropped(reason),
    };
    let Clipped { shape, visible, note } = match clip(mapped.shape, size) {
        Some(clipped) => clipped,
        None => return Transformed::Dropped(DropReason::Outside),
    };
    let visible = visible * mapped.visible;
    if visible < policy.min_visible {
        return Transformed::Dropped(DropReason::BelowMinimum { visible });
    }
    notes.extend(note);
    let cut = visible < 1.0;
    if cut {
        notes.push(Note::Clipped { visible });
    }
    let (keypoints, outside) = keypoints(&region.keypoints, &map, size);
    if outside > 0 {
        notes.push(Note::KeypointsOutside { count: outside });
    }
    let bounds = region
        .bounds
        .and_then(|bounds| if cut { shape.bounds() } else { clip::bounds(map::bounds(&bounds, &map), size) });
    let area = region.area.map(|area| match &shape {
        Shape::Mask(mask) => mask.area() as f64,
        _ => area * map.determinant().abs() * visible,
    });
    Transformed::Kept(Region { shape, bounds, keypoints, area, ..region.clone() }, notes)
}

/// The part of a shape that is in a picture of `size`; `None` if there is none.
pub(crate) fn clipped(shape: Shape, size: (u32, u32)) -> Option<Shape> {
    clip(shape, size).map(|clipped| clipped.shape)
}

/// A region in other pixels of the same picture, where nothing can be outside that was not before.
pub(crate) fn turn(region: &Region, affine: &Affine, size: (u32, u32)) -> Region {
    let map = Linear::new(affine);
    let shape = match map::shape(&region.shape, &map, size) {
        Ok((mapped, _)) => mapped.shape,
        // A mask of as many pixels as before, each of which has its own place.
        Err(_) => region.shape.clone(),
    };
    let keypoints = region.keypoints.iter().map(|keypoint| moved(keypoint, &map)).collect();
    let bounds = region.bounds.map(|bounds| map::bounds(&bounds, &map));
    Region { shape, bounds, keypoints, ..region.clone() }
}

/// The keypoints, and how many were labelled and are outside now.
fn keypoints(keypoints: &[Keypoint], map: &Linear, size: (u32, u32)) -> (Vec<Keypoint>, usize) {
    let mut outside = 0;
    let mut place = |keypoint: &Keypoint| {
        let moved = moved(keypoint, map);
        if moved.visibility == Visibility::Absent {
            return moved;
        }
        match clip::point(moved.at, size) {
            Some(at) => Keypoint { at, ..moved },
            None => {
                outside += 1;
                ABSENT
            }
        }
    };
    let keypoints = keypoints.iter().map(&mut place).collect();
    (keypoints, outside)
}

const ABSENT: Keypoint = Keypoint { at: Point { x: 0.0, y: 0.0 }, visibility: Visibility::Absent };

fn moved(keypoint: &Keypoint, map: &Linear) -> Keypoint {
    match keypoint.visibility {
        Visibility::Absent => ABSENT,
        visibility @ (Visibility::Hidden | Visibility::Visible) => {
            Keypoint { at: map.point(keypoint.at), visibility }
        }
    }
}

#[cfg(test)]
mod tests;
