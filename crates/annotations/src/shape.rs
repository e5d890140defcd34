//! Shapes, in continuous pixels: (0, 0) is the outer corner of the top-left pixel, (width, height) that of the
//! bottom-right one.

use serde::{Deserialize, Serialize};

use crate::Mask;

/// A place: `[x, y]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f64; 2]", into = "[f64; 2]")]
pub struct Point {
    /// Pixels to the right.
    pub x: f64,
    /// Pixels down.
    pub y: f64,
}

impl From<[f64; 2]> for Point {
    fn from([x, y]: [f64; 2]) -> Self {
        Self { x, y }
    }
}

impl From<Point> for [f64; 2] {
    fn from(point: Point) -> Self {
        [point.x, point.y]
    }
}

/// A box that is parallel to the axes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    /// Its left edge.
    pub x: f64,
    /// Its top edge.
    pub y: f64,
    /// Pixels across.
    pub width: f64,
    /// Pixels down.
    pub height: f64,
}

/// An area with holes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Polygon {
    /// The outer ring: at least three points, the first not repeated at the end.
    pub exterior: Vec<Point>,
    /// The holes, each a ring of the same kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holes: Vec<Vec<Point>>,
}

/// The most points that one region may have in a file: each variant cuts and maps them all, and what is finer than this
/// is a mask.
pub const MAX_REGION_POINTS: usize = 50_000;

/// Where something is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Shape {
    /// The whole image: a statement about all of it (Label Studio's choices).
    Image,
    /// A box.
    Box(Bounds),
    /// A box that is turned about its top-left corner, as Label Studio writes it.
    RotatedBox {
        /// The corner that stays where it is.
        x: f64,
        /// Its pixels down.
        y: f64,
        /// Pixels along the box's own top edge.
        width: f64,
        /// Pixels along the box's own left edge.
        height: f64,
        /// Degrees clockwise as seen on the screen.
        rotation: f64,
    },
    /// One or more areas that are one thing.
    Polygon {
        /// The parts.
        polygons: Vec<Polygon>,
        /// Whether the rings are closed; `false` for a line that somebody did not finish.
        #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
        closed: bool,
    },
    /// A point.
    Point {
        /// Where.
        at: Point,
        /// How large it is drawn, in pixels.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<f64>,
    },
    /// An ellipse.
    Ellipse {
        /// Its centre.
        center: Point,
        /// Half its own width.
        radius_x: f64,
        /// Half its own height.
        radius_y: f64,
        /// Degrees clockwise as seen on the screen, about the centre.
        rotation: f64,
    },
    /// Pixels.
    Mask(Mask),
}

fn yes() -> bool {
    true
}

impl Shape {
    /// The shape's kind, as it is written.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Box(_) => "box",
            Self::RotatedBox { .. } => "rotated_box",
            Self::Polygon { .. } => "polygon",
            Self::Point { .. } => "point",
            Self::Ellipse { .. } => "ellipse",
            Self::Mask(_) => "mask",
        }
    }

    /// Points of polygons, or runs of a mask: what its memory is in proportion to.
    pub fn elements(&self) -> usize {
        let points =
            |polygon: &Polygon| polygon.exterior.len() + polygon.holes.iter().map(Vec::len).sum::<usize>();
        match self {
            Self::Polygon { polygons, .. } => polygons.iter().map(points).sum(),
            Self::Mask(mask) => mask.counts().len(),
            Self::Image
            | Self::Box(_)
            | Self::RotatedBox { .. }
            | Self::Point { .. }
            | Self::Ellipse { .. } => 0,
        }
    }
}
