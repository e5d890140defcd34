//! Close by: flowers, fruit, a cup.

use crate::canvas::{Area, Canvas, Ellipse, Point};
use crate::light::{Colour, Light, mix, rgb, scaled};
use crate::parts::ball;
use crate::random::{Random, noise, rough, wave};

/// A background out of focus: soft spots of light over a gradient.
fn blurred(canvas: &mut Canvas, (above, under): (Colour, Colour), random: &mut Random) {
    let (wide, tall) = canvas.extent();
    let seed = random.seed();
    canvas.paint(canvas.whole(), |x, y| {
        let cloudy = noise(seed, x * 3.0, y * 3.0) - 0.5;
        (scaled(mix(above, under, y / tall), 1.0 + cloudy * 0.5), 1.0)
    });
    for _ in 0..14 {
        let centre = (random.between(0.0, wide), random.between(0.0, tall * 0.7));
        let radius = random.between(0.03, 0.09);
        let spot = mix(above, [1.0, 1.0, 0.9], random.between(0.1, 0.35));
        canvas.ellipse(Ellipse { centre, radii: (radius, radius), turn: 0.0 }, 0.03, |_, _| spot);
    }
}

/// One large flower, left of the middle, a bud beside it.
pub(crate) fn flower(canvas: &mut Canvas, light: &Light, random: &mut Random) {
    let (wide, tall) = canvas.extent();
    blurred(canvas, (light.on(0x9cc27a), light.on(0x2f5a34)), random);
    let stem = light.on(0x3c7a3a);
    let centre = (wide * random.between(0.36, 0.46), tall * 0.4);
    canvas.stroke(centre, (wide * 0.5, tall * 1.02), 0.028, stem);
    canvas.stroke((wide * 0.82, tall * 0.5), (wide * 0.62, tall * 1.02), 0.02, stem);
    leaf(canvas, (wide * 0.6, tall * 0.82), (0.2, 0.9), light.on(0x4f9447));
    leaf(canvas, (wide * 0.38, tall * 0.88), (0.17, 0.58), light.on(0x3f8240));
    let petal = light.on(random.pick(&[0xe86aa2, 0xf3c63a, 0xf7f4ee, 0xd8403a]));
    petals(canvas, (centre, 0.3), petal);
    petals(canvas, ((wide * 0.82, tall * 0.48), 0.1), scaled(petal, 0.9));
}

/// A pointed leaf with a midrib, `length` from its middle to its tip.
fn leaf(canvas: &mut Canvas, centre: Point, (length, turn): (f32, f32), colour: Colour) {
    let (dx, dy) = (wave(turn + 0.25), wave(turn));
    let at = |along: f32, aside: f32| {
        (centre.0 + (dx * along - dy * aside) * length, centre.1 + (dy * along + dx * aside) * length)
    };
    let half = |along: f32| 0.36 * (1.0 - along * along) * (1.0 - 0.3 * along);
    let steps = (0..10).map(|step| step as f32 / 5.0 - 1.0);
    let upper = steps.clone().map(|along| at(along, half(along)));
    let lower = steps.map(|along| at(-along, -half(-along)));
    let outline: Vec<Point> = upper.chain(lower).collect();
    canvas.polygon(&outline, |x, y| {
        let (px, py) = ((x - centre.0) / length, (y - centre.1) / length);
        let (along, aside) = (px * dx + py * dy, py * dx - px * dy);
        let vein = wave((along - aside.abs() * 0.8) * 7.0) * 0.06;
        scaled(colour, 0.92 + vein + if aside > 0.0 { 0.08 } else { -0.08 })
    });
    canvas.stroke(at(-1.2, 0.0), at(0.9, 0.0), length * 0.035, scaled(colour, 0.7));
}

