//! The sheet: a title, a legend, and cells in rows.

use annotations::Registry;
use tiny_skia::{Color, Pixmap, PixmapPaint, Transform};

use crate::palette::Palette;
use crate::shapes::fill;
use crate::text::Font;
use crate::{SheetError, Tile};

/// The most pixels of a sheet: 400 MB while it is drawn, twice as much while it is written.
pub const MAX_PIXELS: u64 = 100_000_000;

const MARGIN: u32 = 12;
const LINE_GAP: u32 = 4;
/// Captions below each picture.
const LINES: u32 = 2;
const PAPER: [u8; 3] = [250, 250, 248];
const INK: [u8; 3] = [24, 24, 28];
const FAINT: [u8; 3] = [110, 110, 118];

/// How cells are arranged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// How many there will be.
    pub cells: u32,
    /// How many in a row, at least 1.
    pub columns: u32,
    /// Pixels of each side of a picture's place.
    pub side: u32,
}

impl Layout {
    fn columns(&self) -> u32 {
        self.columns.clamp(1, self.cells.max(1))
    }

    fn cell_height(&self) -> u32 {
        self.side.saturating_add(LINES * (Font::PLAIN.height() + LINE_GAP) + MARGIN)
    }

    fn width(&self) -> u64 {
        u64::from(MARGIN) + u64::from(self.columns()) * u64::from(self.side.saturating_add(MARGIN))
    }
}

/// A sheet that is being filled.
#[derive(Debug)]
pub struct Sheet<'a> {
    page: Pixmap,
    palette: Palette<'a>,
    layout: Layout,
    top: u32,
    filled: u32,
}

impl<'a> Sheet<'a> {
    /// A sheet without samples. The legend has a line of text for each label, like its name and count.
    ///
    /// # Errors
    /// [`SheetError::Size`].
    pub fn new(
        title: &str,
        legend: &[(&str, String)],
        categories: &'a Registry,
        layout: Layout,
    ) -> Result<Self, SheetError> {
        let width = layout.width();
        let inner = u32::try_from(width).unwrap_or(u32::MAX).saturating_sub(2 * MARGIN);
        let places = legend_places(legend, inner);
        let legend_lines = places.last().map_or(0, |(_, line)| line + 1);
        let top = 2 * MARGIN + Font::TITLE.height() + legend_lines * legend_height();
        let rows = layout.cells.div_ceil(layout.columns());
        let height = u64::from(top) + u64::from(rows) * u64::from(layout.cell_height()) + u64::from(MARGIN);
        let size = || SheetError::Size { width, height };
        if width.saturating_mul(height) > MAX_PIXELS {
            return Err(size());
        }
        let side = |pixels: u64| u32::try_from(pixels).map_err(|_| size());
        let mut page = Pixmap::new(side(width)?, side(height)?).ok_or_else(size)?;
        page.fill(colour(PAPER));
        Font::TITLE.draw(&mut page, (MARGIN, MARGIN), &Font::TITLE.fit(title, inner), colour(INK));
        let mut sheet = Self { page, palette: Palette::new(categories), layout, top, filled: 0 };
        for ((label, text), (x, line)) in legend.iter().zip(places) {
            let room = inner.saturating_sub(Font::PLAIN.height() + LINE_GAP);
            sheet.legend_entry(label, &Font::PLAIN.fit(text, room), (x, line));
        }
        Ok(sheet)
    }

    fn legend_entry(&mut self, label: &str, text: &str, (x, line): (u32, u32)) {
        let (x, y) = (MARGIN + x, 2 * MARGIN + Font::TITLE.height() + line * legend_height());
        let side = Font::PLAIN.height();
        fill(&mut self.page, (x, y), (side, side), self.palette.colour(label));
        Font::PLAIN.draw(&mut self.page, (x + side + LINE_GAP, y), text, colour(INK));
    }

    /// Fills the next cell. Nothing is drawn of more cells than were announced.
    ///
    /// # Errors
    /// The picture cannot be read.
    pub fn add(&mut self, tile: &Tile<'_>) -> Result<(), SheetError> {
        if self.filled == self.layout.cells {
            return Ok(());
        }
        let (column, row) = (self.filled % self.layout.columns(), self.filled / self.layout.columns());
        let (x, y) =
            (MARGIN + column * (self.layout.side + MARGIN), self.top + row * self.layout.cell_height());
        let cell = tile.paint(self.layout.side, &self.palette)?;
        let paint = PixmapPaint::default();
        self.page.draw_pixmap(x as i32, y as i32, cell.as_ref(), &paint, Transform::identity(), None);
        let fonts = [(Font::BOLD, INK), (Font::PLAIN, FAINT)];
        for ((line, text), (font, ink)) in (0..).zip(tile.caption).zip(fonts) {
            let y = y + self.layout.side + LINE_GAP + line * (font.height() + LINE_GAP);
            font.draw(&mut self.page, (x, y), &font.fit(text, self.layout.side), colour(ink));
        }
        self.filled += 1;
        Ok(())
    }

    /// The sheet as a PNG file.
    ///
    /// # Errors
    /// [`SheetError::Png`].
    pub fn to_png(&self) -> Result<Vec<u8>, SheetError> {
        self.page.encode_png().map_err(|error| SheetError::Png(error.to_string()))
    }
}

fn legend_height() -> u32 {
    Font::PLAIN.height() + LINE_GAP
}

/// Where each entry goes: pixels to the right, and its line.
fn legend_places(legend: &[(&str, String)], width: u32) -> Vec<(u32, u32)> {
    let (mut x, mut line) = (0, 0);
    let place = |(_, text): &(&str, String)| {
        let taken = Font::PLAIN.height() + LINE_GAP + Font::PLAIN.width(text) + 2 * MARGIN;
        if x > 0 && x + taken > width {
            (x, line) = (0, line + 1);
        }
        let place = (x, line);
        x += taken;
        place
    };
    legend.iter().map(place).collect()
}

fn colour([red, green, blue]: [u8; 3]) -> Color {
    Color::from_rgba8(red, green, blue, 255)
}
