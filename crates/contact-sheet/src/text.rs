//! Text in a fixed-width font that is compiled in.

use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};
use tiny_skia::{Color, Pixmap, PremultipliedColorU8};

/// Stands for what the font does not have.
const REPLACEMENT: char = '\u{fffd}';
const ELLIPSIS: &str = "..";

/// A size and weight of the font.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Font {
    weight: FontWeight,
    height: RasterHeight,
}

impl Font {
    pub(crate) const PLAIN: Self = Self { weight: FontWeight::Regular, height: RasterHeight::Size16 };
    pub(crate) const BOLD: Self = Self { weight: FontWeight::Bold, height: RasterHeight::Size16 };
    pub(crate) const TITLE: Self = Self { weight: FontWeight::Bold, height: RasterHeight::Size20 };

    /// Pixels down.
    pub(crate) fn height(self) -> u32 {
        self.height.val() as u32
    }

    /// Pixels across that a text takes.
    pub(crate) fn width(self, text: &str) -> u32 {
        self.advance() * text.chars().count() as u32
    }

    /// The text, shortened in its middle to `width` pixels: the ends of names are what tells them apart.
    pub(crate) fn fit(self, text: &str, width: u32) -> String {
        let room = (width / self.advance()) as usize;
        let signs: Vec<char> = text.chars().collect();
        if signs.len() <= room {
            return text.to_owned();
        }
        let kept = room.saturating_sub(ELLIPSIS.len());
        let (begin, end) = (kept / 2, signs.len() - (kept - kept / 2));
        signs
            .iter()
            .take(begin)
            .copied()
            .chain(ELLIPSIS.chars())
            .chain(signs.iter().skip(end).copied())
            .collect()
    }

    /// Draws a text on an opaque picture, its top-left corner at (x, y); what is outside is cut.
    pub(crate) fn draw(self, on: &mut Pixmap, (x, y): (u32, u32), text: &str, colour: Color) {
        let (width, height) = (on.width(), on.height());
        let colour = colour.premultiply().to_color_u8();
        for (column, sign) in (x..).step_by(self.advance() as usize).zip(text.chars()) {
            let glyph = get_raster(sign, self.weight, self.height)
                .or_else(|| get_raster(REPLACEMENT, self.weight, self.height));
            let rows = glyph.iter().flat_map(|glyph| glyph.rows().zip(y..));
            for (row, y) in rows.filter(|(_, y)| *y < height) {
                for (cover, x) in row.iter().zip(column..).filter(|(_, x)| *x < width) {
                    if let Some(pixel) = on.pixels_mut().get_mut((y * width + x) as usize) {
                        *pixel = blend(*pixel, colour, *cover);
                    }
                }
            }
        }
    }

    fn advance(self) -> u32 {
        get_raster_width(self.weight, self.height) as u32
    }
}

/// Opaque `over` on opaque `under`, where it covers `cover` of 255.
pub(crate) fn blend(
    under: PremultipliedColorU8,
    over: PremultipliedColorU8,
    cover: u8,
) -> PremultipliedColorU8 {
    let mix = |under: u8, over: u8| {
        let (under, over, cover) = (u32::from(under), u32::from(over), u32::from(cover));
        ((under * (255 - cover) + over * cover + 127) / 255) as u8
    };
    let [red, green, blue] =
        [mix(under.red(), over.red()), mix(under.green(), over.green()), mix(under.blue(), over.blue())];
    PremultipliedColorU8::from_rgba(red, green, blue, 255).unwrap_or(under)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_lose_their_middle() {
        let font = Font::PLAIN;
        let width = font.width("123456789");
        assert_eq!(font.fit("123456789", width), "123456789");
        assert_eq!(font.fit("0123456789", width), "012..6789");
        assert_eq!(font.fit("äöüäöüäöüäöü", width).chars().count(), 9);
        assert_eq!(font.fit("abc", 0), "..");
    }

    #[test]
    fn what_the_font_lacks_is_seen_and_nothing_is_drawn_outside() {
        let ink = |text: &str, at| {
            let mut page = Pixmap::new(40, 24).expect("a small picture");
            page.fill(Color::WHITE);
            Font::BOLD.draw(&mut page, at, text, Color::BLACK);
            page.pixels().iter().filter(|pixel| pixel.red() < 128).count()
        };
        assert!(ink("A", (2, 2)) > 10);
        assert!(ink("猫", (2, 2)) > 10);
        assert_eq!(ink(" ", (2, 2)), 0);
        assert_eq!(ink("AAAA", (39, 23)), 0, "and no panic");
    }
}
