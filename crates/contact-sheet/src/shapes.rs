//! Regions as ink on a cell.

use annotations::{Bounds, Keypoint, Mask, Point, Polygon, Region, Shape, Visibility, outline};
use tiny_skia::{
    Color, FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, Transform,
};

use crate::palette::Palette;
use crate::text::{Font, blend};

const LINE: f32 = 2.0;
/// Under each line, so that it is seen on any picture.
const HALO: f32 = 4.0;
const HALO_OPACITY: f32 = 0.45;
/// How much of an area its colour covers, of 255.
const TINT: u8 = 36;
const DOT: f32 = 3.5;

/// Draws one region, which is in the cell's pixels.
pub(crate) fn draw(on: &mut Pixmap, region: &Region, palette: &Palette<'_>) {
    let label = region.labels.first().map(String::as_str).unwrap_or_default();
    let colour = palette.colour(label);
    match &region.shape {
        Shape::Image => {}
        Shape::Mask(mask) => draw_mask(on, mask, colour),
        Shape::Point { at, .. } => dot(on, *at, colour, true),
        Shape::Polygon { polygons, closed: false } => line(on, rings(polygons, false), colour),
        shape => area(on, rings(&outline(shape), true), colour),
    }
    let skeleton = palette.category(label).map(|category| category.definition.skeleton.as_slice());
    joints(on, &region.keypoints, skeleton.unwrap_or_default(), colour);
}

/// Writes a region's labels at its top-left corner, above it where there is room.
pub(crate) fn tag(on: &mut Pixmap, region: &Region, palette: &Palette<'_>) {
    let Some(Bounds { x, y, .. }) = region.shape.bounds() else { return };
    let above = y - f64::from(tag_height());
    place_tag(on, region, palette, (x.max(0.0) as u32, if above < 0.0 { y.max(0.0) } else { above } as u32));
}

/// Writes a region's labels at a place, moved so that they are inside.
pub(crate) fn place_tag(on: &mut Pixmap, region: &Region, palette: &Palette<'_>, (x, y): (u32, u32)) {
    let font = Font::PLAIN;
    let colour = palette.colour(region.labels.first().map(String::as_str).unwrap_or_default());
    let text = font.fit(&region.labels.join(", "), on.width().saturating_sub(4));
    let (width, height) = (font.width(&text) + 4, tag_height());
    let (x, y) = (x.min(on.width().saturating_sub(width)), y.min(on.height().saturating_sub(height)));
    fill(on, (x, y), (width, height), colour);
    font.draw(on, (x + 2, y + 1), &text, ink_on(colour));
}

/// Fills a rectangle: its top-left corner and its size.
pub(crate) fn fill(on: &mut Pixmap, (x, y): (u32, u32), (width, height): (u32, u32), colour: Color) {
    if let Some(rect) = Rect::from_xywh(x as f32, y as f32, width as f32, height as f32) {
        on.fill_rect(rect, &paint(colour), Transform::identity(), None);
    }
}

/// Pixels down that a tag takes.
pub(crate) fn tag_height() -> u32 {
    Font::PLAIN.height() + 2
}

/// Black or white, whichever is read better (relative luminance as in WCAG 2, without its gamma).
fn ink_on(colour: Color) -> Color {
    let luminance = 0.2126 * colour.red() + 0.7152 * colour.green() + 0.0722 * colour.blue();
    if luminance > 0.4 { Color::BLACK } else { Color::WHITE }
}

fn area(on: &mut Pixmap, path: Option<Path>, colour: Color) {
    if let Some(path) = &path {
        let tint = paint(with_alpha(colour, f32::from(TINT) / 255.0));
        on.fill_path(path, &tint, FillRule::EvenOdd, Transform::identity(), None);
    }
    line(on, path, colour);
}

fn line(on: &mut Pixmap, path: Option<Path>, colour: Color) {
    let Some(path) = path else { return };
    for (width, colour) in [(HALO, with_alpha(Color::BLACK, HALO_OPACITY)), (LINE, colour)] {
        let stroke =
            Stroke { width, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
        on.stroke_path(&path, &paint(colour), &stroke, Transform::identity(), None);
    }
}

fn dot(on: &mut Pixmap, at: Point, colour: Color, filled: bool) {
    let circle = |radius| PathBuilder::from_circle(at.x as f32, at.y as f32, radius);
    match (filled, circle(DOT), circle(DOT + 1.5)) {
        (true, Some(dot), Some(halo)) => {
            for (path, colour) in [(halo, with_alpha(Color::BLACK, HALO_OPACITY)), (dot, colour)] {
                on.fill_path(&path, &paint(colour), FillRule::Winding, Transform::identity(), None);
            }
        }
        (false, ring, _) => line(on, ring, colour),
        _ => {}
    }
}

/// Joints with what connects them; one that is hidden is a ring.
fn joints(on: &mut Pixmap, joints: &[Keypoint], skeleton: &[[u32; 2]], colour: Color) {
    let labelled = |number: u32| {
        let joint = joints.get((number as usize).checked_sub(1)?)?;
        (joint.visibility != Visibility::Absent).then_some(joint.at)
    };
    for [from, to] in skeleton {
        if let (Some(from), Some(to)) = (labelled(*from), labelled(*to)) {
            let bone = Polygon { exterior: vec![from, to], holes: Vec::new() };
            line(on, rings(&[bone], false), colour);
        }
    }
    for joint in joints.iter().filter(|joint| joint.visibility != Visibility::Absent) {
        dot(on, joint.at, colour, joint.visibility == Visibility::Visible);
    }
}

/// A tint on what is set, and the full colour along its edge.
fn draw_mask(on: &mut Pixmap, mask: &Mask, colour: Color) {
    let (width, height) = (on.width() as usize, on.height() as usize);
    let rows = mask.to_rows();
    let set =
        |x: usize, y: usize| x < width && y < height && rows.get(y * width + x).copied().unwrap_or(false);
    let colour = colour.premultiply().to_color_u8();
    for (index, pixel) in on.pixels_mut().iter_mut().enumerate() {
        let (x, y) = (index % width, index / width);
        if set(x, y) {
            let inner = x > 0 && y > 0 && set(x - 1, y) && set(x, y - 1) && set(x + 1, y) && set(x, y + 1);
            *pixel = blend(*pixel, colour, if inner { TINT * 2 } else { 255 });
        }
    }
}

fn rings(polygons: &[Polygon], closed: bool) -> Option<Path> {
    let mut path = PathBuilder::new();
    for ring in polygons.iter().flat_map(|polygon| std::iter::once(&polygon.exterior).chain(&polygon.holes)) {
        for (index, point) in ring.iter().enumerate() {
            let (x, y) = (point.x as f32, point.y as f32);
            if index == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
        }
        if closed {
            path.close();
        }
    }
    path.finish()
}

fn paint(colour: Color) -> Paint<'static> {
    let mut paint = Paint::default();
    paint.set_color(colour);
    paint
}

fn with_alpha(mut colour: Color, alpha: f32) -> Color {
    colour.set_alpha(alpha);
    colour
}
