//! Hills and plants.

use crate::canvas::{Area, Canvas, Ellipse, Point};
use crate::light::{Colour, Light, mix, scaled};
use crate::random::{Random, noise, rough};

/// A range of hills `height` high above `base`, drawn down to the bottom edge, fading into haze downwards.
pub(crate) fn ridge(
    canvas: &mut Canvas,
    (base, height): (f32, f32),
    (colour, haze): (Colour, Colour),
    seed: u32,
) {
    let edge = |x: f32| {
        let crest = rough(seed, x * 1.7, 0.5, 5);
        base - height * (crest * 1.7 - 0.35).max(0.0)
    };
    canvas.below(edge, |x, y, depth| {
        let grain = rough(seed ^ 1, x * 16.0, y * 22.0, 3) - 0.5;
        mix(scaled(colour, 1.0 + grain * 0.35), haze, depth / (height * 2.2))
    });
}

/// A broad-leaved tree of this height.
pub(crate) fn tree(
    canvas: &mut Canvas,
    light: &Light,
    foot: Point,
    height: f32,
    (leaf, random): (u32, &mut Random),
) {
    let trunk = Area::standing(foot, height * 0.08, height * 0.55);
    canvas.block(trunk, light.on(0x4e3826));
    let seed = random.seed();
    for index in 0..14 {
        let high = 0.42 + 0.037 * index as f32;
        let spread = 0.3 * (1.0 - (high - 0.6) * (high - 0.6) * 3.0);
        let centre = (
            foot.0 + height * random.between(-spread, spread),
            foot.1 - height * (high + random.between(-0.05, 0.03)),
        );
        let radius = height * random.between(0.13, 0.19);
        let shape = Ellipse { centre, radii: (radius, radius * 0.85), turn: 0.0 };
        canvas.ellipse(shape, radius * 0.12, |x, y| {
            let leaves = noise(seed, x * 26.0 / height, y * 26.0 / height);
            let lit = 0.9 - (y - centre.1) / radius * 0.22 + (leaves - 0.5) * 0.5;
            scaled(light.on(leaf), lit)
        });
    }
}

/// A conifer of this height; `snow` 0 to 1 whitens it.
pub(crate) fn pine(canvas: &mut Canvas, foot: Point, height: f32, (needles, snow): (Colour, f32)) {
    canvas.block(Area::standing(foot, height * 0.06, height * 0.2), scaled(needles, 0.5));
    for tier in 0..5 {
        let share = tier as f32 / 5.0;
        let bottom = foot.1 - height * (0.1 + share * 0.72);
        let (half, top) = (height * 0.24 * (1.0 - share * 0.72), bottom - height * 0.32);
        let corners = [(foot.0, top), (foot.0 + half, bottom), (foot.0 - half, bottom)];
        let (middle, level) = (foot.0, bottom - top);
        canvas.polygon(&corners, |x, y| {
            let side = 1.0 + 0.25 * (middle - x) / half;
            let white = snow * (1.0 - (y - top) / level * 1.15).max(0.0);
            mix(scaled(needles, side * (0.75 + share * 0.4)), scaled([1.0; 3], side), white)
        });
    }
}

/// Blades of grass along `base`, for the foreground.
pub(crate) fn grass(canvas: &mut Canvas, light: &Light, base: f32, (colour, random): (u32, &mut Random)) {
    let (wide, tall) = canvas.extent();
    for _ in 0..(wide * 260.0) as u32 {
        let foot = (random.between(0.0, wide), random.between(base, tall * 1.02));
        let near = 0.4 + 0.6 * (foot.1 - base) / (tall - base).max(0.01);
        let length = random.between(0.02, 0.05) * near;
        let tip = (foot.0 + random.between(-0.5, 0.5) * length, foot.1 - length);
        let half = 0.0022 * near;
        let shade = scaled(light.on(colour), random.between(0.7, 1.3));
        canvas.flat(&[tip, (foot.0 + half, foot.1), (foot.0 - half, foot.1)], shade);
    }
}
