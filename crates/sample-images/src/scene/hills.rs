//! Mountains, dunes and winter.

use crate::canvas::{Area, Canvas, Ellipse};
use crate::light::{Light, mix, rgb, scaled};
use crate::parts::{House, grass, ground, house, pine, ridge, sky};
use crate::random::{Random, noise, rough, wave};

/// A snowy summit over ranges of hills and a row of pines.
pub(crate) fn summit(canvas: &mut Canvas, light: &Light, random: &mut Random) {
    let (wide, tall) = canvas.extent();
    sky(canvas, light, tall * 0.75, random);
    let (seed, top) = (random.seed(), (wide * random.between(0.55, 0.72), tall * 0.16));
    let flank = |x: f32| top.1 + (x - top.0).abs() * 0.72 + (rough(seed, x * 7.0, 0.0, 4) - 0.5) * 0.2;
    let (rock, snow) = (light.far(0x5b5f6c, 0.25), light.far(0xffffff, 0.12));
    canvas.below(flank, |x, y, _| {
        let jag = rough(seed, x * 9.0, y * 5.0, 4);
        let side = if x + (jag - 0.5) * 0.2 < top.0 { 1.06 } else { 0.78 };
        let line = ((tall * 0.43 - y + (jag - 0.5) * 0.5) * 9.0).clamp(0.0, 1.0);
        scaled(mix(rock, snow, line), side * (0.88 + 0.24 * jag))
    });
    for (layer, haze) in [(0.66, 0.5), (0.76, 0.28), (0.86, 0.1)] {
        let colours = (light.far(0x3f6046, haze), light.far(0x6e8a62, haze + 0.2));
        ridge(canvas, (tall * layer, 0.2), colours, random.seed());
    }
    let green = light.on(0x24402c);
    for _ in 0..14 {
        let foot = (random.between(0.0, wide), tall * random.between(0.94, 1.04));
        pine(canvas, foot, random.between(0.16, 0.34), (green, 0.0));
    }
}

/// Ranges behind ranges, paler with distance.
pub(crate) fn ranges(canvas: &mut Canvas, light: &Light, random: &mut Random) {
    let (_, tall) = canvas.extent();
    sky(canvas, light, tall * 0.8, random);
    for layer in 0..6 {
        let share = layer as f32 / 5.0;
        let haze = 0.78 - share * 0.72;
        let colours = (light.far(0x2c4a5e, haze), light.far(0x7b93a0, (haze + 0.25).min(1.0)));
        ridge(canvas, (tall * (0.45 + share * 0.5), 0.13 + share * 0.13), colours, random.seed());
    }
    grass(canvas, light, tall * 0.94, (0x3b5a30, random));
}

/// Dunes with sharp crests, and a cactus.
pub(crate) fn dunes(canvas: &mut Canvas, light: &Light, random: &mut Random) {
    let (wide, tall) = canvas.extent();
    sky(canvas, light, tall * 0.62, random);
    for (index, base) in [0.55, 0.66, 0.82].into_iter().enumerate() {
        let (seed, phase) = (random.seed(), random.between(0.0, 1.0));
        let crest = move |x: f32| {
            let swing = wave(x * 0.42 / (1.0 + index as f32 * 0.3) + phase);
            tall * base - 0.1 * swing + 0.02 * noise(seed, x * 4.0, 0.0)
        };
        let sand = light.far(0xe0a860, 0.35 - 0.16 * index as f32);
        canvas.below(crest, |x, y, depth| {
            let shadow = if wave((x + depth * 0.9) * 0.84 + phase) > 0.25 { 0.72 } else { 1.0 };
            let ripple = wave(y * 55.0 + noise(seed, x * 5.0, y * 9.0) * 3.0) * 0.03;
            scaled(sand, shadow + ripple + 0.06 * noise(seed, x * 90.0, y * 90.0))
        });
    }
    cactus(canvas, light, (wide * 0.76, tall * 0.93), 0.42);
}