fn petals(canvas: &mut Canvas, (centre, radius): (Point, f32), colour: Colour) {
    for ring in [(1.0, 0.0), (0.72, 0.5)] {
        for index in 0..13 {
            let turn = (index as f32 + ring.1) / 13.0 + 0.02;
            let (dx, dy) = (wave(turn + 0.25), wave(turn));
            let reach = radius * ring.0;
            let middle = (centre.0 + dx * reach * 0.6, centre.1 + dy * reach * 0.6);
            let shape = Ellipse { centre: middle, radii: (reach * 0.46, reach * 0.16), turn };
            canvas.ellipse(shape, 0.0, |x, y| {
                let (px, py) = (x - centre.0, y - centre.1);
                let out = (px * px + py * py).sqrt() / radius;
                let edge = (px * dy - py * dx).abs() / radius;
                scaled(colour, 0.55 + 0.45 * out.min(1.0) + 0.1 * ring.1 - edge * 0.9)
            });
        }
    }
    let heart = rgb(0xd9a021);
    let seed = 7;
    canvas.ellipse(Ellipse { centre, radii: (radius * 0.24, radius * 0.24), turn: 0.0 }, 0.0, |x, y| {
        scaled(heart, 0.6 + 0.7 * noise(seed, x * 30.0 / radius, y * 30.0 / radius))
    });
}

/// Wooden boards from `top` down.
fn table(canvas: &mut Canvas, light: &Light, (top, wood): (f32, u32), random: &mut Random) {
    let seed = random.seed();
    let colour = light.on(wood);
    canvas.below(
        |_| top,
        |x, y, depth| {
            let board = (depth * 7.0).floor();
            let fibre = rough(seed, x * 3.0 + board * 9.0, y * 60.0, 3);
            let joint = if depth * 7.0 - board < 0.04 { 0.6 } else { 1.0 };
            scaled(colour, joint * (0.75 + 0.45 * fibre))
        },
    );
}

/// A bowl of fruit on a table, a lemon beside it.
pub(crate) fn fruit(canvas: &mut Canvas, light: &Light, random: &mut Random) {
    let (wide, tall) = canvas.extent();
    blurred(canvas, (light.on(0xc9b79c), light.on(0x8a705a)), random);
    table(canvas, light, (tall * 0.66, 0x9a6a40), random);
    let (x, rim) = (wide * random.between(0.38, 0.5), tall * 0.58);
    let shade = Ellipse { centre: (x + 0.08, tall * 0.82), radii: (0.42, 0.05), turn: 0.0 };
    canvas.ellipse(shade, 0.06, |_, _| light.on(0x4a3220));
    let hues = [0xd8402f, 0xf0912c, 0x9fbf3a, 0xe0b030, 0xb32a3a];
    for (dx, dy) in [(-0.2, -0.06), (0.2, -0.05), (-0.08, -0.13), (0.1, -0.15), (0.0, -0.03)] {
        ball(canvas, (x + dx, rim + dy), 0.12, light.on(random.pick(&hues)));
    }
    let glaze = light.on(random.pick(&[0x3f6c9a, 0xe9e2d2, 0x2f7a6a]));
    let bowl: Vec<Point> = (0..=24)
        .map(|step| {
            let turn = step as f32 / 48.0;
            (x + 0.36 * wave(turn + 0.25), rim + 0.24 * wave(turn))
        })
        .collect();
    canvas.polygon(&bowl, |px, py| {
        let band = if ((py - rim) * 18.0) as i32 == 1 { 1.25 } else { 1.0 };
        scaled(glaze, band * (1.1 - 0.6 * (px - x + 0.36) / 0.72))
    });
    ball(canvas, (wide * 0.84, tall * 0.8), 0.085, light.on(0xf2d23a));
}

