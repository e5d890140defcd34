//! JPEGs to JPEGs: luminance and chrominance, resized apart, stay on each other.

use image::{Rgb, RgbImage, imageops};
use imaging::{Limits, Rendition, normalize};
use proptest::prelude::*;
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp};
use types::{AlphaPolicy, JpegQuality, NormalizationPolicy, OutputFormat, Rgb as Colour};

const BARS: Colour = Colour([60, 100, 140]);

fn policy(sizes: &str) -> NormalizationPolicy {
    let format = OutputFormat::Jpeg { quality: "95".parse::<JpegQuality>().expect("a quality") };
    let alpha = AlphaPolicy::Flatten { background: Colour::WHITE };
    NormalizationPolicy::new(sizes.parse().expect("valid"), format, alpha, BARS).expect("valid")
}

/// A JPEG with an EXIF segment that tells how it was turned.
fn jpeg(picture: &RgbImage, subsampling: Subsamp, progressive: bool, orientation: u8) -> Vec<u8> {
    let mut compressor = Compressor::new().expect("a compressor");
    compressor.set_quality(95).expect("a quality");
    compressor.set_subsamp(subsampling).expect("a sampling");
    compressor.set_progressive(progressive).expect("a mode");
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let pixels = &picture.as_raw()[..];
    let image = Image { pixels, width, pitch: width * 3, height, format: PixelFormat::RGB };
    let plain = compressor.compress_to_vec(image).expect("a JPEG");
    // TIFF 6.0: little-endian, one directory of one entry, 0x0112 of type SHORT.
    let tiff =
        [b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0", &[orientation, 0, 0, 0, 0, 0, 0, 0][..]].concat();
    let length = (2 + 6 + tiff.len() as u16).to_be_bytes();
    // After the JFIF segment.
    let (head, tail) = plain.split_at(20);
    [head, b"\xff\xe1", &length, b"Exif\0\0", &tiff, tail].concat()
}

/// The picture as a camera that was held otherwise stores it.
fn stored(upright: &RgbImage, orientation: u8) -> RgbImage {
    match orientation {
        2 => imageops::flip_horizontal(upright),
        3 => imageops::rotate180(upright),
        4 => imageops::flip_vertical(upright),
        5 => imageops::flip_horizontal(&imageops::rotate90(upright)),
        6 => imageops::rotate270(upright),
        7 => imageops::flip_vertical(&imageops::rotate90(upright)),
        8 => imageops::rotate90(upright),
        _ => upright.clone(),
    }
}

/// The centre of what stands out by `weight`, in continuous coordinates.
fn centre(picture: &RgbImage, weight: impl Fn(Rgb<u8>) -> f64) -> (f64, f64) {
    let (mut x_sum, mut y_sum, mut sum) = (0.0, 0.0, 0.0);
    for (x, y, pixel) in picture.enumerate_pixels() {
        let weight = weight(*pixel);
        x_sum += weight * (f64::from(x) + 0.5);
        y_sum += weight * (f64::from(y) + 0.5);
        sum += weight;
    }
    (x_sum / sum, y_sum / sum)
}

/// The picture that a variant is.
fn decoded(rendition: &Rendition) -> RgbImage {
    let picture = turbojpeg::decompress(&rendition.bytes, PixelFormat::RGB).expect("a JPEG");
    RgbImage::from_raw(picture.width as u32, picture.height as u32, picture.pixels).expect("all pixels")
}

fn subsampling() -> impl Strategy<Value = Subsamp> {
    prop::sample::select(vec![Subsamp::None, Subsamp::Sub2x1, Subsamp::Sub1x2, Subsamp::Sub2x2])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_coloured_block_lands_where_the_affine_map_says(
        size in (300..900_u32, 300..900_u32), at in (0.2..0.8_f64, 0.2..0.8_f64),
        subsampling in subsampling(), progressive: bool, orientation in 1..=8_u8,
    ) {
        let left = (f64::from(size.0) * at.0) as u32;
        let top = (f64::from(size.1) * at.1) as u32;
        let side = 24;
        let inside = |v: u32, from: u32| (from..from + side).contains(&v);
        let upright = RgbImage::from_fn(size.0, size.1, |x, y| {
            if inside(x, left) && inside(y, top) { Rgb([250, 140, 20]) } else { Rgb([60, 100, 140]) }
        });
        let data = jpeg(&stored(&upright, orientation), subsampling, progressive, orientation);
        let sizes = "360p,201x150,150x201,700x701,333x222:crop,177x223:stretch,811x199:stretch";
        let normalized = normalize(&data, &policy(sizes), &Limits::default()).expect("normalizes");
        prop_assert_eq!((normalized.width, normalized.height), size);
        let middle = (f64::from(left) + f64::from(side) / 2.0, f64::from(top) + f64::from(side) / 2.0);
        for rendition in &normalized.renditions {
            let said = rendition.affine.apply(middle.0, middle.1);
            let reach = f64::from(side) * 2.0;
            let (width, height) = (f64::from(rendition.width), f64::from(rendition.height));
            let whole = said.0 > reach && said.1 > reach && said.0 < width - reach && said.1 < height - reach;
            if !whole {
                continue;
            }
            let picture = decoded(rendition);
            // Ringing and noise do not count.
            let above = |value: f64, least: f64| if value > least { value } else { 0.0 };
            let light = |p: Rgb<u8>| {
                let [r, g, b] = p.0.map(f64::from);
                above(0.299 * r + 0.587 * g + 0.114 * b - 92.6, 12.0)
            };
            let hue = |p: Rgb<u8>| above(f64::from(p.0[0]) - f64::from(p.0[2]) + 80.0, 60.0);
            for (found, what) in [(centre(&picture, light), "luminance"), (centre(&picture, hue), "chrominance")] {
                let off = (found.0 - said.0).hypot(found.1 - said.1);
                prop_assert!(off < 0.2, "{}: {what} at {found:?}, said to be at {said:?}", rendition.spec);
            }
        }
    }

    #[test]
    fn planes_show_what_pixels_show(
        size in (24..500_u32, 24..500_u32), subsampling in subsampling(), orientation in 1..=8_u8, gray: bool,
    ) {
        // Slopes, so that what subsampling takes does not matter.
        let slope = |part: u32, whole: u32| (40 + 160 * part / whole) as u8;
        let upright = RgbImage::from_fn(size.0, size.1, |x, y| {
            Rgb([slope(x, size.0), slope(y, size.1), slope(size.0 - x, size.0)])
        });
        let subsampling = if gray { Subsamp::Gray } else { subsampling };
        let data = jpeg(&stored(&upright, orientation), subsampling, false, orientation);
        let sizes = "360p,101x75,75x100,90x90:crop,50x91:stretch,601x602:stretch";
        let lossless = crate::samples::lossless_policy(sizes, AlphaPolicy::Keep);
        let lossless = NormalizationPolicy::new(lossless.sizes().clone(), OutputFormat::Png, AlphaPolicy::Keep, BARS);
        let by_pixels = normalize(&data, &lossless.expect("valid"), &Limits::default()).expect("normalizes");
        let by_planes = normalize(&data, &policy(sizes), &Limits::default()).expect("normalizes");
        for (planes, pixels) in by_planes.renditions.iter().zip(&by_pixels.renditions) {
            let found = decoded(planes);
            let expected = crate::samples::read_png(&pixels.bytes).to_rgb8();
            prop_assert_eq!((found.dimensions(), planes.affine), (expected.dimensions(), pixels.affine));
            // What subsampling takes from the edges of bars is taken either way.
            let subsampled = turbojpeg::decompress(&jpeg(&expected, Subsamp::Sub2x2, false, 1), PixelFormat::RGB);
            let error = |found: &[u8]| {
                let squares = found.iter().zip(expected.as_raw()).map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
                (squares.sum::<f64>() / found.len() as f64).sqrt()
            };
            let (ours, least) = (error(found.as_raw()), error(&subsampled.expect("a JPEG").pixels));
            prop_assert!(ours < least + 2.0, "{}: {ours}, {least}", planes.spec);
        }
    }
}
