//! The most faithful form that COCO has for a shape.

use serde::Serialize;

use super::segmentation;
use crate::geometry::{clipped, outline, rasterize};
use crate::{Bounds, Frame, FrameKind, Mask, Polygon, Shape};

/// `segmentation` as it is written.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum Segmentation {
    /// One ring per part; none for boxes.
    Rings(Vec<Vec<f64>>),
    Rle(Mask),
}

/// `bbox`, `segmentation` and `area` of a shape.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Form {
    pub(super) bbox: Bounds,
    pub(super) segmentation: Segmentation,
    pub(super) area: f64,
}

impl Form {
    /// The form of a shape in an image of this size, or `None` where COCO has none: the whole image, points, lines, and
    /// what is outside. What reaches out of the image is cut.
    pub(super) fn of(shape: &Shape, size: (u32, u32)) -> Option<Self> {
        let shape = match shape {
            Shape::Image | Shape::Point { .. } => return None,
            Shape::Mask(mask) if (mask.width(), mask.height()) != size => return None,
            Shape::Mask(_) | Shape::Box(_) => clipped(shape.clone(), size)?,
            Shape::RotatedBox { .. } | Shape::Ellipse { .. } | Shape::Polygon { .. } => {
                clipped(Shape::Polygon { polygons: outline(shape), closed: true }, size)?
            }
        };
        let segmentation = match &shape {
            Shape::Polygon { polygons, .. } if polygons.iter().any(|polygon| !polygon.holes.is_empty()) => {
                Segmentation::Rle(rasterize(polygons, size).ok()?)
            }
            Shape::Polygon { polygons, .. } => {
                Segmentation::Rings(polygons.iter().map(ring).collect::<Option<Vec<_>>>()?)
            }
            Shape::Mask(mask) => Segmentation::Rle(mask.clone()),
            Shape::Box(_)
            | Shape::RotatedBox { .. }
            | Shape::Ellipse { .. }
            | Shape::Image
            | Shape::Point { .. } => Segmentation::Rings(Vec::new()),
        };
        let (bbox, area) = (shape.bounds()?, shape.area()?);
        let empty = matches!(&segmentation, Segmentation::Rle(mask) if mask.area() == 0);
        (!empty && area > 0.0).then_some(Self { bbox, segmentation, area })
    }

    /// The shape and bounding box that a reader makes of it; `None` where it refuses them.
    pub(super) fn as_read(&self, (width, height): (u32, u32)) -> Option<(Shape, Option<Bounds>)> {
        let frame = Frame { width, height, kind: FrameKind::Displayed };
        let Bounds { x, y, width, height } = self.bbox;
        let bbox = serde_json::json!([x, y, width, height]);
        let rings = serde_json::to_value(&self.segmentation).ok()?;
        segmentation::shape(Some(bbox), Some(rings), frame, usize::MAX).ok()
    }
}

/// The points of an outer ring in COCO's order; `None` for a line.
fn ring(polygon: &Polygon) -> Option<Vec<f64>> {
    (polygon.exterior.len() >= 3)
        .then(|| polygon.exterior.iter().flat_map(|point| [point.x, point.y]).collect())
}
