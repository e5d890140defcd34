//! Scaling, flattening and letterboxing one picture for one variant.

use std::borrow::Cow;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use types::{AlphaPolicy, Rgb};

use crate::ImageError;
use crate::colour::{gray_to_rgb, multiply};
use crate::geometry::Placement;
use crate::raster::{Channels, Raster};

/// Makes variants of one picture after another, keeping scratch memory between them.
#[derive(Debug, Default)]
pub(crate) struct Scaler(Resizer);

impl Scaler {
    /// The part that `placement` shows, scaled with Lanczos3 (colours premultiplied by alpha meanwhile).
    ///
    /// Nothing is resampled, and nothing copied, where the size already is right.
    pub(crate) fn scale<'a>(
        &mut self,
        raster: &'a Raster,
        placement: &Placement,
    ) -> Result<Cow<'a, Raster>, ImageError> {
        let (width, height) = raster.size();
        let whole = [0.0, 0.0, f64::from(width), f64::from(height)];
        if placement.scaled == raster.size() && placement.source == whole {
            return Ok(Cow::Borrowed(raster));
        }
        let kind = match raster.channels() {
            Channels::Gray => PixelType::U8,
            Channels::Rgb => PixelType::U8x3,
            Channels::Rgba => PixelType::U8x4,
            Channels::Cmyk => return Err(ImageError::Codec("ink is not resized".to_owned())),
        };
        let source = ImageRef::new(width, height, raster.samples(), kind).map_err(failed)?;
        let mut target = Image::new(placement.scaled.0, placement.scaled.1, kind);
        let [left, top, shown_width, shown_height] = placement.source;
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3)).crop(
            left,
            top,
            shown_width,
            shown_height,
        );
        self.0.resize(&source, &mut target, &options).map_err(failed)?;
        Raster::new(placement.scaled, raster.channels(), target.into_vec()).map(Cow::Owned)
    }
}

fn failed(error: impl std::fmt::Display) -> ImageError {
    ImageError::Codec(format!("resize: {error}"))
}

/// RGB, or RGBA where alpha is there and kept.
pub(crate) fn settle_alpha(raster: Raster, policy: AlphaPolicy) -> Result<Raster, ImageError> {
    match (raster.channels(), policy) {
        (Channels::Rgba, AlphaPolicy::Flatten { background }) => {
            let mut samples = Vec::with_capacity(raster.samples().len() / 4 * 3);
            for [r, g, b, alpha] in raster.samples().as_chunks::<4>().0 {
                let blend = |over: u8, under: u8| {
                    multiply(over, *alpha).saturating_add(multiply(under, 255 - *alpha))
                };
                let [back_r, back_g, back_b] = background.0;
                samples.extend([blend(*r, back_r), blend(*g, back_g), blend(*b, back_b)]);
            }
            Raster::new(raster.size(), Channels::Rgb, samples)
        }
        (Channels::Rgba, AlphaPolicy::Keep) => Ok(raster),
        (Channels::Gray | Channels::Rgb | Channels::Cmyk, _) => gray_to_rgb(raster),
    }
}

/// The picture on its canvas, bars in `colour` (opaque) around it.
pub(crate) fn letterbox(raster: Raster, placement: &Placement, colour: Rgb) -> Result<Raster, ImageError> {
    if raster.size() == placement.canvas {
        return Ok(raster);
    }
    let [r, g, b] = colour.0;
    let pixel = [r, g, b, 255];
    let count = raster.channels().count();
    let canvas_row = placement.canvas.0 as usize * count;
    let mut samples = pixel[..count].repeat(placement.canvas.0 as usize * placement.canvas.1 as usize);
    let left = placement.offset.0 as usize * count;
    let stride = raster.stride();
    let rows = samples.chunks_exact_mut(canvas_row).skip(placement.offset.1 as usize);
    for (row, from) in rows.zip(raster.samples().chunks_exact(stride)) {
        row[left..left + stride].copy_from_slice(from);
    }
    Raster::new(placement.canvas, raster.channels(), samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transparent_colours_do_not_bleed_into_opaque_ones() {
        // Left half opaque red, right half fully transparent green: no green may show up anywhere.
        let row: Vec<u8> = [[255, 0, 0, 255]; 8].into_iter().chain([[0, 255, 0, 0]; 8]).flatten().collect();
        let raster = Raster::new((16, 16), Channels::Rgba, row.repeat(16)).expect("16x16");
        let placement = Placement::new("5x5:stretch".parse().expect("valid"), (16, 16));
        let scaled = Scaler::default().scale(&raster, &placement).expect("scales").into_owned();
        assert!(scaled.samples().chunks_exact(4).all(|pixel| pixel[3] == 0 || pixel[1] == 0));

        let white = AlphaPolicy::Flatten { background: Rgb::WHITE };
        let flat = settle_alpha(scaled, white).expect("flattens");
        // Red over white has full red wherever they mix.
        assert!(flat.samples().chunks_exact(3).all(|pixel| pixel[0] == 255));
    }

    #[test]
    fn half_transparent_pixels_blend_halfway() {
        let raster = Raster::new((1, 1), Channels::Rgba, vec![200, 100, 0, 128]).expect("one pixel");
        let black = AlphaPolicy::Flatten { background: Rgb::BLACK };
        // 200·128/255 = 100.4, 100·128/255 = 50.2
        assert_eq!(settle_alpha(raster, black).expect("flattens").samples(), [100, 50, 0]);
    }

    #[test]
    fn bars_surround_the_picture() {
        let raster = Raster::new((1, 2), Channels::Rgb, vec![9; 6]).expect("two pixels");
        let placement = Placement::new("3x2".parse().expect("valid"), (1, 2));
        let boxed = letterbox(raster, &placement, Rgb([1, 2, 3])).expect("boxes");
        assert_eq!(boxed.samples(), [1, 2, 3, 9, 9, 9, 1, 2, 3, 1, 2, 3, 9, 9, 9, 1, 2, 3]);
    }
}
