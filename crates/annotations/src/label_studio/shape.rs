//! Percent of the displayed image to pixels.

use serde_json::{Map, Value};

use super::brush::{self, BrushError};
use super::fields::{self, Problem, as_number, excerpt, malformed, required_number};
use crate::values::check_points;
use crate::{Bounds, Frame, Point, Polygon, RefusalCode, Shape};

/// Pixels that something may be outside of the image: less is rounding and moved to the edge.
const OVERHANG: f64 = 0.5;

/// Parts of a pixel that are told apart. Percentages of what was whole pixels, or had some decimals, come out as what
/// it was, to the last digit.
const PARTS: f64 = 1e9;

/// Largest number whose parts are all told apart.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A region that Label Studio can draw on an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Geometry {
    Rectangle,
    Polygon,
    Brush,
    Ellipse,
    Keypoint,
}

impl Geometry {
    pub(super) const ALL: [Self; 5] =
        [Self::Rectangle, Self::Polygon, Self::Brush, Self::Ellipse, Self::Keypoint];

    /// The `type` of a result that is no more than the shape.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Rectangle => "rectangle",
            Self::Polygon => "polygon",
            Self::Brush => "brush",
            Self::Ellipse => "ellipse",
            Self::Keypoint => "keypoint",
        }
    }

    /// The `type` of a result with labels, and the key that they are under.
    pub(super) const fn labels_name(self) -> &'static str {
        match self {
            Self::Rectangle => "rectanglelabels",
            Self::Polygon => "polygonlabels",
            Self::Brush => "brushlabels",
            Self::Ellipse => "ellipselabels",
            Self::Keypoint => "keypointlabels",
        }
    }

    /// The keys of `value` that say where it is.
    pub(super) const fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Rectangle => &["x", "y", "width", "height", "rotation"],
            Self::Polygon => &["points", "closed"],
            Self::Brush => &["format", "rle"],
            Self::Ellipse => &["x", "y", "radiusX", "radiusY", "rotation"],
            Self::Keypoint => &["x", "y", "width"],
        }
    }

    /// The shape that a `value` has, told by its keys.
    pub(super) fn found_in(value: &Map<String, Value>) -> Option<Self> {
        let all = |keys: &[&str]| keys.iter().all(|key| value.contains_key(*key));
        [
            (Self::Polygon, &["points"][..]),
            (Self::Brush, &["rle"]),
            (Self::Ellipse, &["x", "y", "radiusX", "radiusY"]),
            (Self::Rectangle, &["x", "y", "width", "height"]),
            (Self::Keypoint, &["x", "y"]),
        ]
        .into_iter()
        .find_map(|(geometry, keys)| all(keys).then_some(geometry))
    }
}

/// What is left of what a record may ask for, and what each of its regions may.
#[derive(Debug, Clone, Copy)]
pub(super) struct Budget {
    pub(super) region_points: usize,
    pub(super) points: usize,
    pub(super) pixels: u64,
}

/// The shape that a `value` says.
pub(super) fn shape(
    geometry: Geometry,
    value: &Map<String, Value>,
    frame: Frame,
    budget: &mut Budget,
) -> Result<Shape, Problem> {
    match geometry {
        Geometry::Rectangle => rectangle(value, frame),
        Geometry::Polygon => polygon(value, frame, budget),
        Geometry::Brush => strokes(value, frame, budget),
        Geometry::Ellipse => ellipse(value, frame),
        Geometry::Keypoint => {
            let at = point([required_number(value, "x")?, required_number(value, "y")?], frame)?;
            let size = fields::number(value, "width")?.map(|size| pixels(size, frame.width));
            if size.is_some_and(|size| size < 0.0) {
                return malformed("`width` of a keypoint is negative");
            }
            Ok(Shape::Point { at, size })
        }
    }
}

/// Percent of a side in pixels.
fn pixels(percent: f64, side: u32) -> f64 {
    rounded(percent * f64::from(side) / 100.0)
}

fn rounded(pixels: f64) -> f64 {
    let parts = pixels * PARTS;
    if parts.abs() < EXACT { parts.round() / PARTS } else { pixels }
}

fn outside(what: &str, pixels: f64, side: u32) -> Problem {
    let detail = format!("{what} is at {pixels:.2}, the image goes from 0 to {side} pixels");
    (RefusalCode::OutOfRange, detail)
}

/// A coordinate in the image, moved to its edge from a little outside.
fn within(pixels: f64, side: u32, what: &str) -> Result<f64, Problem> {
    let end = f64::from(side);
    if (-OVERHANG..=end + OVERHANG).contains(&pixels) {
        return Ok(pixels.clamp(0.0, end));
    }
    Err(outside(what, pixels, side))
}

fn point([x, y]: [f64; 2], frame: Frame) -> Result<Point, Problem> {
    let (x, y) = (pixels(x, frame.width), pixels(y, frame.height));
    Ok(Point { x: within(x, frame.width, "x")?, y: within(y, frame.height, "y")? })
}

