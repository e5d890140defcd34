//! Ellipses.

use std::f64::consts::TAU;

use super::ELLIPSE_VERTICES;
use super::linear::Linear;
use crate::{Bounds, Point, Shape};

/// How far, relative to its length, an axis may be from a right angle to the other.
const RIGHT_ANGLE: f64 = 1e-12;

/// An ellipse where the map leads: an affine map makes an ellipse of an ellipse.
pub(super) fn map(center: Point, [radius_x, radius_y]: [f64; 2], rotation: f64, map: &Linear) -> Shape {
    let center = map.point(center);
    if let Some(scale) = map.plain_scale() {
        return Shape::Ellipse { center, radius_x: radius_x * scale, radius_y: radius_y * scale, rotation };
    }
    let (sin, cos) = rotation.to_radians().sin_cos();
    let first = map.vector([radius_x * cos, radius_x * sin]);
    let second = map.vector([-radius_y * sin, radius_y * cos]);
    let [[x, y], other] = axes(first, second);
    Shape::Ellipse {
        center,
        radius_x: x.hypot(y),
        radius_y: other[0].hypot(other[1]),
        rotation: y.atan2(x).to_degrees().rem_euclid(360.0),
    }
}

/// The axes of the ellipse of which two conjugate half-diameters are given (Rytz): the points of `cos t · first +
/// sin t · second` are at right angles to their tangents for the `t` with `tan 2t = 2 first·second / (first² − second²)`.
fn axes(first: [f64; 2], second: [f64; 2]) -> [[f64; 2]; 2] {
    let dot = |a: [f64; 2], b: [f64; 2]| a[0] * b[0] + a[1] * b[1];
    let mixed = dot(first, second);
    let (first_square, second_square) = (dot(first, first), dot(second, second));
    if mixed.abs() <= RIGHT_ANGLE * (first_square + second_square) {
        return [first, second];
    }
    // The smaller of the two solutions, so that the first axis stays the first.
    let difference = first_square - second_square;
    let sign = if difference < 0.0 { -1.0 } else { 1.0 };
    let turn = 0.5 * (sign * 2.0 * mixed).atan2(difference.abs());
    let (sin, cos) = turn.sin_cos();
    let along = |a: f64, b: f64| [a * first[0] + b * second[0], a * first[1] + b * second[1]];
    [along(cos, sin), along(-sin, cos)]
}

/// The smallest box around an ellipse.
pub(super) fn bounds(center: Point, [radius_x, radius_y]: [f64; 2], rotation: f64) -> Bounds {
    let (sin, cos) = rotation.to_radians().sin_cos();
    let (across, down) = ((radius_x * cos).hypot(radius_y * sin), (radius_x * sin).hypot(radius_y * cos));
    Bounds { x: center.x - across, y: center.y - down, width: 2.0 * across, height: 2.0 * down }
}

/// A polygon of the ellipse's area: its vertices are as much outside as the middles of its sides are inside.
pub(super) fn vertices(center: Point, [radius_x, radius_y]: [f64; 2], rotation: f64) -> Vec<Point> {
    let (sin, cos) = rotation.to_radians().sin_cos();
    let step = TAU / ELLIPSE_VERTICES as f64;
    let grown = (step / step.sin()).sqrt();
    let vertex = |index: usize| {
        let (down, across) = (step * index as f64).sin_cos();
        let (across, down) = (radius_x * grown * across, radius_y * grown * down);
        Point { x: center.x + across * cos - down * sin, y: center.y + across * sin + down * cos }
    };
    (0..ELLIPSE_VERTICES).map(vertex).collect()
}
