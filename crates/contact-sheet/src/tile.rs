//! One sample in one cell.

use annotations::{ClipPolicy, Region, Shape, Transformed, transform};
use imaging::{ImageError, Limits, Rendition};
use tiny_skia::Pixmap;
use types::{AlphaPolicy, NormalizationPolicy, OutputFormat, Rgb};

use crate::SheetError;
use crate::palette::Palette;
use crate::shapes::{draw, place_tag, tag, tag_height};

/// With more regions than these, labels would hide them; the legend has the colours.
const MOST_TAGS: usize = 12;
/// Around pictures that do not fill their cell.
const PAD: Rgb = Rgb([32, 32, 36]);

/// A sample as it is shown.
#[derive(Debug, Clone, Copy)]
pub struct Tile<'a> {
    /// Its picture, encoded.
    pub picture: &'a [u8],
    /// What is there, in pixels of the picture.
    pub regions: &'a [Region],
    /// What is written below it: two lines, each cut to the cell's width.
    pub caption: [&'a str; 2],
}

impl Tile<'_> {
    /// The picture with its regions, `side` by `side` pixels.
    pub(crate) fn paint(&self, side: u32, palette: &Palette<'_>) -> Result<Pixmap, SheetError> {
        let rendition = rendition(self.picture, side)?;
        let mut cell =
            Pixmap::decode_png(&rendition.bytes).map_err(|error| SheetError::Png(error.to_string()))?;
        let shown: Vec<_> = self.regions.iter().filter_map(|region| into_cell(region, &rendition)).collect();
        for region in &shown {
            draw(&mut cell, region, palette);
        }
        let of_the_image = |region: &&Region| matches!(region.shape, Shape::Image);
        for (region, line) in shown.iter().filter(of_the_image).zip(0..) {
            place_tag(&mut cell, region, palette, (0, line * tag_height()));
        }
        if shown.len() <= MOST_TAGS {
            shown.iter().for_each(|region| tag(&mut cell, region, palette));
        }
        Ok(cell)
    }
}

/// The picture as one more variant, so that annotations follow it as they follow any.
fn rendition(picture: &[u8], side: u32) -> Result<Rendition, SheetError> {
    let codec = |error: &dyn std::fmt::Display| ImageError::Codec(error.to_string());
    let size = format!("{side}x{side}").parse().map_err(|error| codec(&error))?;
    let alpha = AlphaPolicy::Flatten { background: Rgb([255; 3]) };
    let policy =
        NormalizationPolicy::new(size, OutputFormat::Png, alpha, PAD).map_err(|error| codec(&error))?;
    let normalized = imaging::normalize(picture, &policy, &Limits::default())?;
    let rendition = normalized.renditions.into_iter().next();
    Ok(rendition.ok_or_else(|| codec(&"no rendition"))?)
}

/// A region in the cell's pixels; of one that is too small to be drawn there, its box.
fn into_cell(region: &Region, cell: &Rendition) -> Option<Region> {
    let all = ClipPolicy { min_visible: 0.0 };
    let moved = |region: &Region| match transform(region, &cell.affine, (cell.width, cell.height), &all) {
        Transformed::Kept(region, _) => Some(region),
        Transformed::Dropped(_) => None,
    };
    moved(region).or_else(|| moved(&Region { shape: Shape::Box(region.shape.bounds()?), ..region.clone() }))
}
