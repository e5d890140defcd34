//! From bytes to pixels: the part that every format shares.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};

use crate::error::within;
use crate::exif::Exif;
use crate::format::sniff;
use crate::jpeg::{Detail, Markers};
use crate::raster::{Channels, Raster, byte_len};
use crate::{ImageError, ImageFormat, Limits, jpeg, orient, png, stock};

/// What a file's headers tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// The format.
    pub format: ImageFormat,
    /// Width as stored, before orientation, in pixels.
    pub width: u32,
    /// Height as stored, before orientation, in pixels.
    pub height: u32,
    /// About the most bytes that [`crate::inspect`] or [`crate::normalize`] hold at once, besides the file
    /// itself: decoder output, its working buffers, and copies made while turning, converting and resizing.
    /// Variants larger than the original come on top.
    pub decoded_bytes: u64,
    /// Bytes that the decoder keeps beside the picture that it makes, whatever the size of that.
    pub(crate) buffer_bytes: u64,
    /// Whether it may be decoded at a fraction of its size.
    pub(crate) reducible: bool,
}

/// Reads the headers of `data` and checks every limit that they tell of. No pixel is decoded.
///
/// # Errors
/// Those of [`Original::open`].
pub fn probe(data: &[u8], limits: &Limits) -> Result<Probe, ImageError> {
    Original::open(data, limits).map(|original| original.probe())
}

/// A file whose headers and metadata were read and found within limits.
#[derive(Debug)]
pub(crate) struct Opened<'a> {
    pub(crate) format: ImageFormat,
    /// As stored.
    pub(crate) size: (u32, u32),
    /// Whether there is more than one frame.
    pub(crate) animated: bool,
    /// Raw EXIF: a TIFF structure.
    pub(crate) exif: Option<Cow<'a, [u8]>>,
    /// A raw ICC profile, unchecked.
    pub(crate) icc: Option<Cow<'a, [u8]>>,
    /// Bytes that the decoder needs: its output and its own buffers.
    pub(crate) decoder_bytes: u64,
    /// Bytes of a pixel once decoded to 8 bits.
    pub(crate) pixel_bytes: usize,
    pub(crate) codec: Codec<'a>,
}

/// Who decodes the pixels.
#[derive(Debug)]
pub(crate) enum Codec<'a> {
    Jpeg(Markers<'a>),
    Png,
    Stock,
}

impl Opened<'_> {
    /// Whether it may be decoded to a fraction of its size.
    pub(crate) fn is_reducible(&self) -> bool {
        matches!(&self.codec, Codec::Jpeg(markers) if !markers.frame.lossless)
    }

    /// See [`Probe::decoded_bytes`]: after decoding, at most three pictures live at once (the one read, the
    /// one made from it, and a resizer's scratch or premultiplied copy).
    fn peak_bytes(&self) -> u64 {
        self.decoder_bytes.max(byte_len(self.size, self.pixel_bytes).saturating_mul(3))
    }
}

/// A file whose headers were read and found within limits, and what they say about its picture. No pixel is decoded yet.
#[derive(Debug)]
pub struct Original<'a> {
    pub(crate) data: &'a [u8],
    limits: &'a Limits,
    pub(crate) opened: Opened<'a>,
    pub(crate) exif: Exif,
    /// The size of the upright picture.
    pub(crate) size: (u32, u32),
}

impl<'a> Original<'a> {
    /// Reads the headers of `data`, and checks every limit that they tell of.
    ///
    /// # Errors
    /// The data is not an image that is read, ends early, or exceeds a limit.
    pub fn open(data: &'a [u8], limits: &'a Limits) -> Result<Self, ImageError> {
        guarded(|| {
            let opened = open(data, limits)?;
            let exif = match opened.format {
                ImageFormat::Tiff => Exif::read(data),
                _ => opened.exif.as_deref().map(Exif::read).unwrap_or_default(),
            };
            let size = exif.orientation.oriented_size(opened.size);
            Ok(Self { data, limits, opened, exif, size })
        })
    }

    /// What the headers tell.
    pub fn probe(&self) -> Probe {
        let opened = &self.opened;
        let (width, height) = opened.size;
        Probe {
            format: opened.format,
            width,
            height,
            decoded_bytes: opened.peak_bytes(),
            reducible: opened.is_reducible(),
            buffer_bytes: opened.decoder_bytes.saturating_sub(byte_len(opened.size, opened.pixel_bytes)),
        }
    }

    /// Decodes strictly and turns upright. Colours are the file's own.
    pub(crate) fn raster(&self, detail: Detail) -> Result<Raster, ImageError> {
        let raster = match &self.opened.codec {
            Codec::Jpeg(markers) => jpeg::decode(self.data, markers, self.limits, detail)?,
            Codec::Png => png::decode(self.data, self.limits)?,
            Codec::Stock => stock::decode(self.data, self.opened.format, self.limits)?,
        };
        let announced = detail.reduction().size(self.opened.size);
        if raster.size() != announced {
            let found = raster.size();
            return Err(ImageError::Corrupt(format!(
                "announced as {announced:?} pixels, decoded as {found:?}"
            )));
        }
        let associated = self.opened.format == ImageFormat::Tiff && self.exif.premultiplied;
        let raster = if associated { raster.unpremultiplied() } else { raster };
        orient::upright(raster.without_opaque_alpha(), self.exif.orientation)
    }
}

/// Sniffs, reads headers and checks limits.
pub(crate) fn open<'a>(data: &'a [u8], limits: &Limits) -> Result<Opened<'a>, ImageError> {
    within("file size in bytes", data.len() as u64, limits.max_bytes)?;
    let opened = match sniff(data)? {
        ImageFormat::Jpeg => jpeg::open(data, limits)?,
        ImageFormat::Png => png::open(data, limits)?,
        format @ (ImageFormat::WebP | ImageFormat::Gif | ImageFormat::Bmp | ImageFormat::Tiff) => {
            stock::open(data, format, limits)?
        }
    };
    let (width, height) = opened.size;
    if width == 0 || height == 0 {
        return Err(ImageError::Corrupt(format!("{width}x{height} pixels")));
    }
    within("width in pixels", u64::from(width), u64::from(limits.max_side))?;
    within("height in pixels", u64::from(height), u64::from(limits.max_side))?;
    within("number of pixels", byte_len(opened.size, 1), limits.max_pixels)?;
    within("decoded size in bytes", opened.decoder_bytes, limits.max_decoded_bytes)?;
    for metadata in [&opened.exif, &opened.icc].into_iter().flatten() {
        within("metadata in bytes", metadata.len() as u64, limits.max_metadata_bytes)?;
    }
    Ok(opened)
}

/// Runs `work`, turning a panic (third-party decoders are known to have some) into an error.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, ImageError>) -> Result<T, ImageError> {
    // Unwind safety: what `work` may leave half-done it owns, or its caller replaces it after an error.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        Err(ImageError::Codec(clip(&format!("panic: {message}"))))
    })
}

/// Third-party messages, kept to a readable length.
pub(crate) fn clip(message: &str) -> String {
    message.chars().take(200).collect()
}

/// Bytes a pixel after decoding to 8 bits, for a kind of picture.
pub(crate) fn pixel_bytes(gray: bool, alpha: bool) -> usize {
    match (gray, alpha) {
        (true, false) => Channels::Gray.count(),
        (false, false) => Channels::Rgb.count(),
        (_, true) => Channels::Rgba.count(),
    }
}
