//! Shapes under an affine map, not clipped yet.

use super::linear::Linear;
use super::{DropReason, Note, ellipse, quad};
use crate::{Bounds, Mask, Point, Polygon, Shape};

/// A shape where the map leads.
pub(super) struct Mapped {
    pub(super) shape: Shape,
    /// The part of it that there is: less than 1 only for masks, which are cut as they are mapped.
    pub(super) visible: f64,
}

/// The shape, and what is to be said of it. Masks become masks of a picture of `size`.
pub(super) fn shape(
    shape: &Shape,
    map: &Linear,
    size: (u32, u32),
) -> Result<(Mapped, Vec<Note>), DropReason> {
    let mut visible = 1.0;
    let mapped = match shape {
        Shape::Image => Shape::Image,
        Shape::Box(bounds) => quad::map_box(bounds, map),
        Shape::RotatedBox { x, y, width, height, rotation } => {
            quad::map_rotated(Point { x: *x, y: *y }, [*width, *height], *rotation, map)
        }
        Shape::Polygon { polygons, closed } => Shape::Polygon {
            polygons: polygons.iter().map(|part| polygon(part, map)).collect(),
            closed: *closed,
        },
        Shape::Point { at, size } => {
            let scale = map.determinant().abs().sqrt();
            Shape::Point { at: map.point(*at), size: size.map(|size| size * scale) }
        }
        Shape::Ellipse { center, radius_x, radius_y, rotation } => {
            ellipse::map(*center, [*radius_x, *radius_y], *rotation, map)
        }
        Shape::Mask(source) => {
            let (mask, inside) = mask(source, map, size)?;
            visible = inside;
            Shape::Mask(mask)
        }
    };
    let (from, to) = (shape.kind(), mapped.kind());
    let notes = if from == to { Vec::new() } else { vec![Note::Became { from, to }] };
    Ok((Mapped { shape: mapped, visible }, notes))
}

/// The smallest box around a box where the map leads.
pub(super) fn bounds(bounds: &Bounds, map: &Linear) -> Bounds {
    let Bounds { x, y, width, height } = *bounds;
    let origin = map.point(Point { x, y });
    let (across, down) = (map.vector([width, 0.0]), map.vector([0.0, height]));
    let [left, top] = [0, 1].map(|axis| across[axis].min(0.0) + down[axis].min(0.0));
    Bounds {
        x: origin.x + left,
        y: origin.y + top,
        width: across[0].abs() + down[0].abs(),
        height: across[1].abs() + down[1].abs(),
    }
}

fn polygon(polygon: &Polygon, map: &Linear) -> Polygon {
    let ring = |ring: &Vec<Point>| ring.iter().map(|point| map.point(*point)).collect();
    Polygon { exterior: ring(&polygon.exterior), holes: polygon.holes.iter().map(ring).collect() }
}

/// The mask of a picture of `size`, and which part of the source's pixels is in it.
fn mask(source: &Mask, map: &Linear, (width, height): (u32, u32)) -> Result<(Mask, f64), DropReason> {
    let back = map.inverse().ok_or(DropReason::Vanished)?;
    let visible = visible_part(source, map, (width, height));
    if visible <= 0.0 {
        return Err(DropReason::Outside);
    }
    let columns = source.to_columns();
    let rows = source.height() as usize;
    let set = |x: u32, y: u32| {
        let Point { x, y } = back.point(Point { x: f64::from(x) + 0.5, y: f64::from(y) + 0.5 });
        let inside =
            (0.0..f64::from(source.width())).contains(&x) && (0.0..f64::from(source.height())).contains(&y);
        inside && columns.get(x as usize * rows + y as usize).copied().unwrap_or(false)
    };
    let mask = Mask::from_fn(width, height, set).map_err(|_| DropReason::TooLarge)?;
    if mask.area() == 0 { Err(DropReason::Vanished) } else { Ok((mask, visible)) }
}

/// The part of the pixels that are set whose centres land in a picture of this size.
fn visible_part(source: &Mask, map: &Linear, (width, height): (u32, u32)) -> f64 {
    let inside = |Point { x, y }: Point| {
        (0.0..=f64::from(width)).contains(&x) && (0.0..=f64::from(height)).contains(&y)
    };
    let Some(Bounds { x, y, width, height }) = source.bounds() else { return 0.0 };
    let corners = [(0.5, 0.5), (width - 0.5, 0.5), (0.5, height - 0.5), (width - 0.5, height - 0.5)];
    if corners.iter().all(|(right, down)| inside(map.point(Point { x: x + right, y: y + down }))) {
        return 1.0;
    }
    let centre = |(x, y): (u32, u32)| Point { x: f64::from(x) + 0.5, y: f64::from(y) + 0.5 };
    let count = source.set_pixels().filter(|pixel| inside(map.point(centre(*pixel)))).count();
    count as f64 / source.area() as f64
}
