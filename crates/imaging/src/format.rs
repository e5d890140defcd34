//! What kind of file it is, by its first bytes alone: names and content types lie.

use serde::{Deserialize, Serialize};
use std::fmt;

use crate::ImageError;

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImageFormat {
    /// JPEG (ITU T.81), including JFIF, EXIF and MPO.
    Jpeg,
    /// PNG and APNG.
    Png,
    /// WebP, lossy and lossless.
    WebP,
    /// GIF 87a and 89a.
    Gif,
    /// Windows bitmap.
    Bmp,
    /// TIFF and BigTIFF: gray, RGB and CMYK of 8 and 16 bits, 1-bit gray.
    Tiff,
}

impl ImageFormat {
    /// The format as a lowercase word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Gif => "gif",
            Self::Bmp => "bmp",
            Self::Tiff => "tiff",
        }
    }

    /// The usual file extension, without a dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Gif => "gif",
            Self::Bmp => "bmp",
            Self::Tiff => "tif",
        }
    }
}

impl fmt::Display for ImageFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Images that are recognised in order to say by name what is not read: (offset, bytes, name).
const UNREAD: &[(usize, &[u8], &str)] = &[
    (0, b"\xff\x0a", "JPEG XL"),
    (0, b"\0\0\0\x0cJXL ", "JPEG XL"),
    (0, b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (0, b"\xff\x4f\xff\x51", "JPEG 2000"),
    (0, b"II\xbc", "JPEG XR"),
    (0, b"8BPS", "PSD"),
    (0, b"\0\0\x01\0", "ICO"),
    (0, b"\0\0\x02\0", "CUR"),
    (0, b"icns", "ICNS"),
    (0, b"%PDF", "PDF"),
    (0, b"%!PS", "PostScript"),
    (0, b"\xc5\xd0\xd3\xc6", "EPS"),
    (0, b"v/1\x01", "OpenEXR"),
    (0, b"#?RADIANCE", "Radiance HDR"),
    (0, b"qoif", "QOI"),
    (0, b"DDS ", "DDS"),
    (0, b"farbfeld", "farbfeld"),
    (0, b"\x8aMNG", "MNG"),
    (0, b"\x8bJNG", "JNG"),
    (0, b"BPG\xfb", "BPG"),
    (0, b"FLIF", "FLIF"),
    (0, b"FUJIFILMCCD-RAW", "Fujifilm raw"),
    (0, b"IIU\0", "Panasonic raw"),
    (0, b"IIRO", "Olympus raw"),
    (0, b"II*\0\x10\0\0\0CR", "Canon raw (CR2)"),
    (4, b"ftypavif", "AVIF"),
    (4, b"ftypavis", "AVIF"),
    (4, b"ftyphei", "HEIC"),
    (4, b"ftyphev", "HEIC"),
    (4, b"ftypmif1", "HEIF"),
    (4, b"ftypmsf1", "HEIF"),
    (4, b"ftypcrx ", "Canon raw (CR3)"),
];

/// Tells the format of `data`.
pub(crate) fn sniff(data: &[u8]) -> Result<ImageFormat, ImageError> {
    if data.is_empty() {
        return Err(ImageError::Empty);
    }
    let at = |offset: usize, magic: &[u8]| data.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    if let Some((.., name)) = UNREAD.iter().find(|(offset, magic, _)| at(*offset, magic)) {
        return Err(ImageError::Unsupported((*name).to_owned()));
    }
    let tiff: [&[u8]; 4] = [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"];
    match () {
        () if at(0, b"\xff\xd8\xff") => Ok(ImageFormat::Jpeg),
        () if at(0, b"\x89PNG\r\n\x1a\n") => Ok(ImageFormat::Png),
        () if at(0, b"GIF87a") || at(0, b"GIF89a") => Ok(ImageFormat::Gif),
        () if at(0, b"RIFF") && at(8, b"WEBP") => Ok(ImageFormat::WebP),
        () if is_bmp(data) => Ok(ImageFormat::Bmp),
        () if tiff.iter().any(|magic| at(0, magic)) => Ok(ImageFormat::Tiff),
        () => Err(text_or_unknown(data)),
    }
}

/// "BM" begins many texts too, so the size of the second header must be one that exists.
fn is_bmp(data: &[u8]) -> bool {
    let header_size = data.get(14..18).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    data.starts_with(b"BM") && matches!(header_size, Some(12 | 16 | 40 | 52 | 56 | 64 | 108 | 124))
}

fn text_or_unknown(data: &[u8]) -> ImageError {
    let head = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    let head = head.trim_ascii_start();
    let head = head.get(..1024).unwrap_or(head).to_ascii_lowercase();
    let contains = |word: &[u8]| head.windows(word.len()).any(|window| window == word);
    if head.starts_with(b"<") && contains(b"<svg") {
        return ImageError::Unsupported("SVG".to_owned());
    }
    if head.starts_with(b"<?xml") {
        return ImageError::Unsupported("XML".to_owned());
    }
    if head.starts_with(b"<!doctype html") || head.starts_with(b"<html") {
        return ImageError::NotAnImage("an HTML page".to_owned());
    }
    if let [b'P' | b'p', b'1'..=b'7', b' ' | b'\n' | b'\r' | b'\t', ..] = *head {
        return ImageError::Unsupported("PNM".to_owned());
    }
    let first: Vec<_> = data.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    ImageError::NotAnImage(format!("starts with {}", first.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        let cases: [(&[u8], ImageFormat); 7] = [
            (b"\xff\xd8\xff\xe0", ImageFormat::Jpeg),
            (b"\x89PNG\r\n\x1a\n", ImageFormat::Png),
            (b"GIF89a", ImageFormat::Gif),
            (b"RIFF\0\0\0\0WEBP", ImageFormat::WebP),
            (b"BM\0\0\0\0\0\0\0\0\0\0\0\0\x28\0\0\0", ImageFormat::Bmp),
            (b"II*\0", ImageFormat::Tiff),
            (b"MM\0+", ImageFormat::Tiff),
        ];
        for (data, format) in cases {
            assert_eq!(sniff(data), Ok(format));
        }
    }

    #[test]
    fn images_that_are_not_read_are_refused_by_name() {
        let cases: [(&[u8], &str); 9] = [
            (b"\0\0\0\x1cftypavif", "AVIF"),
            (b"\0\0\0\x1cftypheic", "HEIC"),
            (b"\xef\xbb\xbf \n<svg xmlns=''/>", "SVG"),
            (b"<?xml version='1.0'?><!-- a --><SVG>", "SVG"),
            (b"<?xml version='1.0'?><note/>", "XML"),
            (b"8BPS\0\x01", "PSD"),
            (b"\0\0\x01\0\x01\0", "ICO"),
            (b"%PDF-1.7", "PDF"),
            (b"P6\n1 1\n255\n", "PNM"),
        ];
        for (data, name) in cases {
            assert_eq!(sniff(data), Err(ImageError::Unsupported(name.to_owned())));
        }
    }

    #[test]
    fn everything_else_is_not_an_image() {
        assert_eq!(sniff(b""), Err(ImageError::Empty));
        for data in [&b"BM is short for"[..], b"hello", b"PK\x03\x04", b"RIFF\0\0\0\0WAVE", b"\0", b"<html>"]
        {
            assert!(matches!(sniff(data), Err(ImageError::NotAnImage(_))), "{data:?}");
        }
    }
}