fn cactus(canvas: &mut Canvas, light: &Light, foot: (f32, f32), height: f32) {
    let green = light.on(0x3f7048);
    let rounded = |canvas: &mut Canvas, area: Area| {
        let half = (area.right - area.left) / 2.0;
        let middle = area.left + half;
        canvas.disc((middle, area.top), half, green);
        canvas.polygon(&area.corners(), |x, _| scaled(green, 0.86 + 0.16 * wave((x - middle) / half * 1.5)));
    };
    let thick = height * 0.13;
    let shade = Ellipse { centre: (foot.0 + 0.12, foot.1), radii: (0.2, 0.02), turn: 0.0 };
    canvas.ellipse(shade, 0.02, |_, _| light.on(0x9a6f42));
    rounded(canvas, Area::standing(foot, thick * 1.25, height));
    for (side, low, high) in [(-1.0, 0.4, 0.72), (1.0, 0.55, 0.92)] {
        let x = foot.0 + side * height * 0.24;
        let joint = foot.1 - height * low;
        canvas.stroke((foot.0, joint), (x, joint), thick * 0.8, green);
        canvas.disc((x, joint), thick * 0.4, green);
        rounded(canvas, Area::standing((x, joint), thick * 0.8, height * (high - low)));
    }
}

/// A cabin between snowy pines, its window lit.
pub(crate) fn cabin(canvas: &mut Canvas, light: &Light, random: &mut Random) {
    let (wide, tall) = canvas.extent();
    sky(canvas, light, tall * 0.7, random);
    if light.night {
        aurora(canvas, tall * 0.55, random.seed());
    }
    ridge(canvas, (tall * 0.6, 0.22), (light.far(0xb9c6d4, 0.4), light.far(0xe4ebf2, 0.4)), random.seed());
    for index in 0..16 {
        let foot =
            (wide * (index as f32 + random.between(0.0, 1.0)) / 16.0, tall * random.between(0.66, 0.7));
        pine(canvas, foot, random.between(0.14, 0.26), (light.far(0x2d4a44, 0.2), 0.4));
    }
    let seed = random.seed();
    let drift = |x: f32| tall * 0.68 + 0.05 * wave(x * 0.5 + 0.1) + 0.01 * noise(seed, x * 9.0, 0.0);
    ground(canvas, drift, light.on(0xf7faff), seed);
    let walls = Area::standing((wide * 0.34, tall * 0.83), 0.34, 0.17);
    canvas.block(Area::standing((wide * 0.34 + 0.1, tall * 0.83 - 0.2), 0.04, 0.12), light.on(0x6b4a3c));
    house(canvas, light, House { walls, gable: 0.14, wall: 0x7a4f31, roof: 0xf4f7fb, floors: 1 }, random);
    for (x, y, height) in [(0.72, 0.9, 0.44), (0.9, 0.96, 0.52), (0.58, 0.84, 0.26), (0.07, 1.0, 0.34)] {
        pine(canvas, (wide * x, tall * y), height, (light.on(0x26443a), 0.75));
    }
}

/// Green curtains in a night sky.
fn aurora(canvas: &mut Canvas, bottom: f32, seed: u32) {
    let glow = rgb(0x55e8a0);
    canvas.paint(Area { bottom, ..canvas.whole() }, |x, y| {
        let fold = bottom * (0.5 + 0.22 * wave(x * 0.55 + 0.3) + 0.12 * noise(seed, x * 3.0, 0.0));
        let above = (fold - y) / bottom;
        let rays = 0.45 + 0.55 * noise(seed, x * 22.0, y * 0.8);
        let strength = if above < 0.0 { 1.0 + above * 14.0 } else { 1.0 - above * 2.1 };
        (mix(glow, rgb(0x9a6be0), above * 2.0), (strength * rays * 0.65).clamp(0.0, 1.0))
    });
}