fn rectangle(value: &Map<String, Value>, frame: Frame) -> Result<Shape, Problem> {
    let [x, width] = ["x", "width"].map(|name| required_number(value, name));
    let [y, height] = ["y", "height"].map(|name| required_number(value, name));
    let (x, width) = (pixels(x?, frame.width), pixels(width?, frame.width));
    let (y, height) = (pixels(y?, frame.height), pixels(height?, frame.height));
    let no_extent = || Err((RefusalCode::Degenerate, format!("a box of {width}x{height} pixels")));
    if width <= 0.0 || height <= 0.0 {
        return no_extent();
    }
    match fields::number(value, "rotation")? {
        None | Some(0.0) => {
            let side = |from: f64, length: f64, side: u32, name: &str| {
                let (first, last) = (within(from, side, name)?, within(from + length, side, name)?);
                // What was not moved keeps its length to the last digit.
                let kept = first == from && from + length - last < 0.5 / PARTS;
                Ok((first, if kept { length } else { rounded(last - first) }))
            };
            let ((x, width), (y, height)) =
                (side(x, width, frame.width, "x")?, side(y, height, frame.height, "y")?);
            if width <= 0.0 || height <= 0.0 {
                no_extent()
            } else {
                Ok(Shape::Box(Bounds { x, y, width, height }))
            }
        }
        Some(rotation) => {
            let (sin, cos) = rotation.to_radians().sin_cos();
            let center = Point {
                x: x + (width * cos - height * sin) / 2.0,
                y: y + (width * sin + height * cos) / 2.0,
            };
            inside(center, frame)?;
            Ok(Shape::RotatedBox { x, y, width, height, rotation })
        }
    }
}

/// The centre of what may reach out of the image.
fn inside(center: Point, frame: Frame) -> Result<(), Problem> {
    within(center.x, frame.width, "the centre's x")?;
    within(center.y, frame.height, "the centre's y").map(drop)
}

fn ellipse(value: &Map<String, Value>, frame: Frame) -> Result<Shape, Problem> {
    let center = point([required_number(value, "x")?, required_number(value, "y")?], frame)?;
    let radius_x = pixels(required_number(value, "radiusX")?, frame.width);
    let radius_y = pixels(required_number(value, "radiusY")?, frame.height);
    let rotation = fields::number(value, "rotation")?.unwrap_or(0.0);
    if radius_x <= 0.0 || radius_y <= 0.0 {
        return Err((
            RefusalCode::Degenerate,
            format!("an ellipse with radii of {radius_x} and {radius_y} pixels"),
        ));
    }
    Ok(Shape::Ellipse { center, radius_x, radius_y, rotation })
}

fn polygon(value: &Map<String, Value>, frame: Frame, budget: &mut Budget) -> Result<Shape, Problem> {
    let closed = fields::flag(value, "closed")?.unwrap_or(true);
    let Some(points) = fields::list(value, "points")? else { return malformed("there is no `points`") };
    check_points(points.len(), budget.region_points)?;
    let Some(left) = budget.points.checked_sub(points.len()) else {
        return Err((RefusalCode::LimitExceeded, "more points than a record may have".to_owned()));
    };
    budget.points = left;
    let read = |value: &Value| match value.as_array().map(Vec::as_slice) {
        Some([x, y]) => point([as_number(x, "points")?, as_number(y, "points")?], frame),
        _ => malformed(format!("a point is not [x, y]: {}", excerpt(value))),
    };
    let exterior = points.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    if exterior.len() < 3 {
        let detail = format!("a polygon of {} points; three are the least", exterior.len());
        return Err((RefusalCode::Degenerate, detail));
    }
    let shape = Shape::Polygon { polygons: vec![Polygon { exterior, holes: Vec::new() }], closed };
    if closed && shape.area().is_none_or(|area| area <= 0.0) {
        return Err((RefusalCode::Degenerate, "a polygon without area".to_owned()));
    }
    Ok(shape)
}

fn strokes(value: &Map<String, Value>, frame: Frame, budget: &mut Budget) -> Result<Shape, Problem> {
    match fields::text(value, "format")? {
        None | Some("rle") => {}
        Some(other) => return malformed(format!("`format` is {other:?}; `rle` is taken")),
    }
    let Some(list) = fields::list(value, "rle")? else { return malformed("there is no `rle`") };
    let byte = |value: &Value| value.as_u64().and_then(|byte| u8::try_from(byte).ok());
    let Some(rle) = list.iter().map(byte).collect::<Option<Vec<_>>>() else {
        return malformed("`rle` is no list of bytes");
    };
    let Some(left) = budget.pixels.checked_sub(u64::from(frame.width) * u64::from(frame.height)) else {
        return Err((RefusalCode::LimitExceeded, "more masks than a record may have".to_owned()));
    };
    budget.pixels = left;
    match brush::decode(&rle, frame.width, frame.height) {
        Ok(mask) if mask.area() == 0 => Err((RefusalCode::Degenerate, "strokes without a pixel".to_owned())),
        Ok(mask) => Ok(Shape::Mask(mask)),
        Err(error) => {
            let code = match &error {
                BrushError::Size { .. } => RefusalCode::SizeConflict,
                BrushError::Truncated(_) | BrushError::Overrun(_) => RefusalCode::Malformed,
                BrushError::Mask(_) => RefusalCode::LimitExceeded,
            };
            Err((code, error.to_string()))
        }
    }
}
