//! Buildings.

use crate::canvas::{Area, Canvas};
use crate::light::{Light, rgb, scaled};
use crate::random::{Random, noise};

/// A house seen from the front.
#[derive(Debug, Clone, Copy)]
pub(crate) struct House {
    /// Its walls.
    pub(crate) walls: Area,
    /// How high the roof rises above them.
    pub(crate) gable: f32,
    /// The walls' colour.
    pub(crate) wall: u32,
    /// The roof's colour.
    pub(crate) roof: u32,
    /// Floors of windows.
    pub(crate) floors: u32,
}

/// Draws a house with its windows and door.
pub(crate) fn house(canvas: &mut Canvas, light: &Light, house: House, random: &mut Random) {
    let House { walls, gable, wall, roof, floors } = house;
    let seed = random.seed();
    let plaster = light.on(wall);
    canvas.polygon(&walls.corners(), |x, y| {
        let side = (x - walls.left) / (walls.right - walls.left);
        scaled(plaster, 1.02 - 0.12 * side + 0.1 * (noise(seed, x * 60.0, y * 60.0) - 0.5))
    });
    let (middle, eave) = ((walls.left + walls.right) / 2.0, (walls.right - walls.left) * 0.06);
    let corners =
        [(middle, walls.top - gable), (walls.right + eave, walls.top), (walls.left - eave, walls.top)];
    let tiles = light.on(roof);
    canvas.polygon(&corners, |x, y| scaled(tiles, 0.85 + 0.4 * noise(seed, x * 25.0, y * 120.0)));
    let storey = (walls.bottom - walls.top) / floors as f32;
    let columns = (((walls.right - walls.left) / storey * 1.5) as u32).max(2);
    let step = (walls.right - walls.left) / columns as f32;
    for floor in 0..floors {
        let base = walls.bottom - storey * (floor as f32 + 0.25);
        for column in 0..columns {
            let x = walls.left + step * (column as f32 + 0.5);
            if floor == 0 && column == columns / 2 {
                let door = Area::standing((x, walls.bottom), step * 0.48, storey * 0.72);
                canvas.block(door, light.on(0x5a2f22));
            } else {
                window(canvas, light, Area::standing((x, base), step * 0.42, storey * 0.5), random);
            }
        }
    }
}

/// A window with frame and cross; lit at night, as a rule.
pub(crate) fn window(canvas: &mut Canvas, light: &Light, area: Area, random: &mut Random) {
    let (width, height) = (area.right - area.left, area.bottom - area.top);
    let (middle, frame) = ((area.left + area.right) / 2.0, width * 0.09);
    canvas.block(area, light.on(0xf2eee4));
    let lit = light.night && random.between(0.0, 1.0) < 0.9;
    let glass = if lit { rgb(0xffcf70) } else { light.on(random.pick(&[0x3d5468, 0x4b6478, 0x2f4253])) };
    let pane = Area::standing((middle, area.bottom - frame), width - frame * 2.0, height - frame * 2.0);
    canvas.block(pane, glass);
    canvas.block(Area::standing((middle, area.bottom), frame * 0.7, height), light.on(0xf2eee4));
    let bar = Area::standing((middle, area.top + height * 0.42), width, frame * 0.7);
    canvas.block(bar, light.on(0xf2eee4));
}
