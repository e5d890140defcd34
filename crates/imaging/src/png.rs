//! PNG, by the `png` crate, with metadata read by ourselves so that nothing inflates past the limits.

mod raw_profile;

use std::borrow::Cow;
use std::io::{Cursor, Read};

use flate2::read::ZlibDecoder;

use crate::decode::{Codec, Opened, clip, pixel_bytes};
use crate::error::within;
use crate::raster::{Channels, Raster, byte_len, gray_alpha_to_rgba, narrow_16_bit};
use crate::{ImageError, ImageFormat, Limits};

/// What the chunks tell.
#[derive(Debug, Default)]
struct Chunks<'a> {
    size: (u32, u32),
    sixteen_bit: bool,
    gray: bool,
    alpha: bool,
    animated: bool,
    exif: Option<&'a [u8]>,
    /// EXIF in the old way, which counts where there is no other.
    old_exif: Option<Vec<u8>>,
    /// The raw iCCP chunk: name, method, compressed profile.
    iccp: Option<&'a [u8]>,
}

/// Walks the chunks of a PNG file, from the header to IEND.
pub(crate) fn open<'a>(data: &'a [u8], limits: &Limits) -> Result<Opened<'a>, ImageError> {
    let chunks = walk(data, limits)?;
    let pixel_bytes = pixel_bytes(chunks.gray, chunks.alpha);
    let samples = match (chunks.gray, chunks.alpha) {
        (true, false) => 1,
        (true, true) => 2,
        (false, false) => 3,
        (false, true) => 4,
    };
    let native = byte_len(chunks.size, samples * if chunks.sixteen_bit { 2 } else { 1 });
    // Gray with alpha is spread to RGBA in a second buffer.
    let spread = if samples == 2 { byte_len(chunks.size, 4) } else { 0 };
    let icc = match chunks.iccp {
        Some(iccp) => inflate_profile(iccp, limits)?,
        None => None,
    };
    let exif = chunks.exif.map(Cow::Borrowed).or(chunks.old_exif.map(Cow::Owned));
    Ok(Opened {
        format: ImageFormat::Png,
        size: chunks.size,
        animated: chunks.animated,
        exif: exif.map(without_prefix),
        icc: icc.map(Cow::Owned),
        decoder_bytes: native.saturating_add(spread),
        pixel_bytes,
        codec: Codec::Png,
    })
}

/// Some writers keep the prefix that EXIF has in JPEG.
fn without_prefix(raw: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    const PREFIX: &[u8] = b"Exif\0\0";
    match raw {
        Cow::Borrowed(raw) => Cow::Borrowed(raw.strip_prefix(PREFIX).unwrap_or(raw)),
        Cow::Owned(raw) => Cow::Owned(raw.strip_prefix(PREFIX).map(<[u8]>::to_vec).unwrap_or(raw)),
    }
}

fn walk<'a>(data: &'a [u8], limits: &Limits) -> Result<Chunks<'a>, ImageError> {
    let mut chunks = Chunks::default();
    let (mut rest, mut count, mut seen_data) = (data.get(8..).unwrap_or_default(), 0, false);
    loop {
        let Chunk { kind, content, after } = split_chunk(rest)?;
        rest = after;
        count += 1;
        within("number of chunks", count, u64::from(limits.max_markers))?;
        let metadata = || within("metadata in bytes", content.len() as u64, limits.max_metadata_bytes);
        match (kind, count) {
            (b"IHDR", 1) => chunks.header(content)?,
            (_, 1) => return Err(ImageError::Corrupt("the first chunk is not IHDR".to_owned())),
            (b"tRNS", _) => chunks.alpha = true,
            (b"acTL", _) => chunks.animated |= !seen_data,
            (b"IDAT", _) => seen_data = true,
            (b"eXIf", _) => {
                metadata()?;
                chunks.exif.get_or_insert(content);
            }
            (b"tEXt" | b"zTXt", _) if chunks.old_exif.is_none() => {
                chunks.old_exif = raw_profile::exif(kind == b"zTXt", content, limits)?;
            }
            (b"iCCP", _) => {
                metadata()?;
                chunks.iccp.get_or_insert(content);
            }
            (b"iTXt", _) if content.starts_with(b"XML:com.adobe.xmp\0") => metadata()?,
            (b"IEND", _) if seen_data => return Ok(chunks),
            (b"IEND", _) => return Err(ImageError::Corrupt("no picture before IEND".to_owned())),
            _ => {}
        }
    }
}

