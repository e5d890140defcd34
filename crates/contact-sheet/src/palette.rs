//! The colours of categories.

use annotations::{Category, Registry};
use tiny_skia::Color;

/// The hues of two numbers that follow each other are a golden angle apart, so that any first few are well apart.
const GOLDEN_ANGLE: f64 = 137.507_764;
const SATURATION: f32 = 0.9;
const LIGHTNESS: f32 = 0.55;

/// What is drawn of a label's category.
#[derive(Debug)]
pub(crate) struct Palette<'a> {
    categories: &'a Registry,
}

impl<'a> Palette<'a> {
    pub(crate) fn new(categories: &'a Registry) -> Self {
        Self { categories }
    }

    pub(crate) fn category(&self, label: &str) -> Option<&'a Category> {
        self.categories.get(label)
    }

    /// A category has the same colour on every sheet of its dataset, as it has the same number; what is none is white.
    pub(crate) fn colour(&self, label: &str) -> Color {
        match self.category(label) {
            Some(category) => hue(((f64::from(category.id) * GOLDEN_ANGLE) % 360.0) as f32),
            None => Color::WHITE,
        }
    }
}

/// HSL to RGB with this hue in degrees (<https://www.w3.org/TR/css-color-4/#hsl-to-rgb>).
fn hue(degrees: f32) -> Color {
    let spread = SATURATION * LIGHTNESS.min(1.0 - LIGHTNESS);
    let channel = |n: f32| {
        let k = (n + degrees / 30.0) % 12.0;
        (LIGHTNESS - spread * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0)).clamp(0.0, 1.0)
    };
    Color::from_rgba(channel(0.0), channel(8.0), channel(4.0), 1.0).unwrap_or(Color::WHITE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hues_are_those_of_css() {
        // Python: colorsys.hls_to_rgb(h/360, 0.55, 0.9) times 255, rounded.
        for (degrees, expected) in [(0.0, [244, 37, 37]), (137.5, [37, 244, 97]), (280.0, [175, 37, 244])] {
            let colour = hue(degrees).to_color_u8();
            assert_eq!([colour.red(), colour.green(), colour.blue()], expected, "{degrees}");
        }
    }
}
