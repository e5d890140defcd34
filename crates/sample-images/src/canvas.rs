//! A canvas of float colours, and smooth-edged shapes upon it.
//!
//! Lengths are in units of the short side, so a scene is drawn alike at every size; y points down.

use crate::light::{Colour, mix};
use crate::random::Random;

/// A place: x to the right, y down.
pub(crate) type Point = (f32, f32);

/// A picture that is being drawn.
#[derive(Debug)]
pub(crate) struct Canvas {
    width: u32,
    height: u32,
    unit: f32,
    pixels: Vec<Colour>,
}

/// A rectangle with upright sides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Area {
    pub(crate) left: f32,
    pub(crate) top: f32,
    pub(crate) right: f32,
    pub(crate) bottom: f32,
}

/// An ellipse, turned clockwise by `turn` of a full circle.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ellipse {
    pub(crate) centre: Point,
    pub(crate) radii: Point,
    pub(crate) turn: f32,
}

impl Canvas {
    /// A black canvas.
    pub(crate) fn new((width, height): (u32, u32)) -> Self {
        let pixels = vec![[0.0; 3]; width as usize * height as usize];
        Self { width, height, unit: width.min(height) as f32, pixels }
    }

    /// Width and height in pixels.
    pub(crate) fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// Width and height in units.
    pub(crate) fn extent(&self) -> Point {
        (self.width as f32 / self.unit, self.height as f32 / self.unit)
    }

    /// The whole canvas.
    pub(crate) fn whole(&self) -> Area {
        let (right, bottom) = self.extent();
        Area { left: 0.0, top: 0.0, right, bottom }
    }

    /// Covers the area with what `brush` says of each place: a colour and how much it covers, 0 to 1.
    pub(crate) fn paint(&mut self, area: Area, brush: impl Fn(f32, f32) -> (Colour, f32)) {
        let unit = self.unit;
        let clip = |at: f32, end: u32| (at * unit).clamp(0.0, end as f32) as usize;
        let (left, right) = (clip(area.left, self.width), clip(area.right + 1.0 / unit, self.width));
        let (top, bottom) = (clip(area.top, self.height), clip(area.bottom + 1.0 / unit, self.height));
        for row in top..bottom {
            let y = (row as f32 + 0.5) / unit;
            let line = &mut self.pixels[row * self.width as usize..][..self.width as usize];
            for (column, pixel) in line.iter_mut().enumerate().take(right).skip(left) {
                let (colour, cover) = brush((column as f32 + 0.5) / unit, y);
                if cover > 0.0 {
                    *pixel = mix(*pixel, colour, cover);
                }
            }
        }
    }

    /// Covers everything below the curve `edge`, which gives y for x.
    pub(crate) fn below(&mut self, edge: impl Fn(f32) -> f32, brush: impl Fn(f32, f32, f32) -> Colour) {
        let unit = self.unit;
        let edges: Vec<f32> = (0..self.width).map(|column| edge((column as f32 + 0.5) / unit)).collect();
        let top = edges.iter().copied().fold(f32::INFINITY, f32::min);
        let whole = self.whole();
        self.paint(Area { top: top - 1.0 / unit, ..whole }, |x, y| {
            let depth = y - edges[(x * unit) as usize];
            let cover = (depth * unit + 0.5).clamp(0.0, 1.0);
            if cover > 0.0 { (brush(x, y, depth.max(0.0)), cover) } else { ([0.0; 3], 0.0) }
        });
    }

    /// An ellipse whose edge fades over `soft`.
    pub(crate) fn ellipse(&mut self, shape: Ellipse, soft: f32, brush: impl Fn(f32, f32) -> Colour) {
        let soft = soft.max(1.0 / self.unit);
        let (rx, ry) = shape.radii;
        let reach = rx.max(ry) * (1.0 + soft / rx.min(ry));
        let (sine, cosine) = (crate::random::wave(shape.turn), crate::random::wave(shape.turn + 0.25));
        self.paint(Area::around(shape.centre, reach), |x, y| {
            let (dx, dy) = (x - shape.centre.0, y - shape.centre.1);
            let (u, v) = ((dx * cosine + dy * sine) / rx, (dy * cosine - dx * sine) / ry);
            let distance = ((u * u + v * v).sqrt() - 1.0) * rx.min(ry);
            let cover = (0.5 - distance / soft).clamp(0.0, 1.0);
            if cover > 0.0 { (brush(x, y), cover) } else { ([0.0; 3], 0.0) }
        });
    }

    /// A disc of one colour.
    pub(crate) fn disc(&mut self, centre: Point, radius: f32, colour: Colour) {
        self.ellipse(Ellipse { centre, radii: (radius, radius), turn: 0.0 }, 0.0, |_, _| colour);
    }

