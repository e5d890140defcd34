//! What scenes are put together from: sky and water, plants, buildings and a signpost.

mod built;
mod grown;
mod sign;

pub(crate) use built::{House, house, window};
pub(crate) use grown::{grass, pine, ridge, tree};
pub(crate) use sign::sign;

use crate::canvas::{Area, Canvas, Point};
use crate::light::{Colour, Light, mix, scaled};
use crate::random::{Random, noise, rough};

/// The sky down to `horizon`, with sun or moon, clouds, and stars at night.
pub(crate) fn sky(canvas: &mut Canvas, light: &Light, horizon: f32, random: &mut Random) {
    let (wide, _) = canvas.extent();
    let area = Area { bottom: horizon, ..canvas.whole() };
    let sun = (light.sun_at.0 * wide, light.sun_at.1 * horizon);
    canvas.paint(area, |x, y| {
        let height = y / horizon;
        let base = mix(light.zenith, light.horizon, height * height * 0.6 + height * 0.4);
        let (dx, dy) = (x - sun.0, y - sun.1);
        let glow = 0.06 / (0.06 + dx * dx + dy * dy);
        (mix(base, light.sun, glow * if light.night { 0.3 } else { 0.55 }), 1.0)
    });
    if light.night {
        stars(canvas, horizon, random);
    }
    canvas.disc(sun, 0.045, light.sun);
    clouds(canvas, light, horizon, random.seed());
}

fn stars(canvas: &mut Canvas, horizon: f32, random: &mut Random) {
    let (wide, _) = canvas.extent();
    for _ in 0..150 {
        let place = (random.between(0.0, wide), random.between(0.0, horizon * 0.95));
        let radius = random.between(0.0007, 0.0022);
        canvas.disc(place, radius, scaled([0.95, 0.96, 1.0], random.between(0.5, 1.0)));
    }
}

fn clouds(canvas: &mut Canvas, light: &Light, horizon: f32, seed: u32) {
    let lit = mix(light.sun, light.horizon, if light.night { 0.9 } else { 0.25 });
    let shaded = mix(light.zenith, light.horizon, 0.55);
    canvas.paint(Area { bottom: horizon, ..canvas.whole() }, |x, y| {
        let far = 0.35 + 0.65 * (1.0 - y / horizon);
        let (u, v) = (x * 2.6 / far, y * 6.0 / far);
        let body = rough(seed, u, v, 4);
        let cover = ((body - 0.72 + light.clouds * 0.36) * 4.5).clamp(0.0, 0.92);
        if cover <= 0.0 {
            return (lit, 0.0);
        }
        let under = ((body - 0.5) * 2.2).clamp(0.0, 1.0);
        (mix(lit, shaded, under), cover * (1.0 - 0.5 * y / horizon))
    });
}

/// Water from `top` down to the bottom edge, with ripples and the sun's reflection.
pub(crate) fn water(canvas: &mut Canvas, light: &Light, top: f32, random: &mut Random) {
    let (wide, tall) = canvas.extent();
    let seed = random.seed();
    let sun = light.sun_at.0 * wide;
    let deep = mix(light.on(0x14506e), light.zenith, 0.3);
    let shallow = mix(light.on(0x4f9fb0), light.horizon, 0.5);
    canvas.paint(Area { top, ..canvas.whole() }, |x, y| {
        let near = ((y - top) / (tall - top)).clamp(0.0, 1.0);
        let scale = 1.0 / (0.05 + near);
        let ripple = noise(seed, x * 7.0 * scale, near * 9.0 * scale.min(9.0) + near * 40.0);
        let base = mix(shallow, deep, near * 1.4 + (ripple - 0.5) * 0.5);
        let path = 0.05 + near * 0.13;
        let glitter =
            (1.0 - (x - sun).abs() / path).clamp(0.0, 1.0) * ((ripple - 0.42) * 4.0).clamp(0.0, 0.85);
        (mix(base, light.sun, glitter), 1.0)
    });
}

/// Ground below `edge` of one colour, mottled and darker towards the viewer.
pub(crate) fn ground(canvas: &mut Canvas, edge: impl Fn(f32) -> f32, colour: Colour, seed: u32) {
    let (_, tall) = canvas.extent();
    canvas.below(edge, |x, y, depth| {
        let near = (depth / tall).min(1.0);
        let fine = 30.0 - 18.0 * near;
        scaled(colour, 0.84 + 0.3 * rough(seed, x * fine, y * fine * 2.0, 2) - 0.25 * near)
    });
}

/// A fruit or any other thing round: lighter on the side of the light.
pub(crate) fn ball(canvas: &mut Canvas, centre: Point, radius: f32, colour: Colour) {
    let shape = crate::canvas::Ellipse { centre, radii: (radius, radius), turn: 0.0 };
    canvas.ellipse(shape, 0.0, |x, y| {
        let (dx, dy) = ((x - centre.0) / radius + 0.4, (y - centre.1) / radius + 0.45);
        scaled(mix([1.0; 3], colour, 0.35 + 2.6 * (dx * dx + dy * dy)), 1.08 - 0.3 * (dx * dx + dy * dy))
    });
}
