//! Small files of every format, made here.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat as Stock, RgbImage, RgbaImage};
use types::{AlphaPolicy, NormalizationPolicy, OutputFormat, Rgb};

/// A picture with gradients and edges, without symmetry.
pub(crate) fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let band = if (x / 7 + y / 5) % 3 == 0 { 200 } else { 30 };
        image::Rgb([(x * 255 / width) as u8, (y * 255 / height) as u8, band])
    })
}

/// A JPEG by libjpeg-turbo.
pub(crate) fn jpeg(picture: &RgbImage, progressive: bool) -> Vec<u8> {
    let mut compressor = turbojpeg::Compressor::new().expect("a compressor");
    compressor.set_quality(90).expect("a quality");
    compressor.set_progressive(progressive).expect("a mode");
    let image = turbojpeg::Image {
        pixels: &picture.as_raw()[..],
        width: picture.width() as usize,
        pitch: picture.width() as usize * 3,
        height: picture.height() as usize,
        format: turbojpeg::PixelFormat::RGB,
    };
    compressor.compress_to_vec(image).expect("a JPEG")
}

/// A file of any format that the `image` crate writes.
pub(crate) fn stock(picture: &RgbImage, format: Stock) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("an image file");
    bytes.into_inner()
}

/// One file of each kind, by name.
pub(crate) fn one_of_each() -> Vec<(&'static str, Vec<u8>)> {
    let small = picture(120, 90);
    vec![
        ("baseline jpeg", jpeg(&small, false)),
        ("progressive jpeg", jpeg(&small, true)),
        ("png", stock(&small, Stock::Png)),
        ("gif", stock(&small, Stock::Gif)),
        ("bmp", stock(&small, Stock::Bmp)),
        ("tiff", stock(&small, Stock::Tiff)),
        ("lossless webp", stock(&small, Stock::WebP)),
        ("lossy webp", webp::Encoder::from_rgb(small.as_raw(), 120, 90).encode(80.0).to_vec()),
    ]
}

/// A PNG from raw chunks; checksums are computed.
pub(crate) fn png_of_chunks(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, content) in chunks {
        bytes.extend((content.len() as u32).to_be_bytes());
        let mut checked = kind.to_vec();
        checked.extend(*content);
        let mut checksum = flate2::Crc::new();
        checksum.update(&checked);
        bytes.extend(checked);
        bytes.extend(checksum.sum().to_be_bytes());
    }
    bytes
}

/// The chunks of a PNG's header: size, bit depth, colour type.
pub(crate) fn ihdr(width: u32, height: u32, depth: u8, colour: u8) -> Vec<u8> {
    let mut header = width.to_be_bytes().to_vec();
    header.extend(height.to_be_bytes());
    header.extend([depth, colour, 0, 0, 0]);
    header
}

/// `data`, zlib-compressed.
pub(crate) fn deflated(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::read::ZlibEncoder::new(data, flate2::Compression::best());
    let mut compressed = Vec::new();
    std::io::Read::read_to_end(&mut encoder, &mut compressed).expect("compresses");
    compressed
}

/// A policy with PNG output, so that pixels can be compared.
pub(crate) fn lossless_policy(sizes: &str, alpha: AlphaPolicy) -> NormalizationPolicy {
    let sizes = sizes.parse().expect("valid sizes");
    NormalizationPolicy::new(sizes, OutputFormat::Png, alpha, Rgb([10, 20, 30])).expect("a valid policy")
}

/// Decodes a PNG with its alpha, if it has one.
pub(crate) fn read_png(bytes: &[u8]) -> DynamicImage {
    image::load_from_memory_with_format(bytes, Stock::Png).expect("a PNG")
}

/// An RGBA view of a picture.
pub(crate) fn rgba(image: &DynamicImage) -> RgbaImage {
    image.to_rgba8()
}
