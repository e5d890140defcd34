//! JPEG, strictly: regular files by our own decoder, which makes the same samples faster, all others by libjpeg-turbo.
//!
//! libjpeg repairs what it can and warns. Here every warning about the picture refuses the file. To make that
//! possible without refusing files for blemishes that cost no pixel, the decoder is given a cleaned copy:
//! without metadata, padding and what follows the picture, its JFIF and Adobe segments in standard form
//! ([`Markers::cleaned`]). The one warning that is then still let pass is padding at the end of a scan.

mod markers;

use std::borrow::Cow;

use ::jpeg::{Pixels, Scale};
use turbojpeg::{Colorspace, Decompressor, Image, PixelFormat, ScalingFactor};

pub(crate) use self::markers::Markers;
use crate::decode::{Codec, Opened, clip};
use crate::raster::{Channels, Raster, byte_len};
use crate::reduction::Reduction;
use crate::{ImageError, ImageFormat, Limits};

/// Scans the markers of a JPEG file.
pub(crate) fn open<'a>(data: &'a [u8], limits: &Limits) -> Result<Opened<'a>, ImageError> {
    let markers = Markers::scan(data, limits)?;
    let frame = &markers.frame;
    let channels = match frame.components.len() {
        1 => Channels::Gray,
        3 => Channels::Rgb,
        4 => Channels::Cmyk,
        other => return Err(ImageError::Unsupported(format!("JPEG with {other} components"))),
    };
    let size = (frame.width, frame.height);
    let coefficients = if frame.progressive || markers.scans > 1 { frame.coefficient_bytes() } else { 0 };
    Ok(Opened {
        format: ImageFormat::Jpeg,
        size,
        animated: false,
        exif: markers.exif.map(Cow::Borrowed),
        icc: markers.icc.clone().map(Cow::Owned),
        decoder_bytes: byte_len(size, channels.count()) + coefficients + data.len() as u64,
        pixel_bytes: channels.count(),
        codec: Codec::Jpeg(markers),
    })
}

/// How much of a picture is decoded.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Detail {
    /// Every pixel, tightly packed.
    Whole,
    /// A smaller picture, four bytes a pixel where it has colours.
    Reduced(Reduction),
    /// The same of a file that is known to be irregular.
    Irregular(Reduction),
}

impl Detail {
    pub(crate) fn reduction(self) -> Reduction {
        match self {
            Self::Whole => Reduction::NONE,
            Self::Reduced(reduction) | Self::Irregular(reduction) => reduction,
        }
    }
}

/// Decodes the picture.
pub(crate) fn decode(
    data: &[u8],
    markers: &Markers<'_>,
    limits: &Limits,
    detail: Detail,
) -> Result<Raster, ImageError> {
    match regular(data, detail)? {
        Some(raster) => Ok(raster),
        None => by_libjpeg(data, markers, limits, detail),
    }
}

/// The picture of a file that is regular.
fn regular(data: &[u8], detail: Detail) -> Result<Option<Raster>, ImageError> {
    let (scale, pixels) = match detail {
        Detail::Whole => (Scale::Whole, Pixels::Rgb),
        Detail::Reduced(reduction) => (reduction.into(), Pixels::Rgbx),
        Detail::Irregular(_) => return Ok(None),
    };
    let Ok(picture) = ::jpeg::decode(data, scale, pixels) else { return Ok(None) };
    let channels = match picture.pixels {
        Pixels::Gray => Channels::Gray,
        Pixels::Rgb => Channels::Rgb,
        Pixels::Rgbx => Channels::Rgbx,
    };
    Raster::new((picture.width as u32, picture.height as u32), channels, picture.samples).map(Some)
}

/// The picture of any file, or what is wrong with it.
fn by_libjpeg(
    data: &[u8],
    markers: &Markers<'_>,
    limits: &Limits,
    detail: Detail,
) -> Result<Raster, ImageError> {
    let cleaned = markers.cleaned(data);
    let failed = |error: turbojpeg::Error| ImageError::Codec(clip(&error.to_string()));
    let mut decoder = Decompressor::new().map_err(failed)?;
    decoder.set_scan_limit(limits.max_scans).map_err(failed)?;
    let header = decoder.read_header(&cleaned).map_err(|error| classify(&error))?;
    let size = (markers.frame.width, markers.frame.height);
    if (header.width, header.height) != (size.0 as usize, size.1 as usize) {
        return Err(ImageError::Corrupt("two different sizes".to_owned()));
    }
    let reduction = detail.reduction();
    let colour = match detail {
        Detail::Whole => (PixelFormat::RGB, Channels::Rgb),
        Detail::Reduced(_) | Detail::Irregular(_) => (PixelFormat::RGBX, Channels::Rgbx),
    };
    let (format, channels) = match header.colorspace {
        Colorspace::Gray => (PixelFormat::GRAY, Channels::Gray),
        Colorspace::RGB | Colorspace::YCbCr => colour,
        Colorspace::CMYK | Colorspace::YCCK => (PixelFormat::CMYK, Channels::Cmyk),
    };
    decoder.set_scaling_factor(ScalingFactor::new(1, reduction.divisor() as usize)).map_err(failed)?;
    let size = reduction.size(size);
    let (width, height) = (size.0 as usize, size.1 as usize);
    let pitch = width * format.size();
    let mut samples = vec![0; pitch * height];
    let target = Image { pixels: &mut samples[..], width, pitch, height, format };
    match decoder.decompress(&cleaned, target) {
        Ok(()) => {}
        Err(error) if is_only_padding(&error.to_string(), &cleaned) => {}
        Err(error) => return Err(classify(&error)),
    }
    if channels == Channels::Cmyk {
        // Adobe stores ink inverted, and so does everyone since; Pillow assumes it too.
        samples.iter_mut().for_each(|sample| *sample = 255 - *sample);
    }
    Raster::new(size, channels, samples)
}

/// Whether libjpeg's only complaint is of surplus bytes between the last scan and the end mark, and these are
/// padding (zeros or fill bytes, as some cameras write) rather than coded pixels that got lost.
///
/// libjpeg keeps the *first* warning, and at the end mark nothing can follow, so there was no other.
fn is_only_padding(message: &str, cleaned: &[u8]) -> bool {
    let surplus = message
        .split_once("Corrupt JPEG data: ")
        .and_then(|(_, rest)| rest.split_once(" extraneous bytes before marker 0xd9"))
        .and_then(|(count, _)| count.parse::<usize>().ok());
    let coded = cleaned.strip_suffix(b"\xff\xd9");
    surplus.zip(coded).is_some_and(|(count, coded)| {
        let tail = coded.len().checked_sub(count).and_then(|start| coded.get(start..));
        tail.is_some_and(|tail| tail.iter().all(|byte| matches!(byte, 0 | 0xff)))
    })
}

fn classify(error: &turbojpeg::Error) -> ImageError {
    let message = clip(&error.to_string());
    let says = |words: &str| message.contains(words);
    if says("Premature end of JPEG") || says("premature end of data") {
        ImageError::Truncated(message)
    } else if says("nsupported") || says("not supported") || says("ot implemented") || says("not compiled") {
        ImageError::Unsupported(message)
    } else {
        ImageError::Corrupt(message)
    }
}

#[cfg(test)]
mod tests;