struct Chunk<'a> {
    kind: &'a [u8; 4],
    content: &'a [u8],
    after: &'a [u8],
}

/// The first chunk, and what follows its checksum (which the decoder checks).
fn split_chunk(data: &[u8]) -> Result<Chunk<'_>, ImageError> {
    let truncated = || ImageError::Truncated("the data ends before the IEND chunk".to_owned());
    let (length, rest) = data.split_first_chunk::<4>().ok_or_else(truncated)?;
    let (kind, rest) = rest.split_first_chunk::<4>().ok_or_else(truncated)?;
    let length = u32::from_be_bytes(*length) as usize;
    let (content, rest) = rest.split_at_checked(length).ok_or_else(truncated)?;
    let (_checksum, after) = rest.split_first_chunk::<4>().ok_or_else(truncated)?;
    Ok(Chunk { kind, content, after })
}

impl Chunks<'_> {
    fn header(&mut self, content: &[u8]) -> Result<(), ImageError> {
        let [w3, w2, w1, w0, h3, h2, h1, h0, depth, colour, ..] = *content else {
            return Err(ImageError::Corrupt("IHDR is too short".to_owned()));
        };
        self.size = (u32::from_be_bytes([w3, w2, w1, w0]), u32::from_be_bytes([h3, h2, h1, h0]));
        self.sixteen_bit = depth == 16;
        self.gray = matches!(colour, 0 | 4);
        self.alpha = matches!(colour, 4 | 6);
        Ok(())
    }
}

/// The profile of an iCCP chunk; `None` if it is broken, an error if it inflates past the limit.
fn inflate_profile(iccp: &[u8], limits: &Limits) -> Result<Option<Vec<u8>>, ImageError> {
    let after_name = iccp.iter().position(|byte| *byte == 0).and_then(|end| iccp.get(end + 1..));
    let Some([0, compressed @ ..]) = after_name else { return Ok(None) };
    let mut profile = Vec::new();
    let mut inflated = ZlibDecoder::new(compressed).take(limits.max_metadata_bytes.saturating_add(1));
    let outcome = inflated.read_to_end(&mut profile);
    within("ICC profile in bytes, inflated", profile.len() as u64, limits.max_metadata_bytes)?;
    Ok(outcome.is_ok().then_some(profile))
}

/// Decodes the default picture.
pub(crate) fn decode(data: &[u8], limits: &Limits) -> Result<Raster, ImageError> {
    let budget = usize::try_from(limits.max_decoded_bytes).unwrap_or(usize::MAX);
    let mut decoder = ::png::Decoder::new_with_limits(Cursor::new(data), ::png::Limits { bytes: budget });
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder.set_transformations(::png::Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(refused)?;
    let length =
        reader.output_buffer_size().ok_or_else(|| ImageError::Corrupt("impossible size".to_owned()))?;
    within("decoded size in bytes", length as u64, limits.max_decoded_bytes)?;
    let mut samples = vec![0; length];
    let info = reader.next_frame(&mut samples).map_err(refused)?;
    samples.truncate(info.buffer_size());
    if info.bit_depth == ::png::BitDepth::Sixteen {
        // PNG is big-endian; the rest of this crate keeps wide samples in native order.
        for sample in samples.as_chunks_mut::<2>().0 {
            *sample = u16::from_be_bytes(*sample).to_ne_bytes();
        }
        samples = narrow_16_bit(samples);
    }
    let (channels, samples) = match info.color_type {
        ::png::ColorType::Grayscale => (Channels::Gray, samples),
        ::png::ColorType::GrayscaleAlpha => (Channels::Rgba, gray_alpha_to_rgba(&samples)),
        ::png::ColorType::Rgb => (Channels::Rgb, samples),
        ::png::ColorType::Rgba => (Channels::Rgba, samples),
        ::png::ColorType::Indexed => return Err(ImageError::Codec("palette not expanded".to_owned())),
    };
    Raster::new((info.width, info.height), channels, samples)
}

fn refused(error: ::png::DecodingError) -> ImageError {
    match error {
        ::png::DecodingError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            ImageError::Truncated(clip(&error.to_string()))
        }
        ::png::DecodingError::IoError(error) => ImageError::Corrupt(clip(&error.to_string())),
        ::png::DecodingError::Format(error) => ImageError::Corrupt(clip(&error.to_string())),
        ::png::DecodingError::Parameter(error) => ImageError::Codec(clip(&error.to_string())),
        ::png::DecodingError::LimitsExceeded => {
            ImageError::Corrupt("a chunk larger than the limits".to_owned())
        }
    }
}
