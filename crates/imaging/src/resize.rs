//! Scaling, flattening and letterboxing one picture for one variant.

use std::borrow::Cow;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use types::{AlphaPolicy, NormalizationPolicy, Rgb};

use crate::ImageError;
use crate::colour::{gray_to_rgb, multiply};
use crate::geometry::Placement;
use crate::layer::{View, within};
use crate::picture::{Memory, Picture, Tools};
use crate::raster::{Channels, Raster, byte_len};

/// Scales pixels of any kind, keeping scratch memory.
#[derive(Debug, Default)]
pub(crate) struct Scaler(Resizer);

impl Scaler {
    /// The part of `raster` in `window` (left, top, width, height, in its pixels) at `size`, with Lanczos3, in the
    /// memory of `room`; colours are premultiplied by alpha meanwhile.
    pub(crate) fn scale(
        &mut self,
        raster: &Raster,
        [left, top, shown_width, shown_height]: [f64; 4],
        size: (u32, u32),
        room: Vec<u8>,
    ) -> Result<Raster, ImageError> {
        let (kind, premultiply) = match raster.channels() {
            Channels::Gray => (PixelType::U8, false),
            Channels::Rgb => (PixelType::U8x3, false),
            Channels::Rgbx => (PixelType::U8x4, false),
            Channels::Rgba => (PixelType::U8x4, true),
            Channels::Cmyk => return Err(ImageError::Codec("ink is not resized".to_owned())),
        };
        let (width, height) = raster.size();
        let source = ImageRef::new(width, height, raster.samples(), kind).map_err(failed)?;
        let mut samples = room;
        samples.resize(byte_len(size, raster.channels().count()) as usize, 0);
        let mut target = Image::from_slice_u8(size.0, size.1, &mut samples, kind).map_err(failed)?;
        let options = ResizeOptions::new()
            .use_alpha(premultiply)
            .resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
            .crop(left, top, shown_width, shown_height);
        self.0.resize(&source, &mut target, &options).map_err(failed)?;
        Raster::new(size, raster.channels(), samples)
    }
}

impl Picture for Raster {
    fn size(&self) -> (u32, u32) {
        self.size()
    }

    fn scaled(&self, view: &View, placement: &Placement, tools: &mut Tools) -> Result<Self, ImageError> {
        let window = within(view.window(placement.source), self.size());
        tools.scaler.scale(self, window, placement.scaled, tools.memory.take())
    }

    fn encoded(
        &self,
        placement: &Placement,
        policy: &NormalizationPolicy,
        tools: &mut Tools,
    ) -> Result<Vec<u8>, ImageError> {
        // Alpha is settled after scaling: blending first would tint the edges with the background twice.
        let settled = settle_alpha(self, policy.alpha())?;
        let canvas = letterbox(settled, placement, policy.pad())?;
        tools.encoder.encode(&canvas, policy.format())
    }

    fn recycle(self, memory: &mut Memory) {
        memory.give(self.into_samples());
    }
}

fn failed(error: impl std::fmt::Display) -> ImageError {
    ImageError::Codec(format!("resize: {error}"))
}

/// RGB, or RGBA where alpha is there and kept.
pub(crate) fn settle_alpha(raster: &Raster, policy: AlphaPolicy) -> Result<Cow<'_, Raster>, ImageError> {
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
            Raster::new(raster.size(), Channels::Rgb, samples).map(Cow::Owned)
        }
        (Channels::Gray, _) => gray_to_rgb(raster).map(Cow::Owned),
        (Channels::Rgba, AlphaPolicy::Keep) | (Channels::Rgb | Channels::Rgbx | Channels::Cmyk, _) => {
            Ok(Cow::Borrowed(raster))
        }
    }
}

/// The picture on its canvas, bars in `colour` (opaque) around it.
pub(crate) fn letterbox<'a>(
    raster: Cow<'a, Raster>,
    placement: &Placement,
    colour: Rgb,
) -> Result<Cow<'a, Raster>, ImageError> {
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
    Raster::new(placement.canvas, raster.channels(), samples).map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transparent_colours_do_not_bleed_into_opaque_ones() {
        // Left half opaque red, right half fully transparent green: no green may show up anywhere.
        let row: Vec<u8> = [[255, 0, 0, 255]; 8].into_iter().chain([[0, 255, 0, 0]; 8]).flatten().collect();
        let raster = Raster::new((16, 16), Channels::Rgba, row.repeat(16)).expect("16x16");
        let window = [0.0, 0.0, 16.0, 16.0];
        let scaled = Scaler::default().scale(&raster, window, (5, 5), Vec::new()).expect("scales");
        assert!(scaled.samples().chunks_exact(4).all(|pixel| pixel[3] == 0 || pixel[1] == 0));

        let white = AlphaPolicy::Flatten { background: Rgb::WHITE };
        let flat = settle_alpha(&scaled, white).expect("flattens");
        // Red over white has full red wherever they mix.
        assert!(flat.samples().chunks_exact(3).all(|pixel| pixel[0] == 255));
    }

    #[test]
    fn half_transparent_pixels_blend_halfway() {
        let raster = Raster::new((1, 1), Channels::Rgba, vec![200, 100, 0, 128]).expect("one pixel");
        let black = AlphaPolicy::Flatten { background: Rgb::BLACK };
        // 200·128/255 = 100.4, 100·128/255 = 50.2
        assert_eq!(settle_alpha(&raster, black).expect("flattens").samples(), [100, 50, 0]);
    }

    #[test]
    fn bars_surround_the_picture() {
        let raster = Raster::new((1, 2), Channels::Rgb, vec![9; 6]).expect("two pixels");
        let placement = Placement::new("3x2".parse().expect("valid"), (1, 2));
        let boxed = letterbox(Cow::Borrowed(&raster), &placement, Rgb([1, 2, 3])).expect("boxes");
        assert_eq!(boxed.samples(), [1, 2, 3, 9, 9, 9, 1, 2, 3, 1, 2, 3, 9, 9, 9, 1, 2, 3]);
    }
}
