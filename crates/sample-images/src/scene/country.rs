//! Fields, roads and balloons.

use crate::canvas::{Area, Canvas, Ellipse, Point};
use crate::light::{Light, mix, scaled};
use crate::parts::{House, grass, ground, house, ridge, sky, tree};
use crate::random::{Random, noise, wave};

/// A road to the horizon, trees along its right side.
pub(crate) fn road(canvas: &mut Canvas, light: &Light, random: &mut Random) {
    let (wide, tall) = canvas.extent();
    let horizon = tall * 0.5;
    sky(canvas, light, horizon, random);
    ridge(canvas, (horizon + 0.02, 0.1), (light.far(0x5d7a72, 0.4), light.far(0x8aa095, 0.4)), random.seed());
    let green = random.pick(&[0x7f9a45, 0xb59a48, 0x5f8a3c]);
    ground(canvas, |_| horizon, light.on(green), random.seed());
    let seed = random.seed();
    let far = (wide * random.between(0.38, 0.5), horizon);
    let (left, right) = ((wide * 0.3 - 0.2, tall), (wide * 0.62 + 0.15, tall));
    let tar = light.on(0x5d5f63);
    canvas.polygon(&[(far.0 - 0.006, far.1), (far.0 + 0.006, far.1), right, left], |x, y| {
        scaled(tar, 0.85 + 0.3 * noise(seed, x * 120.0, y * 120.0))
    });
    let mut near = 0.03_f32;
    while near < 1.0 {
        let (start, end) = (near, (near * 1.28).min(1.0));
        let at = |share: f32| {
            (far.0 + ((left.0 + right.0) / 2.0 - far.0) * share, horizon + (tall - horizon) * share)
        };
        canvas.stroke(at(start), at(end), 0.022 * (start + end) / 2.0, light.on(0xf3f0e2));
        near *= 1.6;
    }
    for step in [0.04, 0.07, 0.12, 0.2, 0.36, 0.62] {
        let x = far.0 + (right.0 - far.0) * step + 0.38 * step + 0.02;
        tree(canvas, light, (x, horizon + (tall - horizon) * step), 0.08 + step, (0x4e7a36, random));
    }
    grass(canvas, light, tall * 0.97, (green, random));
}

/// A windmill behind rows of tulips.
pub(crate) fn windmill(canvas: &mut Canvas, light: &Light, random: &mut Random) {
    let (wide, tall) = canvas.extent();
    let horizon = tall * 0.58;
    sky(canvas, light, horizon, random);
    ground(canvas, |_| horizon, light.on(0x5f8a3c), random.seed());
    let seed = random.seed();
    let vanish = wide * random.between(0.2, 0.8);
    let rows = [0xd8323c, 0xf2b632, 0xe86aa2, 0xf6f1e6, 0x8a3fa0].map(|hex| light.on(hex));
    let leaf = light.on(0x3f6f34);
    canvas.paint(Area { top: horizon + 0.03, ..canvas.whole() }, |x, y| {
        let near = (y - horizon) / (tall - horizon);
        let lane = (x - vanish) / (near + 0.02) * 2.2 + 50.0;
        let bed = lane - lane.floor();
        let bloom = rows[lane as usize % rows.len()];
        let heads = noise(seed, x * 34.0 / near, y * 46.0 / near);
        let colour = mix(leaf, bloom, (heads - 0.28) * 5.0);
        (scaled(colour, 0.8 + 0.35 * heads), if bed < 0.72 { 1.0 } else { 0.0 })
    });
    mill(canvas, light, (wide * 0.68, horizon + 0.06), 0.44);
    house(
        canvas,
        light,
        House {
            walls: Area::standing((wide * 0.3, horizon + 0.03), 0.22, 0.08),
            gable: 0.08,
            wall: 0xe9dcc2,
            roof: 0x9c4a34,
            floors: 1,
        },
        random,
    );
}

fn mill(canvas: &mut Canvas, light: &Light, (x, base): Point, height: f32) {
    let body = [
        (x - height * 0.13, base - height * 0.75),
        (x + height * 0.13, base - height * 0.75),
        (x + height * 0.24, base),
        (x - height * 0.24, base),
    ];
    let brick = light.on(0x8f5a40);
    canvas.polygon(&body, |px, py| {
        let course = if wave(py * 70.0) > 0.8 { 0.85 } else { 1.0 };
        scaled(brick, course * (1.1 - (px - x + height * 0.24) / height * 0.7))
    });
    let hub = (x, base - height * 0.8);
    canvas.ellipse(
        Ellipse { centre: (x, base - height * 0.76), radii: (height * 0.15, height * 0.12), turn: 0.0 },
        0.0,
        |_, _| light.on(0x3c3330),
    );
    canvas.block(Area::standing((x, base), height * 0.1, height * 0.18), light.on(0x2f2a28));
    for arm in 0..4 {
        let turn = arm as f32 / 4.0 + 0.06;
        let (dx, dy) = (wave(turn + 0.25), wave(turn));
        let at = |along: f32, aside: f32| {
            (hub.0 + (dx * along - dy * aside) * height, hub.1 + (dy * along + dx * aside) * height)
        };
        let cloth = light.on(0xf4ead4);
        canvas.flat(&[at(0.1, 0.0), at(0.56, 0.0), at(0.56, 0.11), at(0.1, 0.09)], cloth);
        canvas.stroke(hub, at(0.58, 0.0), 0.01, light.on(0x4a3324));
    }
    canvas.disc(hub, height * 0.03, light.on(0x2c2320));
}

