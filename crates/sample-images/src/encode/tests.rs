use image::metadata::Orientation;
use image::{DynamicImage, ImageReader};

use super::*;
use crate::scene::coast::lighthouse;

const SHOT: Shot = Shot { draw: lighthouse, light: &NOON, size: (320, 240), seed: 1, sign: Some("EXIF 1") };

/// The mean difference of two pictures' samples, in 8-bit codes.
fn difference(one: &DynamicImage, other: &DynamicImage) -> f64 {
    assert_eq!((one.width(), one.height()), (other.width(), other.height()));
    let (one, other) = (one.to_rgb8(), other.to_rgb8());
    let sum: u64 = one.iter().zip(other.iter()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / one.len() as f64
}

fn decoded(file: Vec<u8>) -> DynamicImage {
    let reader = ImageReader::new(Cursor::new(file)).with_guessed_format().expect("reading from memory");
    reader.decode().expect("a whole picture")
}

#[test]
fn a_viewer_that_obeys_the_orientation_shows_the_scene_upright() -> anyhow::Result<()> {
    let upright = DynamicImage::from(plain(&SHOT.take()).map_err(anyhow::Error::msg)?);
    for orientation in 1..=8 {
        let exif =
            Exif { orientation, taken: "2024:06:01 09:30:00", big_endian: orientation % 2 == 0, place: None };
        let file = encode(&SHOT, Format::TurnedJpeg(exif)).map_err(anyhow::Error::from_boxed)?;
        let mut shown = decoded(file);
        assert_eq!(shown.width() < shown.height(), orientation >= 5, "{orientation}");
        shown.apply_orientation(Orientation::from_exif(orientation as u8).expect("1 to 8"));
        // Compression and grain make about 3; any wrong turn of this scene makes over 20.
        assert!(difference(&shown, &upright) < 5.0, "{orientation}");
    }
    Ok(())
}

#[test]
fn every_format_shows_the_same_scene() -> anyhow::Result<()> {
    let upright = DynamicImage::from(plain(&SHOT.take()).map_err(anyhow::Error::msg)?);
    for (format, bound) in [
        (Format::Jpeg(86), 5.0),
        (Format::ProgressiveJpeg, 5.0),
        (Format::CmykJpeg, 5.0),
        (Format::Png16, 0.5),
        (Format::WebP, 0.0),
        (Format::Bmp, 0.0),
        (Format::Tiff, 0.0),
        // Dithered to steps of 51 codes: a quarter of a step on average, half of it at worst.
        (Format::PalettePng, 26.0),
    ] {
        let file = encode(&SHOT, format).map_err(anyhow::Error::from_boxed)?;
        let found = difference(&decoded(file), &upright);
        assert!(found <= bound, "{format:?}: {found}");
    }
    Ok(())
}

#[test]
fn the_badge_fades_to_nothing_at_its_rim() -> anyhow::Result<()> {
    let file = encode(&SHOT, Format::AlphaPng).map_err(anyhow::Error::from_boxed)?;
    let badge = decoded(file).into_rgba8();
    assert_eq!(badge.get_pixel(160, 120)[3], 255);
    assert_eq!(badge.get_pixel(0, 0)[3], 0);
    let soft = badge.pixels().filter(|pixel| (1..255).contains(&pixel[3])).count();
    assert!(soft > 1000, "{soft} half-transparent pixels");
    Ok(())
}
