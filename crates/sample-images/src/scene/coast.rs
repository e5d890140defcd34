//! By the sea.

use crate::canvas::{Area, Canvas, Ellipse, Point};
use crate::light::{Light, mix, scaled};
use crate::parts::{ground, sky, water};
use crate::random::{Random, noise, rough, wave};

/// A red and white lighthouse on a cliff at the right.
pub(crate) fn lighthouse(canvas: &mut Canvas, light: &Light, random: &mut Random) {
    let (wide, tall) = canvas.extent();
    sky(canvas, light, tall * 0.64, random);
    water(canvas, light, tall * 0.64, random);
    let seed = random.seed();
    let cliff = |x: f32| {
        let rise = ((x / wide - 0.42) * 4.0).clamp(0.0, 1.0);
        tall * (1.02 - 0.42 * rise * rise * (3.0 - 2.0 * rise)) + 0.05 * (rough(seed, x * 6.0, 0.0, 4) - 0.5)
    };
    let (turf, stone) = (light.on(0x6d8f45), light.on(0x8a7765));
    canvas.below(cliff, |x, y, depth| {
        let strata = rough(seed, x * 9.0, y * 26.0, 3);
        mix(turf, scaled(stone, 0.6 + 0.8 * strata), depth * 14.0 - 0.6 + strata * 0.6)
    });
    let foot = (wide * 0.76, cliff(wide * 0.76) + 0.015);
    tower(canvas, light, foot, 0.5);
    let hut = Area::standing((foot.0 + 0.14, foot.1 + 0.01), 0.17, 0.08);
    canvas.block(hut, light.on(0xf3efe6));
    let roof = [
        (hut.left - 0.01, hut.top),
        (hut.left + 0.03, hut.top - 0.05),
        (hut.right - 0.03, hut.top - 0.05),
        (hut.right + 0.01, hut.top),
    ];
    canvas.flat(&roof, light.on(0xa8452f));
    gulls(canvas, light, random);
}

fn tower(canvas: &mut Canvas, light: &Light, (x, base): Point, height: f32) {
    let half = |share: f32| height * (0.11 - 0.045 * share);
    let corners = [
        (x - half(1.0), base - height * 0.8),
        (x + half(1.0), base - height * 0.8),
        (x + half(0.0), base),
        (x - half(0.0), base),
    ];
    let (white, red) = (light.on(0xf6f2ea), light.on(0xc8362b));
    canvas.polygon(&corners, |px, py| {
        let band = ((base - py) / (height * 0.16)) as i32;
        let side = 1.05 - 0.4 * ((px - x) / half(0.0) * 0.5 + 0.5);
        scaled(if band % 2 == 0 { white } else { red }, side)
    });
    let top = base - height * 0.8;
    canvas.block(Area::standing((x, top + 0.008), height * 0.2, height * 0.04), light.on(0x333840));
    canvas.block(Area::standing((x, top - height * 0.03), height * 0.1, height * 0.09), light.sun);
    canvas.flat(
        &[
            (x, top - height * 0.2),
            (x + height * 0.08, top - height * 0.115),
            (x - height * 0.08, top - height * 0.115),
        ],
        light.on(0xb02a22),
    );
}

fn gulls(canvas: &mut Canvas, light: &Light, random: &mut Random) {
    let (wide, tall) = canvas.extent();
    for _ in 0..5 {
        let (x, y) = (random.between(0.1, 0.6) * wide, random.between(0.15, 0.4) * tall);
        let span = random.between(0.014, 0.026);
        let colour = light.on(0x3f4650);
        canvas.flat(&[(x - span, y - span * 0.6), (x, y), (x - span * 0.4, y - span * 0.55)], colour);
        canvas.flat(&[(x + span, y - span * 0.5), (x, y), (x + span * 0.4, y - span * 0.5)], colour);
    }
}