/// A red barn at the left, bales on a mown field.
pub(crate) fn barn(canvas: &mut Canvas, light: &Light, random: &mut Random) {
    let (wide, tall) = canvas.extent();
    let horizon = tall * 0.55;
    sky(canvas, light, horizon, random);
    ridge(canvas, (horizon, 0.12), (light.far(0x4a7040, 0.3), light.far(0x6c8a55, 0.3)), random.seed());
    let seed = random.seed();
    ground(canvas, |x| horizon + 0.03 * wave(x * 0.4), light.on(0xd2b25a), seed);
    tree(canvas, light, (wide * 0.1, horizon + 0.1), 0.46, (0x4c7434, random));
    let walls = Area::standing((wide * 0.33, horizon + 0.14), 0.42, 0.2);
    house(canvas, light, House { walls, gable: 0.2, wall: 0xa8322a, roof: 0x59606a, floors: 1 }, random);
    for (x, y, radius) in [(0.62, 0.68, 0.035), (0.78, 0.74, 0.055), (0.9, 0.66, 0.03), (0.66, 0.88, 0.1)] {
        let centre = (wide * x, tall * y);
        let shape = Ellipse {
            centre: (centre.0 + radius * 0.6, centre.1 + radius),
            radii: (radius * 1.6, radius * 0.2),
            turn: 0.0,
        };
        canvas.ellipse(shape, radius * 0.3, |_, _| light.on(0x8a7032));
        let straw = light.on(0xe2c36a);
        canvas.ellipse(Ellipse { centre, radii: (radius, radius), turn: 0.0 }, 0.0, |px, py| {
            let (dx, dy) = ((px - centre.0) / radius, (py - centre.1) / radius);
            scaled(straw, 0.85 + 0.12 * wave((dx * dx + dy * dy).sqrt() * 4.0) - 0.15 * dy)
        });
    }
    grass(canvas, light, tall * 0.9, (0xb39a48, random));
}

/// Hot-air balloons over a valley.
pub(crate) fn balloons(canvas: &mut Canvas, light: &Light, random: &mut Random) {
    let (wide, tall) = canvas.extent();
    sky(canvas, light, tall * 0.85, random);
    for (base, haze) in [(0.8, 0.5), (0.9, 0.25), (1.0, 0.05)] {
        let colours = (light.far(0x4f7448, haze), light.far(0x7a9460, haze));
        ridge(canvas, (tall * base, 0.15), colours, random.seed());
    }
    let hues: [[u32; 2]; 4] =
        [[0xd93a2f, 0xf8d84a], [0x2c6fb8, 0xf5f2e8], [0x3d9a5f, 0xf2a13a], [0x8a3f9e, 0xf7c9d8]];
    let places = [
        (random.between(0.28, 0.4), 0.36, 0.2),
        (random.between(0.7, 0.82), 0.24, 0.11),
        (0.58, 0.6, 0.07),
        (0.9, 0.56, 0.045),
    ];
    let first = (random.next() % 4) as usize;
    for (index, (x, y, radius)) in places.into_iter().enumerate() {
        let pair = hues[(first + index) % 4].map(|hex| light.far(hex, 0.25 - radius));
        balloon(canvas, light, ((wide * x, tall * y), radius), pair);
    }
}

fn balloon(canvas: &mut Canvas, light: &Light, ((x, y), radius): (Point, f32), [one, other]: [[f32; 3]; 2]) {
    let gore = |px: f32, py: f32| {
        let level =
            (1.0 - ((py - y) / radius / 1.2).clamp(-1.0, 1.0) * ((py - y) / radius / 1.2)).max(0.05).sqrt();
        let across = ((px - x) / radius / level).clamp(-1.0, 1.0);
        let stripe = across * (1.6 - 0.6 * across.abs()) * 3.5 + 20.0;
        scaled(if stripe as i32 % 2 == 0 { one } else { other }, 1.08 - 0.3 * (across * 0.5 + 0.5))
    };
    canvas.ellipse(Ellipse { centre: (x, y), radii: (radius, radius), turn: 0.0 }, 0.0, gore);
    let skirt = [
        (x - radius * 0.86, y + radius * 0.5),
        (x + radius * 0.86, y + radius * 0.5),
        (x + radius * 0.2, y + radius * 1.3),
        (x - radius * 0.2, y + radius * 1.3),
    ];
    canvas.polygon(&skirt, gore);
    let basket = Area::standing((x, y + radius * 1.75), radius * 0.3, radius * 0.22);
    for side in [-0.14, 0.14] {
        canvas.stroke(
            (x + radius * side * 1.3, y + radius * 1.3),
            (x + radius * side, basket.top),
            radius * 0.02,
            light.on(0x3d3128),
        );
    }
    canvas.block(basket, light.on(0x7a5230));
}
