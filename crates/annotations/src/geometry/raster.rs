//! Shapes as polygons and polygons as pixels.

use super::{ellipse, quad};
use crate::mask::MaskError;
use crate::{Bounds, Mask, Point, Polygon, Shape};

/// The polygons that a shape with an outline is, or nearly is: an ellipse has [`ELLIPSE_VERTICES`](crate::ELLIPSE_VERTICES).
/// Masks, points and whole images have none.
pub fn outline(shape: &Shape) -> Vec<Polygon> {
    let one = |exterior: Vec<Point>| vec![Polygon { exterior, holes: Vec::new() }];
    match shape {
        Shape::Image | Shape::Point { .. } | Shape::Mask(_) => Vec::new(),
        Shape::Box(Bounds { x, y, width, height }) => {
            one(quad::corners(Point { x: *x, y: *y }, [*width, *height], 0.0).to_vec())
        }
        Shape::RotatedBox { x, y, width, height, rotation } => {
            one(quad::corners(Point { x: *x, y: *y }, [*width, *height], *rotation).to_vec())
        }
        Shape::Polygon { polygons, .. } => polygons.clone(),
        Shape::Ellipse { center, radius_x, radius_y, rotation } => {
            one(ellipse::vertices(*center, [*radius_x, *radius_y], *rotation))
        }
    }
}

/// The pixels whose centres are in one of the polygons; within a polygon the even-odd rule counts.
///
/// # Errors
/// The picture is larger than a mask may be.
pub(crate) fn rasterize(polygons: &[Polygon], (width, height): (u32, u32)) -> Result<Mask, MaskError> {
    // First the size: the runs below take memory in proportion to it.
    Mask::from_counts(width, height, [width.saturating_mul(height)])?;
    let mut set = vec![false; width as usize * height as usize];
    for polygon in polygons {
        let Some(bounds) = super::bounding(polygon.exterior.iter().copied()) else { continue };
        let covered = bounds.x..=bounds.x + bounds.width;
        let columns = set.chunks_exact_mut(height as usize).enumerate();
        for (x, column) in columns.filter(|(x, _)| covered.contains(&(*x as f64 + 0.5))) {
            let crossings = crossings(polygon, x as f64 + 0.5);
            for pair in crossings.chunks_exact(2) {
                // Pixels whose centre y + 0.5 is at or after the first crossing, and before the second.
                let first = (pair[0] - 0.5).ceil().clamp(0.0, f64::from(height)) as usize;
                let last = (pair[1] - 0.5).ceil().clamp(0.0, f64::from(height)) as usize;
                if let Some(pixels) = column.get_mut(first..last.max(first)) {
                    pixels.fill(true);
                }
            }
        }
    }
    Mask::from_columns(width, height, &set)
}

/// Where a polygon's edges cross the vertical line at `x`, from the top.
fn crossings(polygon: &Polygon, x: f64) -> Vec<f64> {
    let mut crossings = Vec::new();
    for ring in std::iter::once(&polygon.exterior).chain(&polygon.holes) {
        let next = ring.iter().cycle().skip(1);
        for (a, b) in ring.iter().zip(next) {
            if (a.x <= x) != (b.x <= x) {
                crossings.push(a.y + (x - a.x) / (b.x - a.x) * (b.y - a.y));
            }
        }
    }
    crossings.sort_by(f64::total_cmp);
    crossings
}
