//! Image files with an orientation.

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder, RgbImage};
use jpeg_encoder::{ColorType, Encoder};

/// A kind of file that says how it is to be turned.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Container {
    /// EXIF in APP1.
    Jpeg,
    /// The chunk eXIf.
    Png,
    /// The tag in the image's own directory.
    Tiff,
}

impl Container {
    pub(crate) const ALL: [Self; 3] = [Self::Jpeg, Self::Png, Self::Tiff];
}

/// A file of these pixels that asks for this orientation.
pub(crate) fn encode(stored: &RgbImage, orientation: u16, container: Container) -> Vec<u8> {
    let (width, height) = stored.dimensions();
    let mut file = Vec::new();
    match container {
        Container::Jpeg => {
            let mut encoder = Encoder::new(&mut file, 97);
            let exif =
                [b"Exif\0\0".as_slice(), &tiff(&[(0x0112, 3, 1, u32::from(orientation))], &[])].concat();
            encoder.add_app_segment(1, exif).expect("a short segment");
            let side = |side: u32| u16::try_from(side).expect("small");
            encoder.encode(stored.as_raw(), side(width), side(height), ColorType::Rgb).expect("a JPEG");
        }
        Container::Png => {
            let mut encoder = PngEncoder::new(&mut file);
            let exif = tiff(&[(0x0112, 3, 1, u32::from(orientation))], &[]);
            encoder.set_exif_metadata(exif).expect("PNG has EXIF");
            encoder.write_image(stored.as_raw(), width, height, ExtendedColorType::Rgb8).expect("a PNG");
        }
        Container::Tiff => {
            const ENTRIES: u32 = 9;
            // Three 16-bit numbers do not fit into their entry; they follow the directory, and then the pixels.
            let depths = 8 + 2 + ENTRIES * 12 + 4;
            let entries = [
                (0x0100, 4, 1, width),
                (0x0101, 4, 1, height),
                (0x0102, 3, 3, depths),
                (0x0103, 3, 1, 1),
                (0x0106, 3, 1, 2),
                (0x0111, 4, 1, depths + 6),
                (0x0112, 3, 1, u32::from(orientation)),
                (0x0115, 3, 1, 3),
                (0x0117, 4, 1, width * height * 3),
            ];
            file = tiff(&entries, &[&[8, 0, 8, 0, 8, 0], stored.as_raw().as_slice()].concat());
        }
    }
    file
}

/// A little-endian TIFF structure (TIFF 6.0): one directory of (tag, type, count, value), and what follows it.
fn tiff(entries: &[(u16, u16, u32, u32)], rest: &[u8]) -> Vec<u8> {
    let mut bytes = b"II\x2a\0\x08\0\0\0".to_vec();
    bytes.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, count, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend([0; 4]);
    bytes.extend(rest);
    bytes
}
