//! Streets, skylines and bridges.

use crate::canvas::{Area, Canvas, Ellipse};
use crate::light::{Light, mix, rgb, scaled};
use crate::parts::{House, ground, house, ridge, sky, tree, water, window};
use crate::random::{Random, noise, wave};

/// A row of gabled houses along a cobbled street, a tree at the right.
pub(crate) fn street(canvas: &mut Canvas, light: &Light, random: &mut Random) {
    let (wide, tall) = canvas.extent();
    let pavement = tall * 0.82;
    sky(canvas, light, pavement, random);
    let walls = [0xe8c98a, 0xd98e6a, 0xb9cbb4, 0xf0e4cf, 0x9fb4c8, 0xd9a3a0];
    let mut left = -0.04;
    while left < wide * 0.86 {
        let width = random.between(0.2, 0.32);
        let floors = 2 + (random.next() % 3) as u32;
        let height = floors as f32 * random.between(0.13, 0.16) * (tall * 0.9).min(1.3);
        let area = Area { left, right: left + width, top: pavement - height, bottom: pavement };
        let roof = random.pick(&[0x8e4433, 0x6a4038, 0x55606a]);
        let gable = random.between(0.1, 0.2);
        house(canvas, light, House { walls: area, gable, wall: random.pick(&walls), roof, floors }, random);
        left += width + 0.004;
    }
    let seed = random.seed();
    let stone = light.on(0x8b867d);
    canvas.below(
        |_| pavement,
        |x, y, depth| {
            let row = (depth / (0.012 + depth * 0.12)).floor();
            let joint = if wave(x * (26.0 - row * 2.0) + row * 0.37) > 0.9 { 0.78 } else { 1.0 };
            scaled(stone, joint * (0.75 + 0.4 * noise(seed, x * 40.0, y * 60.0)))
        },
    );
    tree(canvas, light, (wide * 0.92, pavement + 0.06), 0.6, (0x5a8040, random));
    lamp(canvas, light, (wide * 0.5, pavement + 0.08), 0.42);
}

fn lamp(canvas: &mut Canvas, light: &Light, foot: (f32, f32), height: f32) {
    let iron = light.on(0x2c3036);
    canvas.stroke(foot, (foot.0, foot.1 - height), 0.014, iron);
    let head = (foot.0, foot.1 - height);
    if light.night {
        let halo = Ellipse { centre: head, radii: (0.02, 0.02), turn: 0.0 };
        canvas.ellipse(halo, 0.2, |_, _| rgb(0xffc765));
    }
    canvas.block(
        Area::standing((head.0, head.1 + 0.012), 0.045, 0.06),
        if light.night { rgb(0xffe6a8) } else { light.on(0xe9e4cf) },
    );
    canvas.flat(
        &[(head.0, head.1 - 0.08), (head.0 + 0.034, head.1 - 0.045), (head.0 - 0.034, head.1 - 0.045)],
        iron,
    );
}

/// Towers across the water.
pub(crate) fn skyline(canvas: &mut Canvas, light: &Light, random: &mut Random) {
    let (wide, tall) = canvas.extent();
    let quay = tall * 0.74;
    sky(canvas, light, quay, random);
    let peak = random.between(0.25, 0.75);
    for layer in 0..2 {
        let mut left = -0.03;
        while left < wide {
            let width = random.between(0.06, 0.15);
            let place = (left / wide - peak).abs();
            let height = tall
                * (0.52 - place * 0.55).max(0.1)
                * random.between(0.5, 1.1)
                * (1.0 - 0.35 * layer as f32);
            let area = Area { left, right: left + width, top: quay - height, bottom: quay };
            let shade =
                light.far(random.pick(&[0x5c6a7c, 0x77808a, 0x8a7d74, 0x4a5666]), 0.4 - 0.3 * layer as f32);
            block(canvas, light, (area, shade), random);
            left += width * random.between(0.85, 1.15);
        }
    }
    water(canvas, light, quay, random);
    if light.night {
        reflections(canvas, quay, random);
    }
}

fn block(canvas: &mut Canvas, light: &Light, (area, shade): (Area, [f32; 3]), random: &mut Random) {
    canvas.polygon(&area.corners(), |x, _| {
        scaled(shade, 1.1 - 0.3 * (x - area.left) / (area.right - area.left))
    });
    if random.between(0.0, 1.0) < 0.3 {
        let middle = (area.left + area.right) / 2.0;
        canvas.stroke((middle, area.top), (middle, area.top - 0.07), 0.006, scaled(shade, 0.8));
    }
    let (step, mut y) = (0.021, area.top + 0.018);
    while y < area.bottom - 0.02 {
        let mut x = area.left + 0.012;
        while x < area.right - 0.012 {
            let lit = random.between(0.0, 1.0) < 0.45;
            let glass = if light.night && lit {
                random.pick(&[rgb(0xffd98a), rgb(0xfff0c8), rgb(0xe8b45c)])
            } else {
                scaled(shade, 0.72)
            };
            canvas.block(Area { left: x, right: x + 0.009, top: y, bottom: y + 0.011 }, glass);
            x += step * 0.8;
        }
        y += step;
    }
}

