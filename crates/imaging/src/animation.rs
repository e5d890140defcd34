//! The containers of GIF and WebP: how many frames, what metadata, and does the data end too early.

use crate::error::within;
use crate::{ImageError, Limits};

/// What a walk over a container finds.
#[derive(Debug, Default)]
pub(crate) struct Container<'a> {
    pub(crate) animated: bool,
    pub(crate) exif: Option<&'a [u8]>,
    pub(crate) icc: Option<&'a [u8]>,
}

/// Walks the chunks of a WebP file (RFC 9649, section 2).
pub(crate) fn webp<'a>(data: &'a [u8], limits: &Limits) -> Result<Container<'a>, ImageError> {
    let truncated = || ImageError::Truncated("the data ends before the RIFF container does".to_owned());
    let length = data.get(4..8).and_then(|bytes| bytes.first_chunk::<4>()).ok_or_else(truncated)?;
    let end = u32::from_le_bytes(*length) as usize + 8;
    let mut rest = data.get(12..end).ok_or_else(truncated)?;
    let mut found = Container::default();
    let (mut count, mut frames) = (0, 0);
    while !rest.is_empty() {
        let (kind, content, after) = split_chunk(rest)
            .ok_or_else(|| ImageError::Corrupt("a chunk reaches out of its container".to_owned()))?;
        rest = after;
        count += 1;
        within("number of chunks", count, u64::from(limits.max_markers))?;
        let metadata = || within("metadata in bytes", content.len() as u64, limits.max_metadata_bytes);
        match kind {
            b"EXIF" => {
                metadata()?;
                found.exif.get_or_insert(content);
            }
            b"ICCP" => {
                metadata()?;
                found.icc.get_or_insert(content);
            }
            b"XMP " => metadata()?,
            b"ANMF" => frames += 1,
            _ => {}
        }
    }
    found.animated = frames > 1;
    Ok(found)
}

/// The first chunk's type and content, and what follows its padding (which may be missing at the very end).
fn split_chunk(data: &[u8]) -> Option<(&[u8; 4], &[u8], &[u8])> {
    let (kind, rest) = data.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length) as usize;
    let (content, rest) = rest.split_at_checked(length)?;
    Some((kind, content, rest.get(length % 2..).unwrap_or_default()))
}

/// Walks the blocks of a GIF file (GIF89a, section 12 on).
///
/// A missing trailer is let pass at a block boundary: old writers forget it, and no pixel can be lost with it.
pub(crate) fn gif<'a>(data: &'a [u8], limits: &Limits) -> Result<Container<'a>, ImageError> {
    let mut reader = Blocks { rest: data };
    let screen = reader.take(13)?;
    reader.take(colour_table_bytes(screen[10]))?;
    let (mut count, mut frames) = (0, 0);
    while let Some((kind, rest)) = reader.rest.split_first() {
        reader.rest = rest;
        count += 1;
        within("number of blocks", count, u64::from(limits.max_markers))?;
        match kind {
            0x21 => {
                reader.take(1)?;
                reader.skip_sub_blocks()?;
            }
            0x2c => {
                let flags = reader.take(9)?[8];
                reader.take(colour_table_bytes(flags) + 1)?; // and the smallest code size
                reader.skip_sub_blocks()?;
                frames += 1;
            }
            0x3b => break,
            _ if frames > 0 => break, // Rubbish after a picture is as good as none.
            _ => return Err(ImageError::Corrupt("an unknown block before the first picture".to_owned())),
        }
    }
    if frames == 0 {
        return Err(ImageError::Corrupt("no picture".to_owned()));
    }
    Ok(Container { animated: frames > 1, ..Container::default() })
}

/// Bytes of the colour table that a packed field tells of: `3·2^(n+1)` if it is there.
fn colour_table_bytes(packed: u8) -> usize {
    if packed & 0x80 == 0 { 0 } else { 3 << ((packed & 7) + 1) }
}

struct Blocks<'a> {
    rest: &'a [u8],
}

impl<'a> Blocks<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], ImageError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or_else(|| ImageError::Truncated("the data ends within a block".to_owned()))?;
        self.rest = rest;
        Ok(taken)
    }

    fn skip_sub_blocks(&mut self) -> Result<(), ImageError> {
        loop {
            match self.take(1)?[0] {
                0 => return Ok(()),
                length => self.take(usize::from(length))?,
            };
        }
    }
}
