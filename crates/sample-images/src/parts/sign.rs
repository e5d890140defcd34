//! A signpost with writing: whoever can read it sees the picture upright and not mirrored.

use crate::canvas::{Area, Canvas, Point};
use crate::light::Light;

/// Five columns by seven rows a letter, one row a byte, the leftmost column in bit 4.
const GLYPHS: [(char, [u8; 7]); 12] = [
    ('E', [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f]),
    ('X', [0x11, 0x11, 0x0a, 0x04, 0x0a, 0x11, 0x11]),
    ('I', [0x0e, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e]),
    ('F', [0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x10]),
    ('1', [0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e]),
    ('2', [0x0e, 0x11, 0x01, 0x02, 0x04, 0x08, 0x1f]),
    ('3', [0x1f, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0e]),
    ('4', [0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02]),
    ('5', [0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e]),
    ('6', [0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e]),
    ('7', [0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08]),
    ('8', [0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e]),
];

/// A wooden sign of this height, its post standing at `foot`.
pub(crate) fn sign(canvas: &mut Canvas, light: &Light, foot: Point, height: f32, text: &str) {
    let dot = height * 0.055;
    let letters = text.chars().count() as f32;
    let (width, board) = (dot * (6.0 * letters + 3.0), dot * 11.0);
    let top = foot.1 - height;
    canvas.block(Area::standing(foot, dot * 2.0, height), light.on(0x5b4026));
    let middle = (foot.0, top + board);
    canvas.block(
        Area::standing((middle.0 + dot * 0.4, middle.1 + dot * 0.6), width, board),
        light.on(0x3b2a18),
    );
    canvas.block(Area::standing(middle, width, board), light.on(0xf0e2c0));
    let start = foot.0 - width / 2.0 + dot * 2.0;
    for (index, letter) in text.chars().enumerate() {
        let rows = GLYPHS.iter().find(|(known, _)| *known == letter).map_or([0; 7], |(_, rows)| *rows);
        let corner = (start + index as f32 * dot * 6.0, top + dot * 2.0);
        write(canvas, light, corner, (dot, &rows));
    }
}

fn write(canvas: &mut Canvas, light: &Light, corner: Point, (dot, rows): (f32, &[u8; 7])) {
    for (row, bits) in rows.iter().enumerate() {
        for column in (0..5).filter(|column| bits & (0x10 >> column) != 0) {
            let left = corner.0 + column as f32 * dot;
            let top = corner.1 + row as f32 * dot;
            canvas.block(Area { left, top, right: left + dot, bottom: top + dot }, light.on(0x32261c));
        }
    }
}