fn reflections(canvas: &mut Canvas, quay: f32, random: &mut Random) {
    let (wide, tall) = canvas.extent();
    let seed = random.seed();
    canvas.paint(Area { top: quay, ..canvas.whole() }, |x, y| {
        let column = noise(seed, x * 26.0, 0.0);
        let broken = noise(seed, x * 12.0, y * 90.0);
        let fade = 1.0 - (y - quay) / (tall - quay);
        (rgb(0xffc878), ((column - 0.5) * 2.0 * broken * fade).clamp(0.0, 0.6))
    });
    canvas.block(Area { left: 0.0, right: wide, top: quay - 0.004, bottom: quay + 0.006 }, rgb(0x0c1020));
}

/// A suspension bridge coming from the left.
pub(crate) fn bridge(canvas: &mut Canvas, light: &Light, random: &mut Random) {
    let (wide, tall) = canvas.extent();
    let (horizon, deck) = (tall * 0.62, tall * 0.52);
    sky(canvas, light, horizon, random);
    ridge(canvas, (horizon, 0.2), (light.far(0x6f7f6a, 0.45), light.far(0x93a08c, 0.5)), random.seed());
    water(canvas, light, horizon, random);
    let red = light.on(0xb8432f);
    let (first, second) = (wide * random.between(0.22, 0.3), wide * random.between(0.74, 0.84));
    let top = tall * 0.16;
    let hang = |x: f32| {
        let span = (x - first) / (second - first);
        let sag = if (0.0..=1.0).contains(&span) {
            4.0 * span * (1.0 - span)
        } else {
            (span - span.clamp(0.0, 1.0)).abs() * 2.2
        };
        top + 0.02 + (deck - top - 0.06) * sag.min(1.0)
    };
    for index in 0..60 {
        let x = wide * index as f32 / 60.0;
        canvas.stroke((x, hang(x)), (x, deck), 0.004, red);
        let next = wide * (index as f32 + 1.0) / 60.0;
        canvas.stroke((x, hang(x)), (next, hang(next)), 0.014, red);
    }
    canvas.block(Area { left: 0.0, right: wide, top: deck, bottom: deck + 0.035 }, scaled(red, 0.85));
    for x in [first, second] {
        for side in [-0.045, 0.03] {
            canvas.block(Area { left: x + side, right: x + side + 0.022, top, bottom: horizon + 0.07 }, red);
        }
        for level in [0.02, 0.32, 0.66] {
            let y = top + (deck - top) * level;
            canvas.block(
                Area { left: x - 0.045, right: x + 0.05, top: y, bottom: y + 0.022 },
                scaled(red, 0.9),
            );
        }
        let pier = Area::standing((x, horizon + 0.1), 0.16, 0.06);
        canvas.block(pier, light.on(0x8d8a84));
    }
}

/// A church on a square, its tower at the right.
pub(crate) fn church(canvas: &mut Canvas, light: &Light, random: &mut Random) {
    let (wide, tall) = canvas.extent();
    let base = tall * 0.84;
    sky(canvas, light, base, random);
    ridge(canvas, (base, 0.16), (light.far(0x5d7a52, 0.35), light.far(0x7f966c, 0.35)), random.seed());
    ground(canvas, |_| base, light.on(0xb9ae98), random.seed());
    let nave = Area::standing((wide * 0.4, base + 0.01), 0.52, 0.26);
    let (stone, slate) = (light.on(0xe6dcc6), light.on(0x56606e));
    canvas.block(nave, stone);
    canvas.flat(
        &[
            (nave.left - 0.02, nave.top),
            (nave.left + 0.07, nave.top - 0.16),
            (nave.right, nave.top - 0.16),
            (nave.right, nave.top),
        ],
        slate,
    );
    for index in 0..5 {
        let x = nave.left + 0.06 + 0.1 * index as f32;
        let glass = if light.night { rgb(0xffc45e) } else { light.on(0x3f4c63) };
        canvas.block(Area::standing((x, base - 0.06), 0.034, 0.09), glass);
        canvas.disc((x, base - 0.15), 0.017, glass);
    }
    let tower = Area::standing((nave.right + 0.06, base + 0.01), 0.16, 0.52);
    canvas.polygon(&tower.corners(), |x, _| scaled(stone, 1.04 - 1.6 * (x - tower.left)));
    let tip = ((tower.left + tower.right) / 2.0, tower.top - 0.26);
    canvas.flat(&[tip, (tower.right + 0.012, tower.top), (tower.left - 0.012, tower.top)], slate);
    canvas.disc((tip.0, tower.top + 0.09), 0.045, light.on(0xfaf6ea));
    canvas.stroke((tip.0, tower.top + 0.09), (tip.0, tower.top + 0.06), 0.007, light.on(0x222222));
    canvas.stroke((tip.0, tower.top + 0.09), (tip.0 + 0.02, tower.top + 0.1), 0.007, light.on(0x222222));
    window(canvas, light, Area::standing((tip.0, tower.top + 0.28), 0.05, 0.09), random);
    canvas.block(Area::standing((tip.0, base + 0.01), 0.07, 0.12), light.on(0x5a3a26));
    tree(canvas, light, (wide * 0.1, base + 0.05), 0.42, (0x4d7638, random));
    let shadow = mix(light.on(0xb9ae98), light.zenith, 0.35);
    let shape = Ellipse { centre: (wide * 0.5, base + 0.03), radii: (0.5, 0.018), turn: 0.0 };
    canvas.ellipse(shape, 0.02, |_, _| shadow);
}