/// A sailing boat close by, a headland behind.
pub(crate) fn sails(canvas: &mut Canvas, light: &Light, random: &mut Random) {
    let (wide, tall) = canvas.extent();
    let horizon = tall * random.between(0.5, 0.6);
    sky(canvas, light, horizon, random);
    let seed = random.seed();
    let far = light.far(0x4f6b58, 0.45);
    let from = if random.between(0.0, 1.0) < 0.5 { 0.0 } else { wide };
    canvas.below(
        |x| {
            horizon
                - 0.14
                    * (1.0 - (x - from).abs() / (wide * 0.6)).max(0.0)
                    * (0.6 + rough(seed, x * 5.0, 0.0, 3))
        },
        |_, _, _| far,
    );
    water(canvas, light, horizon, random);
    boat(canvas, light, (wide * random.between(0.35, 0.65), tall * 0.8), 0.62);
    boat(canvas, light, (wide * random.between(0.78, 0.9), horizon + 0.05), 0.13);
}

fn boat(canvas: &mut Canvas, light: &Light, (x, y): Point, height: f32) {
    let at = |dx: f32, dy: f32| (x + dx * height, y - dy * height);
    let mirror = Ellipse { centre: at(0.0, -0.05), radii: (height * 0.3, height * 0.05), turn: 0.0 };
    let shade = light.on(0x1d3a48);
    canvas.ellipse(mirror, height * 0.06, |_, _| shade);
    canvas.stroke(at(0.02, 0.0), at(0.02, 1.0), height * 0.016, light.on(0x5d4630));
    let cloth = light.on(0xfbf7ee);
    canvas.polygon(&[at(0.0, 0.97), at(-0.34, 0.17), at(0.0, 0.14)], |px, _| {
        scaled(cloth, 0.86 + 0.3 * (px - x + 0.3 * height) / height)
    });
    canvas.flat(&[at(0.04, 0.9), at(0.3, 0.16), at(0.04, 0.14)], light.on(0xe4572e));
    canvas.flat(&[at(-0.38, 0.1), at(0.36, 0.12), at(0.26, -0.03), at(-0.28, -0.03)], light.on(0x20406c));
    canvas.flat(&[at(-0.38, 0.1), at(0.36, 0.12), at(0.35, 0.085), at(-0.365, 0.07)], light.on(0xf1e6cf));
}

/// A sandy beach with a palm at the left and a parasol.
pub(crate) fn beach(canvas: &mut Canvas, light: &Light, random: &mut Random) {
    let (wide, tall) = canvas.extent();
    sky(canvas, light, tall * 0.48, random);
    water(canvas, light, tall * 0.48, random);
    let seed = random.seed();
    let shore = |x: f32| tall * (0.62 + 0.16 * x / wide) + 0.015 * wave(x * 0.9 + 0.2);
    canvas.below(|x| shore(x) - 0.018 - 0.008 * noise(seed, x * 8.0, 0.0), |_, _, _| light.on(0xf4fafa));
    ground(canvas, shore, light.on(0xf0d7a4), seed);
    let pole = (wide * random.between(0.6, 0.72), tall * 0.93);
    parasol(canvas, light, pole, 0.36);
    palm(canvas, light, (wide * 0.15, tall * 0.95), 0.72);
}

fn parasol(canvas: &mut Canvas, light: &Light, foot: Point, height: f32) {
    let shade = Ellipse { centre: (foot.0 + 0.05, foot.1), radii: (height * 0.55, height * 0.08), turn: 0.0 };
    canvas.ellipse(shade, 0.03, |_, _| light.on(0xb99f72));
    canvas.stroke(foot, (foot.0 - 0.03, foot.1 - height), 0.012, light.on(0xece5d6));
    let top = (foot.0 - 0.035, foot.1 - height * 1.12);
    for slice in 0..6 {
        let edge = |index: i32| {
            let turn = (index as f32 / 6.0 - 0.5) * 0.5;
            (top.0 + wave(turn) * height * 0.62, top.1 + height * (0.42 - 0.1 * wave(turn + 0.25)))
        };
        let colour = light.on(if slice % 2 == 0 { 0xe2463a } else { 0xfdf6e9 });
        canvas.flat(&[top, edge(slice), edge(slice + 1)], colour);
    }
    let towel = [
        (foot.0 - 0.36, foot.1 + 0.01),
        (foot.0 - 0.14, foot.1 + 0.01),
        (foot.0 - 0.18, foot.1 + 0.05),
        (foot.0 - 0.42, foot.1 + 0.05),
    ];
    canvas.polygon(&towel, |x, _| light.on(if wave(x * 22.0) > 0.0 { 0x2f7fb5 } else { 0xf5f5f0 }));
}

