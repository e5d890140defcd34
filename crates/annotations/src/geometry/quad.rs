//! Boxes, turned or not.

use super::linear::Linear;
use crate::{Bounds, Point, Polygon, Shape};

/// Pixels that a corner of a rotated box may be away from where the map leads. Sides of variants are rounded to whole
/// pixels, which tilts the two axes by up to half a pixel over the whole picture.
const CORNER_TOLERANCE: f64 = 0.5;

/// The same as a part of the shorter side: a small box is not to be bent.
const RELATIVE_TOLERANCE: f64 = 0.02;

/// A parallelogram: a corner and the two edges from it.
#[derive(Debug, Clone, Copy)]
struct Quad {
    corner: Point,
    across: [f64; 2],
    down: [f64; 2],
}

/// A box where the map leads.
pub(super) fn map_box(bounds: &Bounds, map: &Linear) -> Shape {
    if map.keeps_axes() {
        return Shape::Box(super::map::bounds(bounds, map));
    }
    let Bounds { x, y, width, height } = *bounds;
    Quad { corner: Point { x, y }, across: [width, 0.0], down: [0.0, height] }.under(map).to_shape()
}

/// A rotated box where the map leads.
pub(super) fn map_rotated(corner: Point, [width, height]: [f64; 2], rotation: f64, map: &Linear) -> Shape {
    if let Some(scale) = map.plain_scale() {
        let Point { x, y } = map.point(corner);
        return Shape::RotatedBox { x, y, width: width * scale, height: height * scale, rotation };
    }
    turned(corner, [width, height], rotation).under(map).to_shape()
}

/// The corners of a rotated box, clockwise from the one that it is turned about.
pub(super) fn corners(corner: Point, size: [f64; 2], rotation: f64) -> [Point; 4] {
    turned(corner, size, rotation).corners()
}

fn turned(corner: Point, [width, height]: [f64; 2], rotation: f64) -> Quad {
    let (sin, cos) = rotation.to_radians().sin_cos();
    Quad { corner, across: [width * cos, width * sin], down: [-height * sin, height * cos] }
}

impl Quad {
    fn under(self, map: &Linear) -> Self {
        let (across, down) = (map.vector(self.across), map.vector(self.down));
        Self { corner: map.point(self.corner), across, down }.clockwise()
    }

    /// The same with its corners clockwise, which a mirror undoes.
    fn clockwise(self) -> Self {
        let Self { corner, across, down } = self;
        if across[0] * down[1] - across[1] * down[0] >= 0.0 {
            return self;
        }
        let corner = Point { x: corner.x + across[0], y: corner.y + across[1] };
        Self { corner, across: across.map(|side| -side), down }
    }

    fn corners(&self) -> [Point; 4] {
        let Self { corner: Point { x, y }, across, down } = *self;
        let at = |right: f64, below: f64| Point {
            x: x + right * across[0] + below * down[0],
            y: y + right * across[1] + below * down[1],
        };
        [at(0.0, 0.0), at(1.0, 0.0), at(1.0, 1.0), at(0.0, 1.0)]
    }

    fn to_shape(self) -> Shape {
        self.rectangle().unwrap_or_else(|| Shape::Polygon {
            polygons: vec![Polygon { exterior: self.corners().to_vec(), holes: Vec::new() }],
            closed: true,
        })
    }

    /// The rotated box that this is: the same centre and sides, at an angle between those of its edges, nearer to that
    /// of the longer.
    fn rectangle(&self) -> Option<Shape> {
        let Self { corner, across, down } = *self;
        let [width, height] = [across, down].map(|[x, y]| x.hypot(y));
        let angle = across[1].atan2(across[0]);
        // How far the other edge is from a right angle.
        let skew = (-down[0]).atan2(down[1]) - angle;
        let skew = skew.sin().atan2(skew.cos());
        let share = height * height / (width * width + height * height).max(f64::MIN_POSITIVE);
        let (sin, cos) = (angle + skew * share).sin_cos();
        let (straight_across, straight_down) = ([width * cos, width * sin], [-height * sin, height * cos]);
        let apart = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]) / 2.0;
        let tolerance = CORNER_TOLERANCE.min(RELATIVE_TOLERANCE * width.min(height));
        if apart(across, straight_across) + apart(down, straight_down) > tolerance {
            return None;
        }
        let shift =
            |axis: usize| (across[axis] + down[axis] - straight_across[axis] - straight_down[axis]) / 2.0;
        Some(Shape::RotatedBox {
            x: corner.x + shift(0),
            y: corner.y + shift(1),
            width,
            height,
            rotation: (angle + skew * share).to_degrees().rem_euclid(360.0),
        })
    }
}