/// A cup of coffee by a window, steam rising.
pub(crate) fn cup(canvas: &mut Canvas, light: &Light, random: &mut Random) {
    let (wide, tall) = canvas.extent();
    canvas.paint(canvas.whole(), |_, y| (mix(light.on(0xd8cbb8), light.on(0xb8a68e), y / tall), 1.0));
    let pane = Area { left: wide * 0.06, right: wide * 0.42, top: tall * 0.06, bottom: tall * 0.56 };
    canvas.polygon(&pane.corners(), |_, y| mix(light.zenith, light.horizon, y / pane.bottom));
    for x in [pane.left, (pane.left + pane.right) / 2.0, pane.right] {
        canvas.stroke((x, pane.top), (x, pane.bottom), 0.03, light.on(0xf7f3ea));
    }
    for y in [pane.top, pane.bottom] {
        canvas.stroke((pane.left - 0.03, y), (pane.right + 0.03, y), 0.04, light.on(0xf7f3ea));
    }
    table(canvas, light, (tall * 0.7, 0x7a5236), random);
    let (x, top, base) = (wide * 0.62, tall * 0.46, tall * 0.82);
    let saucer = Ellipse { centre: (x, base), radii: (0.34, 0.055), turn: 0.0 };
    let china = light.on(random.pick(&[0xf3efe6, 0xc8503c, 0x3c6a8a]));
    canvas.ellipse(Ellipse { centre: (x + 0.04, base + 0.04), ..saucer }, 0.05, |_, _| light.on(0x3a2618));
    canvas.ellipse(saucer, 0.0, |px, _| scaled(china, 1.05 - 0.5 * (px - x + 0.34)));
    let handle = Ellipse { centre: (x + 0.22, (top + base) / 2.0 - 0.02), radii: (0.1, 0.1), turn: 0.0 };
    canvas.ellipse(handle, 0.0, |_, _| scaled(china, 0.82));
    canvas.ellipse(Ellipse { radii: (0.06, 0.06), ..handle }, 0.0, |_, _| light.on(0xb8a68e));
    let body = [
        (x - 0.22, top),
        (x + 0.22, top),
        (x + 0.16, base - 0.02),
        (x + 0.1, base),
        (x - 0.1, base),
        (x - 0.16, base - 0.02),
    ];
    canvas.polygon(&body, |px, _| scaled(china, 1.08 - 0.75 * (px - x + 0.22)));
    let brim = Ellipse { centre: (x, top), radii: (0.22, 0.05), turn: 0.0 };
    canvas.ellipse(brim, 0.0, |_, _| scaled(china, 1.05));
    canvas.ellipse(Ellipse { radii: (0.195, 0.04), ..brim }, 0.0, |_, _| light.on(0x4a2a18));
    steam(canvas, (x, top), random.seed());
}

fn steam(canvas: &mut Canvas, (x, base): Point, seed: u32) {
    let area = Area { left: x - 0.22, right: x + 0.22, top: base - 0.4, bottom: base - 0.01 };
    canvas.paint(area, |px, py| {
        let up = (base - py) / 0.4;
        let drift = x + 0.06 * wave(up * 1.1) + 0.1 * (noise(seed, up * 3.0, 0.5) - 0.5);
        let wisp = 1.0 - ((px - drift).abs() / (0.03 + 0.08 * up)).min(1.0);
        (rgb(0xffffff), wisp * 0.5 * (1.0 - up).max(0.0) * (0.4 + noise(seed, px * 14.0, py * 9.0)))
    });
}

/// Autumn leaves against the light.
pub(crate) fn leaves(canvas: &mut Canvas, light: &Light, random: &mut Random) {
    let (wide, tall) = canvas.extent();
    blurred(canvas, (light.on(0xf6d58a), light.on(0x8a5a2c)), random);
    canvas.stroke((-0.02, tall * 0.12), (wide * 0.9, tall * 0.3), 0.03, light.on(0x3d2a1c));
    canvas.stroke((wide * 0.3, tall * 0.18), (wide * 0.5, tall * 0.7), 0.018, light.on(0x3d2a1c));
    for _ in 0..52 {
        let along = random.between(0.05, 0.95);
        let twig = random.between(0.0, 1.0) < 0.4;
        let from = if twig {
            (wide * (0.3 + 0.2 * along), tall * (0.18 + 0.52 * along))
        } else {
            (wide * 0.9 * along, tall * (0.12 + 0.18 * along))
        };
        let hue = random.pick(&[0xd8442a, 0xe8822a, 0xf2b032, 0xb02f2a, 0x9aa03a]);
        let centre = (from.0 + random.between(-0.09, 0.09), from.1 + random.between(-0.04, 0.14));
        leaf(canvas, centre, (random.between(0.07, 0.14), random.between(0.08, 0.42)), light.on(hue));
    }
}
