//! What ingestion wants to know of an original.

use image::{ImageBuffer, Luma};
use image_hasher::{HashAlg, HasherConfig};
use serde::{Deserialize, Serialize};
use sha2::Digest;
use types::{Orientation, Sha256};

use crate::colour::cmyk_without_profile;
use crate::decode::{Original, guarded};
use crate::jpeg::Detail;
use crate::raster::{Channels, Raster};
use crate::resize::{Scaler, settle_alpha};
use crate::{ImageError, ImageFormat, Limits};

/// The facts of one original.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Inspection {
    /// The format.
    pub format: ImageFormat,
    /// Width of the upright picture, in pixels.
    pub width: u32,
    /// Height of the upright picture, in pixels.
    pub height: u32,
    /// How the stored pixels must be turned.
    pub orientation: Orientation,
    /// Readable EXIF facts by their standard names (`Make`, `DateTimeOriginal`, …): an object, a few KiB at
    /// most. Positions are signed decimal degrees.
    pub exif: serde_json::Value,
    /// SHA-256 of the upright decoded 8-bit pixels, in the file's own colours, with size and channel layout:
    /// the same for files that differ only in compression or metadata. It says nothing about profiles.
    pub pixel_hash: Sha256,
    /// A 64-bit DCT hash of the upright picture's luminance: near pictures differ in few bits.
    pub perceptual_hash: u64,
    /// Whether the file holds more frames than the first, which alone is read.
    pub animated: bool,
}

/// Decodes `data` fully and strictly, and tells what it is.
///
/// # Errors
/// The data is not an image that is read, is damaged, or exceeds a limit.
pub fn inspect(data: &[u8], limits: &Limits) -> Result<Inspection, ImageError> {
    Original::open(data, limits)?.inspect()
}

impl Original<'_> {
    /// Decodes fully and strictly, and tells what the picture is.
    ///
    /// # Errors
    /// The data is damaged.
    pub fn inspect(self) -> Result<Inspection, ImageError> {
        guarded(|| {
            let raster = self.raster(Detail::Whole)?;
            let (width, height) = raster.size();
            Ok(Inspection {
                format: self.opened.format,
                width,
                height,
                orientation: self.exif.orientation,
                pixel_hash: pixel_hash(&raster),
                perceptual_hash: perceptual_hash(&raster)?,
                animated: self.opened.animated,
                exif: self.exif.into_facts(),
            })
        })
    }
}

/// The digest of `"imageml-pixels-1 <width>x<height> <channels>\n"` and the samples.
///
/// Taken before colour conversion, which is floating-point and may differ in the last bit between processors.
fn pixel_hash(raster: &Raster) -> Sha256 {
    let (width, height) = raster.size();
    let mut digest = sha2::Sha256::new();
    digest.update(format!("imageml-pixels-1 {width}x{height} {}\n", raster.channels().name()));
    digest.update(raster.samples());
    Sha256::from_bytes(digest.finalize().into())
}

/// The square that pictures are shrunk to before hashing.
const THUMB: (u32, u32) = (64, 64);

/// "pHash": which of the 8x8 lowest DCT coefficients lie above their median, over a 64x64 thumbnail on white. The
/// median, since their mean is ruled by the first one, the brightness, and unlike pictures would look alike.
fn perceptual_hash(raster: &Raster) -> Result<u64, ImageError> {
    let inked = match raster.channels() {
        Channels::Cmyk => Some(cmyk_without_profile(raster)?),
        Channels::Gray | Channels::Rgb | Channels::Rgbx | Channels::Rgba => None,
    };
    let picture = inked.as_ref().unwrap_or(raster);
    let whole = [0.0, 0.0, f64::from(picture.size().0), f64::from(picture.size().1)];
    let small = Scaler::default().scale(picture, whole, THUMB, Vec::new())?;
    let white = types::AlphaPolicy::Flatten { background: types::Rgb::WHITE };
    let rgb = settle_alpha(&small, white)?;
    let (width, height) = rgb.size();
    let luma: Vec<u8> = rgb.samples().as_chunks::<3>().0.iter().map(luminance).collect();
    let thumb: ImageBuffer<Luma<u8>, _> = ImageBuffer::from_raw(width, height, luma)
        .ok_or_else(|| ImageError::Codec("thumbnail of the wrong size".to_owned()))?;
    let hasher = HasherConfig::with_bytes_type::<[u8; 8]>()
        .hash_size(8, 8)
        .hash_alg(HashAlg::Median)
        .preproc_dct()
        .to_hasher();
    Ok(u64::from_be_bytes(hasher.hash_image(&thumb).into_inner()))
}

/// ITU-R BT.601 luma, in 16-bit fixed point.
fn luminance([r, g, b]: &[u8; 3]) -> u8 {
    ((19_595 * u32::from(*r) + 38_470 * u32::from(*g) + 7_471 * u32::from(*b) + 32_768) >> 16) as u8
}
