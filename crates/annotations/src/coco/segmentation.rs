//! `bbox` and `segmentation`.

use serde_json::Value;

use super::fields::{Problem, excerpt, malformed, numbers};
use crate::values::check_points;
use crate::{Bounds, Frame, Mask, MaskError, Point, Polygon, RefusalCode, Shape};

/// Pixels that a coordinate may be outside of the image: less is rounding and moved to the edge.
const OVERHANG: f64 = 0.5;

/// Numbers of the shortest ring: three points.
const SHORTEST_RING: usize = 6;

/// Where in the image something is, and its bounding box if that is stated beside another shape.
pub(super) fn shape(
    bbox: Option<Value>,
    segmentation: Option<Value>,
    frame: Frame,
    max_points: usize,
) -> Result<(Shape, Option<Bounds>), Problem> {
    let bbox = match bbox {
        None => None,
        Some(Value::Array(list)) if list.is_empty() => None,
        Some(value) => Some(bounds(&value, frame)?),
    };
    match (segmentation.filter(|value| !is_empty(value)), bbox) {
        (None, Some(bbox)) => Ok((Shape::Box(bbox), None)),
        (None, None) => malformed("neither `bbox` nor `segmentation`"),
        (Some(Value::Array(rings)), bbox) => Ok((polygon(&rings, frame, max_points)?, bbox)),
        (Some(mask @ Value::Object(_)), bbox) => Ok((self::mask(mask, frame)?, bbox)),
        (Some(other), _) => {
            malformed(format!("`segmentation` is neither polygons nor RLE: {}", excerpt(&other)))
        }
    }
}

/// `[]`, and `[[]]` as some exporters write it.
fn is_empty(segmentation: &Value) -> bool {
    let rings = segmentation.as_array();
    rings.is_some_and(|rings| rings.iter().all(|ring| ring.as_array().is_some_and(Vec::is_empty)))
}

fn bounds(value: &Value, frame: Frame) -> Result<Bounds, Problem> {
    let [x, y, width, height] = numbers(value, "bbox")?[..] else {
        return malformed(format!("`bbox` is not [x, y, width, height]: {}", excerpt(value)));
    };
    let degenerate = || Err((RefusalCode::Degenerate, format!("`bbox` has no extent: {}", excerpt(value))));
    if width <= 0.0 || height <= 0.0 {
        return degenerate();
    }
    let side = |from: f64, length: f64, end: u32| {
        let (first, last) = (within(from, end, "bbox")?, within(from + length, end, "bbox")?);
        // Untouched, it keeps its length to the last digit.
        Ok((first, if first == from && last == from + length { length } else { last - first }))
    };
    let ((x, width), (y, height)) = (side(x, width, frame.width)?, side(y, height, frame.height)?);
    if width <= 0.0 || height <= 0.0 { degenerate() } else { Ok(Bounds { x, y, width, height }) }
}

fn polygon(rings: &[Value], frame: Frame, max_points: usize) -> Result<Shape, Problem> {
    let points: usize = rings.iter().map(|ring| ring.as_array().map_or(0, Vec::len) / 2).sum();
    check_points(points, max_points)?;
    if rings.iter().any(Value::is_number) {
        return malformed("`segmentation` is one list of numbers; COCO has a list of such lists");
    }
    let rings = rings.iter().filter(|ring| !is_empty(ring)).map(|value| ring(value, frame));
    let polygon = |exterior| Polygon { exterior, holes: Vec::new() };
    let polygons = rings.map(|ring| ring.map(polygon)).collect::<Result<Vec<_>, _>>()?;
    let shape = Shape::Polygon { polygons, closed: true };
    if shape.area().is_some_and(|area| area > 0.0) {
        return Ok(shape);
    }
    Err((RefusalCode::Degenerate, "the polygons of `segmentation` have no area".to_owned()))
}

fn ring(value: &Value, frame: Frame) -> Result<Vec<Point>, Problem> {
    let numbers = numbers(value, "segmentation")?;
    if !numbers.len().is_multiple_of(2) {
        return malformed(format!("a ring of `segmentation` has {} numbers: an odd count", numbers.len()));
    }
    let point = |pair: &[f64]| {
        let &[x, y] = pair else { return malformed("a point is two numbers") };
        Ok(Point { x: within(x, frame.width, "segmentation")?, y: within(y, frame.height, "segmentation")? })
    };
    let mut ring = numbers.chunks(2).map(point).collect::<Result<Vec<_>, _>>()?;
    // Some writers repeat the first point.
    if ring.len() > 3 && ring.first() == ring.last() {
        ring.pop();
    }
    if ring.len() * 2 < SHORTEST_RING {
        let detail = format!("a ring of `segmentation` has {} points; three are the least", ring.len());
        return Err((RefusalCode::Degenerate, detail));
    }
    Ok(ring)
}

fn mask(value: Value, frame: Frame) -> Result<Shape, Problem> {
    let size = value.get("size").cloned().unwrap_or_default();
    if size != serde_json::json!([frame.height, frame.width]) {
        let detail =
            format!("the RLE's size is {}, the image's [{}, {}]", excerpt(&size), frame.height, frame.width);
        return Err((RefusalCode::SizeConflict, detail));
    }
    let counts = value.get("counts").cloned().unwrap_or_default();
    let mask = match &counts {
        Value::String(text) => Mask::from_compressed(frame.width, frame.height, text),
        Value::Array(list) => {
            let counts = list.iter().map(|count| count.as_u64().and_then(|count| u32::try_from(count).ok()));
            let Some(counts) = counts.collect::<Option<Vec<u32>>>() else {
                return malformed("the RLE's `counts` are no list of lengths");
            };
            Mask::from_counts(frame.width, frame.height, counts)
        }
        other => {
            return malformed(format!("the RLE's `counts` are neither text nor list: {}", excerpt(other)));
        }
    };
    match mask {
        Ok(mask) if mask.area() == 0 => {
            Err((RefusalCode::Degenerate, "no pixel of the RLE is set".to_owned()))
        }
        Ok(mask) => Ok(Shape::Mask(mask)),
        Err(error @ MaskError::Size { .. }) => Err((RefusalCode::LimitExceeded, error.to_string())),
        Err(error @ (MaskError::Length { .. } | MaskError::Text(_))) => malformed(format!("RLE: {error}")),
    }
}

/// A coordinate in the image, moved to its edge from up to half a pixel outside.
pub(super) fn within(value: f64, end: u32, name: &str) -> Result<f64, Problem> {
    let end = f64::from(end);
    if (-OVERHANG..=end + OVERHANG).contains(&value) {
        return Ok(value.clamp(0.0, end));
    }
    Err((RefusalCode::OutOfRange, format!("`{name}` has {value}, the image 0 to {end}")))
}
