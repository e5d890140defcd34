//! Shapes cut at the edge of the picture.

use i_overlay::core::fill_rule::FillRule;
use i_overlay::core::overlay_rule::OverlayRule;
use i_overlay::float::single::SingleFloatOverlay;

use super::raster::outline;
use super::{Note, TOLERANCE};
use crate::{Bounds, Point, Polygon, Shape};

/// What is left of a shape.
pub(super) struct Clipped {
    pub(super) shape: Shape,
    /// The part of its area, 0 to 1; exactly 1 where nothing was cut.
    pub(super) visible: f64,
    pub(super) note: Option<Note>,
}

/// The part of a shape that is inside; `None` if there is none. Masks are of the picture's size and stay as they are.
pub(super) fn clip(shape: Shape, size: (u32, u32)) -> Option<Clipped> {
    let whole = |shape| Some(Clipped { shape, visible: 1.0, note: None });
    match shape {
        Shape::Image | Shape::Mask(_) => whole(shape),
        Shape::Point { at, size: drawn } => whole(Shape::Point { at: point(at, size)?, size: drawn }),
        Shape::Box(bounds) => {
            let cut = self::bounds(bounds, size)?;
            let visible = if fits(&bounds, size) {
                1.0
            } else {
                part(cut.width * cut.height, bounds.width * bounds.height)
            };
            Some(Clipped { shape: Shape::Box(cut), visible, note: None })
        }
        Shape::Polygon { mut polygons, closed } => {
            let points = polygons.iter().flat_map(|polygon| polygon.exterior.iter().copied());
            if super::bounding(points).is_none_or(|bounds| fits(&bounds, size)) {
                polygons.iter_mut().for_each(|polygon| keep_inside(polygon, size));
                return whole(Shape::Polygon { polygons, closed });
            }
            cut(&polygons, size, (!closed).then_some(Note::Closed))
        }
        Shape::RotatedBox { .. } | Shape::Ellipse { .. } => {
            if shape.bounds().is_some_and(|bounds| fits(&bounds, size)) {
                return whole(shape);
            }
            cut(&outline(&shape), size, Some(Note::Became { from: shape.kind(), to: "polygon" }))
        }
    }
}

/// The part of a box that is inside.
pub(super) fn bounds(Bounds { x, y, width, height }: Bounds, size: (u32, u32)) -> Option<Bounds> {
    let side = |from: f64, length: f64, end: u32| {
        let (first, last) = (from.max(0.0), (from + length).min(f64::from(end)));
        // A side that is not cut keeps its length to the last digit.
        let whole = first == from && last == from + length;
        (last > first || (length == 0.0 && last == first))
            .then_some((first, if whole { length } else { last - first }))
    };
    let ((x, width), (y, height)) = (side(x, width, size.0)?, side(y, height, size.1)?);
    Some(Bounds { x, y, width, height })
}

/// A point that is inside.
pub(super) fn point(Point { x, y }: Point, size: (u32, u32)) -> Option<Point> {
    let inside = fits(&Bounds { x, y, width: 0.0, height: 0.0 }, size);
    inside.then(|| clamped(Point { x, y }, size))
}

fn fits(Bounds { x, y, width, height }: &Bounds, size: (u32, u32)) -> bool {
    let side =
        |from: f64, length: f64, end: u32| from >= -TOLERANCE && from + length <= f64::from(end) + TOLERANCE;
    side(*x, *width, size.0) && side(*y, *height, size.1)
}

fn clamped(Point { x, y }: Point, size: (u32, u32)) -> Point {
    Point { x: x.clamp(0.0, f64::from(size.0)), y: y.clamp(0.0, f64::from(size.1)) }
}

fn keep_inside(polygon: &mut Polygon, size: (u32, u32)) {
    let rings = std::iter::once(&mut polygon.exterior).chain(&mut polygon.holes);
    rings.flatten().for_each(|point| *point = clamped(*point, size));
}

/// The part of polygons that is inside. What a ring crosses itself or another of the same polygon in is counted by the
/// even-odd rule.
fn cut(polygons: &[Polygon], size: (u32, u32), note: Option<Note>) -> Option<Clipped> {
    let picture = rectangle(0.0, 0.0, f64::from(size.0), f64::from(size.1));
    let (mut parts, mut total) = (Vec::new(), 0.0);
    for polygon in polygons {
        let rings: Vec<Vec<[f64; 2]>> = std::iter::once(&polygon.exterior)
            .chain(&polygon.holes)
            .map(|ring| ring.iter().map(|point| [point.x, point.y]).collect())
            .collect();
        let Some(Bounds { x, y, width, height }) = super::bounding(polygon.exterior.iter().copied()) else {
            continue;
        };
        let everything = rectangle(x - 1.0, y - 1.0, x + width + 1.0, y + height + 1.0);
        total += area(&intersection(&rings, &everything, size, false));
        parts.extend(intersection(&rings, &picture, size, true));
    }
    let inside = area(&parts);
    if parts.is_empty() || inside <= 0.0 {
        return None;
    }
    Some(Clipped {
        shape: Shape::Polygon { polygons: parts, closed: true },
        visible: part(inside, total),
        note,
    })
}

fn part(inside: f64, total: f64) -> f64 {
    if total > 0.0 { (inside / total).clamp(0.0, 1.0) } else { 1.0 }
}

fn area(polygons: &[Polygon]) -> f64 {
    Shape::Polygon { polygons: polygons.to_vec(), closed: true }.area().unwrap_or(0.0)
}

fn rectangle(left: f64, top: f64, right: f64, bottom: f64) -> Vec<[f64; 2]> {
    vec![[left, top], [right, top], [right, bottom], [left, bottom]]
}

fn intersection(
    rings: &[Vec<[f64; 2]>],
    window: &[[f64; 2]],
    size: (u32, u32),
    inside: bool,
) -> Vec<Polygon> {
    let shapes =
        rings.to_vec().overlay_as::<i64>(&window.to_vec(), OverlayRule::Intersect, FillRule::EvenOdd);
    let ring = |ring: Vec<[f64; 2]>| -> Vec<Point> {
        let points = ring.into_iter().map(Point::from);
        points.map(|point| if inside { clamped(point, size) } else { point }).collect()
    };
    let polygon = |shape: Vec<Vec<[f64; 2]>>| {
        let mut rings = shape.into_iter().map(ring);
        rings.next().map(|exterior| Polygon { exterior, holes: rings.collect() })
    };
    shapes.into_iter().filter_map(polygon).collect()
}
