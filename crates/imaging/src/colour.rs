//! From the file's own colours to sRGB.

use std::sync::Arc;

use moxcms::{
    BarycentricWeightScale, ColorProfile, DataColorSpace, InterpolationMethod, Layout, RenderingIntent,
    Transform8BitExecutor, TransformExecutor, TransformOptions,
};

use crate::ImageError;
use crate::raster::{Channels, Raster};

/// The picture in sRGB: gray, RGB or RGBA.
///
/// A profile that does not parse, does not fit the pixels or cannot be applied is as good as none: the pixels
/// are then taken as sRGB, which is what viewers do.
pub(crate) fn to_srgb(raster: Raster, profile: Option<&[u8]>) -> Result<Raster, ImageError> {
    if let Some(converted) = profile.and_then(|profile| apply(profile, &raster)) {
        return converted;
    }
    match raster.channels() {
        Channels::Cmyk => cmyk_without_profile(&raster),
        Channels::Gray | Channels::Rgb | Channels::Rgbx | Channels::Rgba => Ok(raster),
    }
}

/// Whether the colours of such pixels with such a profile are sRGB, or next to it.
pub(crate) fn is_srgb(profile: Option<&[u8]>, channels: Channels) -> bool {
    profile.is_none_or(|profile| conversion(profile, channels).is_none())
}

/// How pixels with a profile become sRGB, and what they are then; `None` where the profile is of no use.
fn conversion(profile: &[u8], channels: Channels) -> Option<(Arc<Transform8BitExecutor>, Channels)> {
    let profile = ColorProfile::new_from_slice(profile).ok()?;
    let (space, source, target, channels) = match channels {
        Channels::Gray => (DataColorSpace::Gray, Layout::Gray, Layout::Rgb, Channels::Rgb),
        Channels::Rgb => (DataColorSpace::Rgb, Layout::Rgb, Layout::Rgb, Channels::Rgb),
        Channels::Rgbx => (DataColorSpace::Rgb, Layout::Rgba, Layout::Rgba, Channels::Rgbx),
        Channels::Rgba => (DataColorSpace::Rgb, Layout::Rgba, Layout::Rgba, Channels::Rgba),
        Channels::Cmyk => (DataColorSpace::Cmyk, Layout::Rgba, Layout::Rgb, Channels::Rgb),
    };
    if profile.color_space != space {
        return None;
    }
    // Tables are read as Little CMS reads them, so that both agree.
    let options = TransformOptions {
        rendering_intent: RenderingIntent::Perceptual,
        interpolation_method: InterpolationMethod::Tetrahedral,
        barycentric_weight_scale: BarycentricWeightScale::High,
        ..TransformOptions::default()
    };
    let transform = profile.create_transform_8bit(source, &ColorProfile::new_srgb(), target, options).ok()?;
    let keeps_layout = source == target;
    if keeps_layout && is_nearly_identical(transform.as_ref(), channels) {
        return None;
    }
    Some((transform, channels))
}

/// `None` where the profile is of no use.
fn apply(profile: &[u8], raster: &Raster) -> Option<Result<Raster, ImageError>> {
    let (transform, channels) = conversion(profile, raster.channels())?;
    let pixels = raster.size().0 as usize * raster.size().1 as usize;
    let mut samples = vec![0; pixels * channels.count()];
    let source_row = raster.stride();
    let target_row = raster.size().0 as usize * channels.count();
    for (from, to) in raster.samples().chunks_exact(source_row).zip(samples.chunks_exact_mut(target_row)) {
        transform.transform(from, to).ok()?;
    }
    Some(Raster::new(raster.size(), channels, samples))
}

/// Whether a transform moves no colour of a lattice by more than one step: most profiles are sRGB by another name.
fn is_nearly_identical(transform: &(impl TransformExecutor<u8> + ?Sized), channels: Channels) -> bool {
    const STEPS: [u8; 9] = [0, 32, 64, 96, 128, 160, 192, 224, 255];
    let colours = STEPS
        .iter()
        .flat_map(|r| STEPS.iter().flat_map(move |g| STEPS.iter().map(move |b| [*r, *g, *b, 255])));
    let lattice: Vec<u8> = colours.flat_map(|colour| colour.into_iter().take(channels.count())).collect();
    let mut moved = vec![0; lattice.len()];
    transform.transform(&lattice, &mut moved).is_ok()
        && lattice.iter().zip(&moved).all(|(from, to)| from.abs_diff(*to) <= 1)
}

/// Pillow's formula (`Convert.c`, `cmyk2rgb`), so that both agree on files without a profile.
pub(crate) fn cmyk_without_profile(raster: &Raster) -> Result<Raster, ImageError> {
    let mut samples = Vec::with_capacity(raster.samples().len() / 4 * 3);
    for [c, m, y, k] in raster.samples().as_chunks::<4>().0 {
        let light = 255 - k;
        samples.extend([c, m, y].map(|ink| light - multiply(*ink, light)));
    }
    Raster::new(raster.size(), Channels::Rgb, samples)
}

/// `a·b/255`, rounded to nearest.
pub(crate) fn multiply(a: u8, b: u8) -> u8 {
    let product = u32::from(a) * u32::from(b) + 128;
    ((product + (product >> 8)) >> 8) as u8
}

/// Gray pixels as RGB.
pub(crate) fn gray_to_rgb(raster: &Raster) -> Result<Raster, ImageError> {
    let samples = raster.samples().iter().flat_map(|gray| [*gray; 3]).collect();
    Raster::new(raster.size(), Channels::Rgb, samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raster(channels: Channels, samples: &[u8]) -> Raster {
        Raster::new((1, 1), channels, samples.to_vec()).expect("one pixel")
    }

    #[test]
    fn ink_darkens_as_in_the_plain_formula() {
        // r = (255 - k) - c·(255 - k)/255, by hand.
        let cases = [
            ([0, 0, 0, 0], [255, 255, 255]),
            ([255, 0, 0, 0], [0, 255, 255]),
            ([51, 102, 0, 127], [102, 77, 128]),
        ];
        for (ink, rgb) in cases {
            let converted = to_srgb(raster(Channels::Cmyk, &ink), None).expect("converts");
            assert_eq!(converted.samples(), rgb, "{ink:?}");
        }
    }

    #[test]
    fn profiles_of_no_use_are_ignored() {
        let gray_profile = ColorProfile::new_gray_with_gamma(1.0).encode().expect("a profile");
        for profile in [&b""[..], b"rubbish", &gray_profile, &gray_profile[..gray_profile.len() / 2]] {
            let kept = to_srgb(raster(Channels::Rgb, &[9, 100, 200]), Some(profile)).expect("kept");
            assert_eq!(kept.samples(), [9, 100, 200]);
        }
    }

    #[test]
    fn multiplication_rounds_to_nearest() {
        for (a, b) in (0..=255u8).flat_map(|a| (0..=255u8).map(move |b| (a, b))) {
            let exact = (f64::from(a) * f64::from(b) / 255.0).round();
            assert_eq!(f64::from(multiply(a, b)), exact, "{a}·{b}");
        }
    }
}