    /// A polygon, convex or not.
    pub(crate) fn polygon(&mut self, corners: &[Point], brush: impl Fn(f32, f32) -> Colour) {
        let unit = self.unit;
        self.paint(Area::holding(corners).grown(1.0 / unit), |x, y| {
            let cover = (0.5 - distance_to(corners, (x, y)) * unit).clamp(0.0, 1.0);
            if cover > 0.0 { (brush(x, y), cover) } else { ([0.0; 3], 0.0) }
        });
    }

    /// A polygon of one colour.
    pub(crate) fn flat(&mut self, corners: &[Point], colour: Colour) {
        self.polygon(corners, |_, _| colour);
    }

    /// A rectangle of one colour.
    pub(crate) fn block(&mut self, area: Area, colour: Colour) {
        self.flat(&area.corners(), colour);
    }

    /// A straight stroke.
    pub(crate) fn stroke(&mut self, from: Point, to: Point, thick: f32, colour: Colour) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let scale = thick / 2.0 / (dx * dx + dy * dy).sqrt().max(1e-6);
        let (nx, ny) = (-dy * scale, dx * scale);
        let corners = [
            (from.0 + nx, from.1 + ny),
            (to.0 + nx, to.1 + ny),
            (to.0 - nx, to.1 - ny),
            (from.0 - nx, from.1 - ny),
        ];
        self.flat(&corners, colour);
    }

    /// The colours as 8-bit codes with a little film grain, which also hides the steps of gradients.
    pub(crate) fn to_rgb8(&self, grain: f32) -> Vec<u8> {
        let mut random = Random::new(u64::from(self.width) << 32 | u64::from(self.height));
        let mut bytes = Vec::with_capacity(self.pixels.len() * 3);
        for colour in &self.pixels {
            let speck = random.between(-grain, grain) + random.between(-grain, grain);
            bytes.extend(colour.map(|level| ((level + speck) * 255.0 + 0.5).clamp(0.0, 255.0) as u8));
        }
        bytes
    }

    /// The colours as 16-bit codes.
    pub(crate) fn to_rgb16(&self) -> Vec<u16> {
        let codes =
            |colour: &Colour| colour.map(|level| (level * 65_535.0 + 0.5).clamp(0.0, 65_535.0) as u16);
        self.pixels.iter().flat_map(codes).collect()
    }
}

impl Area {
    /// The square around a place.
    pub(crate) fn around((x, y): Point, reach: f32) -> Self {
        Self { left: x - reach, top: y - reach, right: x + reach, bottom: y + reach }
    }

    /// The area standing on `base` with its middle at `x`.
    pub(crate) fn standing((x, base): Point, width: f32, height: f32) -> Self {
        Self { left: x - width / 2.0, top: base - height, right: x + width / 2.0, bottom: base }
    }

    /// Its corners, clockwise from the upper left.
    pub(crate) fn corners(self) -> [Point; 4] {
        let Self { left, top, right, bottom } = self;
        [(left, top), (right, top), (right, bottom), (left, bottom)]
    }

    fn holding(points: &[Point]) -> Self {
        let none = Self {
            left: f32::INFINITY,
            top: f32::INFINITY,
            right: f32::NEG_INFINITY,
            bottom: f32::NEG_INFINITY,
        };
        points.iter().fold(none, |area, (x, y)| Self {
            left: area.left.min(*x),
            top: area.top.min(*y),
            right: area.right.max(*x),
            bottom: area.bottom.max(*y),
        })
    }

    fn grown(self, by: f32) -> Self {
        let Self { left, top, right, bottom } = self;
        Self { left: left - by, top: top - by, right: right + by, bottom: bottom + by }
    }
}

/// The distance to a polygon's edge, negative inside (Quilez, "2D distance functions").
fn distance_to(corners: &[Point], (x, y): Point) -> f32 {
    let mut nearest = f32::INFINITY;
    let mut inside = false;
    let ends = corners.iter().cycle().skip(1);
    for ((ax, ay), (bx, by)) in corners.iter().zip(ends) {
        let (ex, ey, px, py) = (bx - ax, by - ay, x - ax, y - ay);
        let along = ((px * ex + py * ey) / (ex * ex + ey * ey).max(1e-12)).clamp(0.0, 1.0);
        let (dx, dy) = (px - ex * along, py - ey * along);
        nearest = nearest.min(dx * dx + dy * dy);
        if (*ay > y) != (*by > y) && x < ex * (y - ay) / ey + ax {
            inside = !inside;
        }
    }
    if inside { -nearest.sqrt() } else { nearest.sqrt() }
}