fn palm(canvas: &mut Canvas, light: &Light, foot: Point, height: f32) {
    let bend = |share: f32| (foot.0 + 0.14 * share * share, foot.1 - height * share);
    for ring in 0..24 {
        let (low, high) = (ring as f32 / 24.0, (ring as f32 + 1.15) / 24.0);
        let bark = scaled(light.on(0x8a6a45), if ring % 2 == 0 { 1.0 } else { 0.82 });
        canvas.stroke(bend(low), bend(high), 0.046 - 0.02 * low, bark);
    }
    let crown = bend(1.0);
    for frond in 0..9 {
        let turn = frond as f32 / 9.0 + 0.09;
        let (dx, dy) = (wave(turn + 0.25) * 0.3, wave(turn) * 0.16);
        let shade = light.on(if frond % 2 == 0 { 0x2f7a3a } else { 0x43953f });
        let (middle, tip) = ((crown.0 + dx * 0.55, crown.1 + dy - 0.06), (crown.0 + dx, crown.1 + dy + 0.06));
        canvas.flat(&[crown, (middle.0, middle.1 - 0.022), tip, (middle.0, middle.1 + 0.03)], shade);
    }
    for (dx, dy) in [(-0.02, 0.02), (0.02, 0.025), (0.0, 0.035)] {
        canvas.disc((crown.0 + dx, crown.1 + dy), 0.018, light.on(0x5c3d22));
    }
}

/// White cliffs on the left with a natural arch, pebbles below.
pub(crate) fn arch(canvas: &mut Canvas, light: &Light, random: &mut Random) {
    let (wide, tall) = canvas.extent();
    sky(canvas, light, tall * 0.6, random);
    water(canvas, light, tall * 0.6, random);
    let seed = random.seed();
    let chalk = light.on(0xece6d6);
    let strata = |x: f32, y: f32| scaled(chalk, 0.72 + 0.4 * rough(seed, x * 3.0, y * 30.0, 3));
    let outline = [
        (0.0, tall * 0.2),
        (wide * 0.3, tall * 0.24),
        (wide * 0.52, tall * 0.3),
        (wide * 0.62, tall * 0.4),
        (wide * 0.67, tall * 0.66),
        (wide * 0.58, tall * 0.66),
        (wide * 0.55, tall * 0.5),
        (wide * 0.5, tall * 0.45),
        (wide * 0.45, tall * 0.49),
        (wide * 0.42, tall * 0.68),
        (wide * 0.34, tall * 0.76),
        (0.0, tall * 0.76),
    ];
    canvas.polygon(&outline, strata);
    canvas.flat(
        &[
            (0.0, tall * 0.17),
            (wide * 0.3, tall * 0.22),
            (wide * 0.52, tall * 0.285),
            (wide * 0.3, tall * 0.26),
            (0.0, tall * 0.22),
        ],
        light.on(0x6c8a3e),
    );
    let needle = [(wide * 0.78, tall * 0.66), (wide * 0.8, tall * 0.44), (wide * 0.83, tall * 0.66)];
    canvas.polygon(&needle, strata);
    let shore = |x: f32| tall * (0.68 + 0.5 * (x / wide) * (x / wide)) + 0.012 * wave(x * 1.3);
    canvas.below(|x| shore(x) - 0.014 - 0.006 * noise(seed, x * 8.0, 0.0), |_, _, _| light.on(0xf4fafa));
    ground(canvas, shore, light.on(0xd9cbb0), seed);
    gulls(canvas, light, random);
}
