//! White shapes on black, and where the white is.

use annotations::{Bounds, Point, Shape};
use image::{GrayImage, Luma, RgbImage};

/// Samples per pixel and axis.
const SAMPLES: u32 = 4;

/// Grey levels above this are colour: at least about half of the pixel is covered.
pub(crate) const COLOUR: u8 = 127;

/// Grey levels above this are neither the background nor what the resizer makes of it beside an edge: the tip of a
/// corner, which covers less than half of its pixel.
pub(crate) const TIP: u8 = 40;

/// A picture that is white where `white` says so, with grey edges.
pub(crate) fn draw((width, height): (u32, u32), white: impl Fn(Point) -> bool) -> RgbImage {
    let at = |x: u32, y: u32, right: f64, down: f64| {
        white(Point { x: f64::from(x) + right, y: f64::from(y) + down })
    };
    RgbImage::from_fn(width, height, |x, y| {
        let middle = at(x, y, 0.5, 0.5);
        let corners = [(0.01, 0.01), (0.99, 0.01), (0.01, 0.99), (0.99, 0.99)];
        let even = corners.iter().all(|(right, down)| at(x, y, *right, *down) == middle);
        let level = if even {
            u8::from(middle) * 255
        } else {
            let place = |index: u32| (f64::from(index) + 0.5) / f64::from(SAMPLES);
            let samples = (0..SAMPLES * SAMPLES)
                .filter(|index| at(x, y, place(index % SAMPLES), place(index / SAMPLES)));
            (samples.count() * 255 / (SAMPLES * SAMPLES) as usize) as u8
        };
        image::Rgb([level; 3])
    })
}

/// Whether points belong to a shape, by the shape's definition.
pub(crate) fn membership(shape: &Shape) -> Box<dyn Fn(Point) -> bool + '_> {
    let Shape::Mask(mask) = shape else { return Box::new(|at| inside(shape, at)) };
    let (rows, width) = (mask.to_rows(), mask.width() as usize);
    Box::new(move |at| {
        let column = at.x >= 0.0 && at.x < width as f64 && at.y >= 0.0;
        column && rows.get(at.y as usize * width + at.x as usize).copied().unwrap_or(false)
    })
}

fn inside(shape: &Shape, at: Point) -> bool {
    let turned = |center: Point, rotation: f64| {
        let (sin, cos) = (-rotation).to_radians().sin_cos();
        let (x, y) = (at.x - center.x, at.y - center.y);
        (x * cos - y * sin, x * sin + y * cos)
    };
    match shape {
        Shape::Image => true,
        Shape::Point { .. } => false,
        Shape::Box(Bounds { x, y, width, height }) => {
            (*x..x + width).contains(&at.x) && (*y..y + height).contains(&at.y)
        }
        Shape::RotatedBox { x, y, width, height, rotation } => {
            let (right, down) = turned(Point { x: *x, y: *y }, *rotation);
            (0.0..*width).contains(&right) && (0.0..*height).contains(&down)
        }
        Shape::Polygon { polygons, .. } => polygons.iter().any(|polygon| {
            in_ring(&polygon.exterior, at) && !polygon.holes.iter().any(|hole| in_ring(hole, at))
        }),
        Shape::Ellipse { center, radius_x, radius_y, rotation } => {
            let (right, down) = turned(*center, *rotation);
            (right / radius_x).powi(2) + (down / radius_y).powi(2) < 1.0
        }
        Shape::Mask(mask) => at.x >= 0.0 && at.y >= 0.0 && mask.is_set(at.x as u32, at.y as u32),
    }
}

/// Whether a ray to the right crosses a ring an odd number of times.
fn in_ring(ring: &[Point], at: Point) -> bool {
    let edges = ring.iter().zip(ring.iter().cycle().skip(1));
    let crossed = edges.filter(|(a, b)| {
        (a.y > at.y) != (b.y > at.y) && at.x < a.x + (at.y - a.y) / (b.y - a.y) * (b.x - a.x)
    });
    crossed.count() % 2 == 1
}

/// The sides of an area: left, top, right, bottom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Extent([f64; 4]);

impl Extent {
    /// The extent of a box.
    pub(crate) fn of(Bounds { x, y, width, height }: Bounds) -> Self {
        Self([x, y, x + width, y + height])
    }

    /// The extent of the pixels above a grey level.
    pub(crate) fn above(level: u8, pixels: &GrayImage) -> Option<Self> {
        let coloured = pixels.enumerate_pixels().filter(|(.., Luma([found]))| *found > level);
        coloured.fold(None, |extent: Option<Self>, (x, y, _)| {
            let (x, y) = (f64::from(x), f64::from(y));
            let Self([left, top, right, bottom]) = extent.unwrap_or(Self([x, y, x, y]));
            Some(Self([left.min(x), top.min(y), right.max(x + 1.0), bottom.max(y + 1.0)]))
        })
    }

    /// How far a side is from lying between those of two others, at most.
    pub(crate) fn apart(&self, one: &Self, other: &Self) -> f64 {
        let sides = self.0.iter().zip(one.0.iter().zip(other.0));
        sides.map(|(side, (a, b))| (a.min(b) - side).max(side - a.max(b)).max(0.0)).fold(0.0, f64::max)
    }

    /// Whether it reaches the edge of a picture.
    pub(crate) fn touches(&self, (width, height): (u32, u32)) -> bool {
        let Self([left, top, right, bottom]) = *self;
        left <= 0.0 || top <= 0.0 || right >= f64::from(width) || bottom >= f64::from(height)
    }

    /// Its pixels.
    pub(crate) fn pixels(&self) -> impl Iterator<Item = (u32, u32)> {
        let [left, top, right, bottom] = self.0.map(|side| side as u32);
        (top..bottom).flat_map(move |y| (left..right).map(move |x| (x, y)))
    }
}

/// The middle of all light above that of the background.
pub(crate) fn middle(pixels: &GrayImage) -> Point {
    let (mut x_sum, mut y_sum, mut sum) = (0.0, 0.0, 0.0);
    for (x, y, Luma([level])) in pixels.enumerate_pixels() {
        let weight = f64::from(level.saturating_sub(TIP));
        x_sum += weight * (f64::from(x) + 0.5);
        y_sum += weight * (f64::from(y) + 0.5);
        sum += weight;
    }
    Point { x: x_sum / sum, y: y_sum / sum }
}
