//! Extent and area.

use std::f64::consts::PI;

use super::{ellipse, quad};
use crate::{Bounds, Point, Shape};

impl Shape {
    /// The smallest box around it; `None` for the whole image, an empty mask and a polygon without points.
    pub fn bounds(&self) -> Option<Bounds> {
        match self {
            Self::Image => None,
            Self::Box(bounds) => Some(*bounds),
            Self::RotatedBox { x, y, width, height, rotation } => {
                bounding(quad::corners(Point { x: *x, y: *y }, [*width, *height], *rotation))
            }
            Self::Polygon { polygons, .. } => {
                bounding(polygons.iter().flat_map(|polygon| polygon.exterior.iter().copied()))
            }
            Self::Point { at, .. } => bounding([*at]),
            Self::Ellipse { center, radius_x, radius_y, rotation } => {
                Some(ellipse::bounds(*center, [*radius_x, *radius_y], *rotation))
            }
            Self::Mask(mask) => mask.bounds(),
        }
    }

    /// Its area in square pixels; `None` for the whole image. The parts of a polygon are added up, also where they lie
    /// on one another.
    pub fn area(&self) -> Option<f64> {
        match self {
            Self::Image => None,
            Self::Box(Bounds { width, height, .. }) | Self::RotatedBox { width, height, .. } => {
                Some(width * height)
            }
            Self::Polygon { polygons, .. } => {
                let area = polygons.iter().map(|polygon| {
                    ring_area(&polygon.exterior)
                        - polygon.holes.iter().map(|hole| ring_area(hole)).sum::<f64>()
                });
                Some(area.sum())
            }
            Self::Point { .. } => Some(0.0),
            Self::Ellipse { radius_x, radius_y, .. } => Some(PI * radius_x * radius_y),
            Self::Mask(mask) => Some(mask.area() as f64),
        }
    }
}

/// The smallest box around points; `None` if there are none.
pub(crate) fn bounding(points: impl IntoIterator<Item = Point>) -> Option<Bounds> {
    let mut points = points.into_iter();
    let first = points.next()?;
    let (mut least, mut most) = (first, first);
    for Point { x, y } in points {
        (least.x, least.y) = (least.x.min(x), least.y.min(y));
        (most.x, most.y) = (most.x.max(x), most.y.max(y));
    }
    Some(Bounds { x: least.x, y: least.y, width: most.x - least.x, height: most.y - least.y })
}

/// The area within a ring (Gauss), measured from its first point so that large coordinates cost no digits.
fn ring_area(ring: &[Point]) -> f64 {
    let Some(origin) = ring.first() else { return 0.0 };
    let edges = ring.iter().zip(ring.iter().skip(1));
    let doubled: f64 =
        edges.map(|(a, b)| (a.x - origin.x) * (b.y - origin.y) - (b.x - origin.x) * (a.y - origin.y)).sum();
    (doubled / 2.0).abs()
}
