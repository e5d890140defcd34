//! Pixels to percent of the image: the most faithful form that Label Studio has for a shape.

use serde_json::{Map, Value, json};
use types::Sha256;

use super::brush;
use super::shape::{self, Budget, Geometry};
use crate::geometry::{clipped, outline, rasterize};
use crate::{Bounds, Frame, Mask, Point, Polygon, Shape};

/// Hex digits that tell one geometry from another.
const FINGERPRINT_DIGITS: usize = 16;

/// A shape as it is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Form {
    pub(super) geometry: Geometry,
    pub(super) value: Map<String, Value>,
}

impl Form {
    /// The form of a shape; `None` for the whole image, and for a mask of another size than the frame's.
    ///
    /// Several polygons, and those with holes, are strokes: Label Studio has no other single region that looks like
    /// them. Where these would be empty, the largest ring has to do.
    pub(super) fn of(shape: &Shape, frame: Frame) -> Option<Self> {
        let (geometry, value) = match shape {
            Shape::Image => return None,
            Shape::Box(Bounds { x, y, width, height }) => {
                (Geometry::Rectangle, rectangle([*x, *y, *width, *height], 0.0, frame))
            }
            Shape::RotatedBox { x, y, width, height, rotation } => {
                (Geometry::Rectangle, rectangle([*x, *y, *width, *height], *rotation, frame))
            }
            Shape::Polygon { polygons, closed } => return polygon(shape, polygons, *closed, frame),
            Shape::Point { at, size } => {
                // Without a size Label Studio does not show it.
                let size = size.map_or(json!(DEFAULT_POINT), |size| json!(percent(size, frame.width)));
                (
                    Geometry::Keypoint,
                    json!({"x": percent(at.x, frame.width), "y": percent(at.y, frame.height), "width": size}),
                )
            }
            Shape::Ellipse { center, radius_x, radius_y, rotation } => (
                Geometry::Ellipse,
                json!({
                    "x": percent(center.x, frame.width),
                    "y": percent(center.y, frame.height),
                    "radiusX": percent(*radius_x, frame.width),
                    "radiusY": percent(*radius_y, frame.height),
                    "rotation": rotation,
                }),
            ),
            Shape::Mask(mask) if (mask.width(), mask.height()) != (frame.width, frame.height) => return None,
            Shape::Mask(mask) => (Geometry::Brush, strokes(mask)),
        };
        Some(Self::new(geometry, value))
    }

    fn new(geometry: Geometry, value: Value) -> Self {
        let value = match value {
            Value::Object(value) => value,
            _ => Map::new(),
        };
        Self { geometry, value }
    }

    /// Whether a reader makes the very same shape of it.
    pub(super) fn says(&self, exact: &Shape, frame: Frame) -> bool {
        let mut budget = Budget { region_points: usize::MAX, points: usize::MAX, pixels: u64::MAX };
        shape::shape(self.geometry, &self.value, frame, &mut budget).is_ok_and(|read| read == *exact)
    }
}

/// How large a point is drawn that has no size, in percent of the image's width.
const DEFAULT_POINT: f64 = 0.5;

/// Pixels in percent of a side.
fn percent(pixels: f64, side: u32) -> f64 {
    pixels / f64::from(side) * 100.0
}

fn rectangle([x, y, width, height]: [f64; 4], rotation: f64, frame: Frame) -> Value {
    json!({
        "x": percent(x, frame.width),
        "y": percent(y, frame.height),
        "width": percent(width, frame.width),
        "height": percent(height, frame.height),
        "rotation": rotation,
    })
}

fn strokes(mask: &Mask) -> Value {
    json!({"format": "rle", "rle": brush::encode(mask)})
}

fn polygon(shape: &Shape, polygons: &[Polygon], closed: bool, frame: Frame) -> Option<Form> {
    let ring = |ring: &[Point], closed: bool| {
        let point = |point: &Point| json!([percent(point.x, frame.width), percent(point.y, frame.height)]);
        let points: Vec<_> = ring.iter().map(point).collect();
        Form::new(Geometry::Polygon, json!({"points": points, "closed": closed}))
    };
    if let [Polygon { exterior, holes }] = polygons
        && holes.is_empty()
    {
        return Some(ring(exterior, closed));
    }
    let size = (frame.width, frame.height);
    let inside = clipped(Shape::Polygon { polygons: outline(shape), closed: true }, size);
    let mask = inside.and_then(|inside| rasterize(&outline(&inside), size).ok());
    match mask.filter(|mask| mask.area() > 0) {
        Some(mask) => Some(Form::new(Geometry::Brush, strokes(&mask))),
        None => polygons
            .iter()
            .max_by_key(|polygon| polygon.exterior.len())
            .map(|largest| ring(&largest.exterior, closed)),
    }
}

/// The same for a geometry that nobody touched, however its numbers are written.
pub(super) fn fingerprint(geometry: Geometry, value: &Map<String, Value>) -> String {
    let mut text = String::from(geometry.name());
    for key in geometry.keys() {
        text.push(' ');
        spell(value.get(*key).unwrap_or(&Value::Null), &mut text);
    }
    let mut digest = Sha256::of(&text).to_hex();
    digest.truncate(FINGERPRINT_DIGITS);
    digest
}

fn spell(value: &Value, text: &mut String) {
    match value {
        Value::Number(number) => text.push_str(&format!("{:?} ", number.as_f64().unwrap_or_default())),
        Value::Array(list) => list.iter().for_each(|value| spell(value, text)),
        other => text.push_str(&other.to_string()),
    }
}
