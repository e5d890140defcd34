//! WebP, GIF, BMP and TIFF, by the decoders of the `image` crate.
//!
//! Their own limits do not hold on every path, so sizes are compared with ours before anything is allocated.

use std::borrow::Cow;
use std::error::Error as _;
use std::io::{Cursor, ErrorKind};

use image::codecs::{bmp::BmpDecoder, gif::GifDecoder, tiff::TiffDecoder, webp::WebPDecoder};
use image::{ColorType, ImageDecoder, error::ImageError as StockError};

use crate::animation::{self, Container};
use crate::decode::{Codec, Opened, clip, pixel_bytes};
use crate::error::within;
use crate::raster::{Channels, Raster, byte_len, gray_alpha_to_rgba, narrow_16_bit};
use crate::{ImageError, ImageFormat, Limits};

/// Reads headers and metadata.
pub(crate) fn open<'a>(
    data: &'a [u8],
    format: ImageFormat,
    limits: &Limits,
) -> Result<Opened<'a>, ImageError> {
    let container = match format {
        ImageFormat::WebP => animation::webp(data, limits)?,
        ImageFormat::Gif => animation::gif(data, limits)?,
        ImageFormat::Bmp => {
            check_bmp_palette(data)?;
            Container::default()
        }
        ImageFormat::Tiff | ImageFormat::Jpeg | ImageFormat::Png => Container::default(),
    };
    let mut decoder = decoder(data, format, limits)?;
    let (size, colour) = (decoder.dimensions(), decoder.color_type());
    let icc = match format {
        ImageFormat::Tiff => decoder.icc_profile().ok().flatten().map(Cow::Owned),
        _ => container.icc.map(Cow::Borrowed),
    };
    let (wide, alpha) = (colour.bytes_per_pixel() / colour.channel_count() > 1, colour.has_alpha());
    let native = decoder.total_bytes();
    let spread = if colour.channel_count() == 2 { byte_len(size, 4) } else { 0 };
    // GIF frames apart from the screen, WebP planes and TIFF strips take another buffer of up to that size.
    let inner = match format {
        ImageFormat::Tiff if !wide => native.max(byte_len(size, 4)),
        ImageFormat::Bmp => 0,
        _ => native,
    };
    Ok(Opened {
        format,
        size,
        animated: container.animated,
        exif: container.exif.map(|raw| Cow::Borrowed(raw.strip_prefix(b"Exif\0\0").unwrap_or(raw))),
        icc,
        decoder_bytes: native.saturating_add(inner).saturating_add(spread),
        pixel_bytes: pixel_bytes(!colour.has_color(), alpha),
        codec: Codec::Stock,
    })
}

/// Some writers give a wrong start of the pixels; the palette would be taken for pixels, without any error.
fn check_bmp_palette(data: &[u8]) -> Result<(), ImageError> {
    let truncated = || ImageError::Truncated("the data ends within the headers".to_owned());
    let u32_at = |at: usize| {
        let bytes = data.get(at..at + 4).and_then(|bytes| bytes.first_chunk::<4>()).ok_or_else(truncated)?;
        Ok::<_, ImageError>(u64::from(u32::from_le_bytes(*bytes)))
    };
    let (pixels, header) = (u32_at(10)?, u32_at(14)?);
    let (depth, entry, used) = match header {
        12 => (u32_at(22)? >> 16, 3, 0),
        _ => (u32_at(26)? >> 16, 4, u32_at(46)?),
    };
    if (1..=8).contains(&depth) {
        let entries = if used == 0 { 1 << depth } else { used.min(1 << depth) };
        if pixels < 14 + header + entries * entry {
            return Err(ImageError::Corrupt("the pixels begin within the palette".to_owned()));
        }
    }
    Ok(())
}

/// Decodes the first frame or page.
pub(crate) fn decode(data: &[u8], format: ImageFormat, limits: &Limits) -> Result<Raster, ImageError> {
    let decoder = decoder(data, format, limits)?;
    let (size, colour, length) = (decoder.dimensions(), decoder.color_type(), decoder.total_bytes());
    within("decoded size in bytes", length, limits.max_decoded_bytes)?;
    let mut samples = vec![0; usize::try_from(length).map_err(|_| oversize())?];
    decoder.read_image_boxed(&mut samples).map_err(|error| refused(&error))?;
    let (channels, samples) = match colour {
        ColorType::L8 => (Channels::Gray, samples),
        ColorType::La8 => (Channels::Rgba, gray_alpha_to_rgba(&samples)),
        ColorType::Rgb8 => (Channels::Rgb, samples),
        ColorType::Rgba8 => (Channels::Rgba, samples),
        ColorType::L16 => (Channels::Gray, narrow_16_bit(samples)),
        ColorType::La16 => (Channels::Rgba, gray_alpha_to_rgba(&narrow_16_bit(samples))),
        ColorType::Rgb16 => (Channels::Rgb, narrow_16_bit(samples)),
        ColorType::Rgba16 => (Channels::Rgba, narrow_16_bit(samples)),
        other => return Err(ImageError::Unsupported(format!("{format} with {other:?} samples"))),
    };
    Raster::new(size, channels, samples)
}

fn decoder<'a>(
    data: &'a [u8],
    format: ImageFormat,
    limits: &Limits,
) -> Result<Box<dyn ImageDecoder + 'a>, ImageError> {
    let source = Cursor::new(data);
    let opened: Result<Box<dyn ImageDecoder + 'a>, StockError> = match format {
        ImageFormat::WebP => WebPDecoder::new(source).map(|decoder| Box::new(decoder) as _),
        ImageFormat::Gif => GifDecoder::new(source).map(|decoder| Box::new(decoder) as _),
        ImageFormat::Bmp => BmpDecoder::new(source).map(|decoder| Box::new(decoder) as _),
        ImageFormat::Tiff => TiffDecoder::new(source).map(|decoder| Box::new(decoder) as _),
        ImageFormat::Jpeg | ImageFormat::Png => {
            return Err(ImageError::Codec(format!("{format} has its own decoder")));
        }
    };
    let mut decoder = opened.map_err(|error| refused(&error))?;
    let mut bounds = image::Limits::no_limits();
    bounds.max_alloc = Some(limits.max_decoded_bytes);
    decoder.set_limits(bounds).map_err(|error| refused(&error))?;
    Ok(decoder)
}

fn oversize() -> ImageError {
    ImageError::Corrupt("impossible size".to_owned())
}

fn refused(error: &StockError) -> ImageError {
    let message = clip(&error.to_string());
    match error {
        StockError::Unsupported(_) => ImageError::Unsupported(message),
        StockError::Limits(_) => {
            ImageError::Corrupt(format!("more memory than its size explains: {message}"))
        }
        StockError::IoError(inner) if inner.kind() == ErrorKind::UnexpectedEof => {
            ImageError::Truncated(message)
        }
        StockError::Decoding(inner) if ends_early(inner.source()) => ImageError::Truncated(message),
        StockError::Decoding(_)
        | StockError::Encoding(_)
        | StockError::Parameter(_)
        | StockError::IoError(_) => ImageError::Corrupt(message),
    }
}

/// Whether somewhere down the chain of causes the data just ended.
fn ends_early(mut cause: Option<&(dyn std::error::Error + 'static)>) -> bool {
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == ErrorKind::UnexpectedEof) {
            return true;
        }
        cause = error.source();
    }
    false
}
