//! Points of the original are where the affine map says.

use image::{Rgb, RgbImage};
use imaging::{Limits, normalize};
use types::AlphaPolicy;

use crate::samples::{lossless_policy, read_png, stock};

/// A white block on black; returns where its middle is.
fn block(width: u32, height: u32, (left, top): (u32, u32), side: u32) -> (RgbImage, (f64, f64)) {
    let inside = |v: u32, from: u32| (from..from + side).contains(&v);
    let picture = RgbImage::from_fn(width, height, |x, y| {
        if inside(x, left) && inside(y, top) { Rgb([255; 3]) } else { Rgb([0; 3]) }
    });
    let half = f64::from(side) / 2.0;
    (picture, (f64::from(left) + half, f64::from(top) + half))
}

/// The centre of brightness, in continuous coordinates; the pad colour is subtracted.
fn centre(picture: &RgbImage) -> (f64, f64) {
    let (mut x_sum, mut y_sum, mut sum) = (0.0, 0.0, 0.0);
    for (x, y, pixel) in picture.enumerate_pixels() {
        let weight = f64::from(pixel.0[0].saturating_sub(10));
        x_sum += weight * (f64::from(x) + 0.5);
        y_sum += weight * (f64::from(y) + 0.5);
        sum += weight;
    }
    (x_sum / sum, y_sum / sum)
}

#[test]
fn a_block_lands_where_the_affine_map_says() {
    for (size, at) in [((801, 533), (300, 201)), ((533, 801), (250, 433)), ((60, 47), (22, 13))] {
        let (picture, middle) = block(size.0, size.1, at, 12);
        let sizes = "360p,200x150,150x200,1000x801,333x222:crop,222x333:crop,77x123:stretch,1501x99:stretch";
        let policy = lossless_policy(sizes, AlphaPolicy::Keep);
        let png = stock(&picture, image::ImageFormat::Png);
        let normalized = normalize(&png, &policy, &Limits::default()).expect("normalizes");
        assert_eq!(normalized.renditions.len(), 8);
        for rendition in normalized.renditions {
            let found = centre(&read_png(&rendition.bytes).to_rgb8());
            let said = rendition.affine.apply(middle.0, middle.1);
            let off = (found.0 - said.0).hypot(found.1 - said.1);
            assert!(off < 0.1, "{}: found at {found:?}, said to be at {said:?}", rendition.spec);
        }
    }
}

#[test]
fn equal_inputs_give_equal_bytes_in_every_output_format() {
    use types::{JpegQuality, NormalizationPolicy, OutputFormat, Rgb as Colour};
    let picture = crate::samples::picture(300, 200);
    let data = crate::samples::jpeg(&picture, false);
    let quality = JpegQuality::default();
    for (format, magic) in [
        (OutputFormat::Jpeg { quality }, &b"\xff\xd8\xff"[..]),
        (OutputFormat::Png, b"\x89PNG"),
        (OutputFormat::WebP { quality }, b"RIFF"),
    ] {
        let alpha = AlphaPolicy::Flatten { background: Colour::WHITE };
        let sizes = "720p,100x100,50x50:crop".parse().expect("valid");
        let policy = NormalizationPolicy::new(sizes, format, alpha, Colour::BLACK).expect("valid");
        let run = || normalize(&data, &policy, &Limits::default()).expect("normalizes");
        let first = run();
        assert_eq!(first, run());
        let names: Vec<_> = first.renditions.iter().map(|rendition| rendition.spec.name()).collect();
        assert_eq!(names, ["720p", "100x100", "50x50-crop"], "in the policy's order");
        for rendition in &first.renditions {
            assert!(rendition.bytes.starts_with(magic));
            let probe = imaging::probe(&rendition.bytes, &Limits::default()).expect("we read what we write");
            assert_eq!((probe.width, probe.height), (rendition.width, rendition.height));
        }
        let clean = |needle: &[u8]| !first.renditions[0].bytes.windows(needle.len()).any(|w| w == needle);
        assert!(clean(b"Exif") && clean(b"ICC_PROFILE") && clean(b"iCCP") && clean(b"ICCP"));
    }
}

#[test]
fn a_lossless_jpeg_is_decoded_whole_and_then_reduced() {
    let drawn = crate::samples::picture(1601, 1203);
    let mut compressor = turbojpeg::Compressor::new().expect("a compressor");
    compressor.set_lossless(true).expect("a mode");
    let image = turbojpeg::Image {
        pixels: &drawn.as_raw()[..],
        width: 1601,
        pitch: 1601 * 3,
        height: 1203,
        format: turbojpeg::PixelFormat::RGB,
    };
    let data = compressor.compress_to_vec(image).expect("a lossless JPEG");
    let policy = lossless_policy("360p", AlphaPolicy::Keep);
    let made = normalize(&data, &policy, &Limits::default()).expect("normalizes");
    assert_eq!((made.renditions[0].width, made.renditions[0].height), (479, 360));
}
