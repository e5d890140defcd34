//! EXIF as ImageMagick put it into PNG before the eXIf chunk existed: a text chunk "Raw profile type exif" whose
//! text is a newline, a name, a length in decimal and the bytes in hexadecimal, all apart by white space.

use std::io::Read;

use flate2::read::ZlibDecoder;

use crate::error::within;
use crate::{ImageError, Limits};

const KEYWORDS: [&[u8]; 2] = [b"Raw profile type exif\0", b"Raw profile type APP1\0"];

/// The EXIF in a tEXt or zTXt chunk; `None` for every other text and where it is broken.
pub(crate) fn exif(compressed: bool, content: &[u8], limits: &Limits) -> Result<Option<Vec<u8>>, ImageError> {
    let Some(value) = KEYWORDS.iter().find_map(|keyword| content.strip_prefix(*keyword)) else {
        return Ok(None);
    };
    // Two digits a byte, line breaks, the name and the length.
    let limit = limits.max_metadata_bytes.saturating_mul(3);
    let mut text = Vec::new();
    if compressed {
        let Some(deflated) = value.strip_prefix(&[0]) else { return Ok(None) };
        let outcome = ZlibDecoder::new(deflated).take(limit.saturating_add(1)).read_to_end(&mut text);
        if outcome.is_err() {
            return Ok(None);
        }
    } else {
        text.extend(value);
    }
    within("EXIF text in bytes", text.len() as u64, limit)?;
    Ok(parse(&text))
}

fn parse(text: &[u8]) -> Option<Vec<u8>> {
    let mut words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let (_name, length) = (words.next()?, words.next()?);
    let length: usize = std::str::from_utf8(length).ok()?.parse().ok()?;
    let digits: Vec<u8> = words
        .flatten()
        .map(|digit| (*digit as char).to_digit(16))
        .map(|d| d.map(|d| d as u8))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.as_chunks::<2>().0.iter().map(|[high, low]| high << 4 | low).collect();
    (bytes.len() == length && digits.len() == 2 * length).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_in_hexadecimal_are_read_and_anything_else_is_none() {
        assert_eq!(parse(b"\nexif\n       4\n45 78\n6966"), Some(b"Exif".to_vec()));
        for broken in [
            &b""[..],
            b"\nexif",
            b"\nexif\n4\n4578696",
            b"\nexif\n3\n45786966",
            b"\nexif\nx\n45",
            b"\nexif\n1\n4g",
        ] {
            assert_eq!(parse(broken), None, "{}", broken.escape_ascii());
        }
    }
}
