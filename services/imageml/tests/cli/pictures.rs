//! Pictures of which no two are alike, not even to a perceptual hash.

use std::fs;
use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

/// Cells of the random chequerboard, each way.
const CELLS: u32 = 8;

/// A random chequerboard.
fn picture(seed: u32, width: u32, height: u32) -> RgbImage {
    let cell = |at: u32, size: u32| at * CELLS / size;
    RgbImage::from_fn(width, height, |x, y| {
        let place = cell(y, height) * CELLS + cell(x, width);
        Rgb(scramble(u64::from(seed) << 32 | u64::from(place)))
    })
}

/// The output function of SplitMix64.
fn scramble(mut state: u64) -> [u8; 3] {
    state = state.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let [_, a, b, c, ..] = (state ^ (state >> 31)).to_le_bytes();
    [a, b, c]
}

pub(crate) fn jpeg(path: &Path, seed: u32, width: u32, height: u32) -> anyhow::Result<()> {
    write(path, seed, width, height, ImageFormat::Jpeg)
}

pub(crate) fn png(path: &Path, seed: u32, width: u32, height: u32) -> anyhow::Result<()> {
    write(path, seed, width, height, ImageFormat::Png)
}

/// A BMP: as many bytes as its pixels, whatever they show.
pub(crate) fn bmp(path: &Path, seed: u32, width: u32, height: u32) -> anyhow::Result<()> {
    write(path, seed, width, height, ImageFormat::Bmp)
}

fn write(path: &Path, seed: u32, width: u32, height: u32, format: ImageFormat) -> anyhow::Result<()> {
    let mut encoded = Cursor::new(Vec::new());
    DynamicImage::from(picture(seed, width, height)).write_to(&mut encoded, format)?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(fs::write(path, encoded.into_inner())?)
}

/// The first half of a JPEG.
pub(crate) fn truncated_jpeg(path: &Path, seed: u32) -> anyhow::Result<()> {
    jpeg(path, seed, 160, 120)?;
    let whole = fs::read(path)?;
    Ok(fs::write(path, whole.get(..whole.len() / 2).unwrap_or_default())?)
}

/// A JPEG that is to be turned for display, as EXIF says it (the tag 0x0112 in an APP1 segment).
pub(crate) fn turned_jpeg(path: &Path, seed: u32, width: u32, height: u32, tag: u8) -> anyhow::Result<()> {
    jpeg(path, seed, width, height)?;
    let whole = fs::read(path)?;
    let (start, rest) = whole.split_at(2);
    let exif = [
        &[0xff, 0xe1, 0, 34][..],
        b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0",
        &[tag, 0, 0, 0, 0, 0, 0],
    ];
    Ok(fs::write(path, [start, &exif.concat(), rest].concat())?)
}
