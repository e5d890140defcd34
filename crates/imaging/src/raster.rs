//! A decoded picture: 8-bit samples, rows top to bottom, no padding.

use crate::ImageError;

/// What the samples of one pixel are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channels {
    /// One sample of luminance.
    Gray,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue and a byte without meaning: four bytes a pixel are resized faster than three.
    Rgbx,
    /// Red, green, blue and straight (not premultiplied) alpha.
    Rgba,
    /// Cyan, magenta, yellow, black; 0 is no ink.
    Cmyk,
}

impl Channels {
    /// Samples, and so bytes, a pixel.
    pub(crate) const fn count(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Rgb => 3,
            Self::Rgbx | Self::Rgba | Self::Cmyk => 4,
        }
    }

    /// A stable name, part of the pixel hash.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Gray => "gray8",
            Self::Rgb => "rgb8",
            Self::Rgbx => "rgbx8",
            Self::Rgba => "rgba8",
            Self::Cmyk => "cmyk8",
        }
    }
}

/// A picture.
///
/// Invariant: `samples.len() == width * height * channels.count()`, and both sides are at least 1.
#[derive(Debug, Clone)]
pub(crate) struct Raster {
    width: u32,
    height: u32,
    channels: Channels,
    samples: Vec<u8>,
}

impl Raster {
    /// Wraps samples; [`ImageError::Codec`] when their number does not fit the size.
    pub(crate) fn new(
        (width, height): (u32, u32),
        channels: Channels,
        samples: Vec<u8>,
    ) -> Result<Self, ImageError> {
        let expected = byte_len((width, height), channels.count());
        if width == 0 || height == 0 || samples.len() as u64 != expected {
            let found = samples.len();
            return Err(ImageError::Codec(format!("{found} samples for {width}x{height} {channels:?}")));
        }
        Ok(Self { width, height, channels, samples })
    }

    pub(crate) fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    pub(crate) fn channels(&self) -> Channels {
        self.channels
    }

    pub(crate) fn samples(&self) -> &[u8] {
        &self.samples
    }

    /// The samples, for another picture to be made in their place.
    pub(crate) fn into_samples(self) -> Vec<u8> {
        self.samples
    }

    /// Bytes a row.
    pub(crate) fn stride(&self) -> usize {
        self.width as usize * self.channels.count()
    }

    /// The same picture with straight alpha, if its colours are multiplied by their alpha.
    pub(crate) fn unpremultiplied(mut self) -> Self {
        if self.channels == Channels::Rgba {
            for [r, g, b, alpha] in self.samples.as_chunks_mut::<4>().0 {
                for colour in [r, g, b].into_iter().filter(|_| !matches!(*alpha, 0 | 255)) {
                    let straight = (u32::from(*colour) * 255 + u32::from(*alpha) / 2) / u32::from(*alpha);
                    *colour = straight.min(255) as u8;
                }
            }
        }
        self
    }

    /// The same picture without its alpha channel if that says nothing.
    pub(crate) fn without_opaque_alpha(self) -> Self {
        let opaque = |samples: &[u8]| samples.iter().skip(3).step_by(4).all(|alpha| *alpha == 255);
        if self.channels != Channels::Rgba || !opaque(&self.samples) {
            return self;
        }
        let mut samples = self.samples;
        for pixel in 0..samples.len() / 4 {
            samples.copy_within(pixel * 4..pixel * 4 + 3, pixel * 3);
        }
        samples.truncate(samples.len() / 4 * 3);
        samples.shrink_to_fit();
        Self { channels: Channels::Rgb, samples, ..self }
    }
}

/// Bytes of a picture with `bytes_per_pixel`; cannot overflow for sides of 32 bits and small pixels.
pub(crate) fn byte_len((width, height): (u32, u32), bytes_per_pixel: usize) -> u64 {
    (u64::from(width) * u64::from(height)).saturating_mul(bytes_per_pixel as u64)
}

/// Halves 16-bit samples in native byte order to 8 bits, rounding to nearest.
pub(crate) fn narrow_16_bit(mut samples: Vec<u8>) -> Vec<u8> {
    let count = samples.len() / 2;
    for index in 0..count {
        let wide = u16::from_ne_bytes([samples[2 * index], samples[2 * index + 1]]);
        samples[index] = round_16_to_8(wide);
    }
    samples.truncate(count);
    samples.shrink_to_fit();
    samples
}

/// The nearest 8-bit value to a 16-bit one: `v/257`, rounded. (65535·255 + 32895, shifted, is 255.)
pub(crate) fn round_16_to_8(wide: u16) -> u8 {
    ((u32::from(wide) * 255 + 32_895) >> 16) as u8
}

/// Spreads gray-with-alpha samples to RGBA.
pub(crate) fn gray_alpha_to_rgba(samples: &[u8]) -> Vec<u8> {
    samples.chunks_exact(2).flat_map(|pixel| [pixel[0], pixel[0], pixel[0], pixel[1]]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_are_rounded_to_the_nearest_eight() {
        for wide in 0..=u16::MAX {
            let nearest = (f64::from(wide) / 257.0).round();
            assert_eq!(f64::from(round_16_to_8(wide)), nearest, "{wide}");
        }
    }

    #[test]
    fn alpha_that_says_nothing_is_dropped_and_other_alpha_kept() {
        let opaque = Raster::new((2, 1), Channels::Rgba, vec![1, 2, 3, 255, 4, 5, 6, 255]).expect("fits");
        let rgb = opaque.without_opaque_alpha();
        assert_eq!((rgb.channels(), rgb.samples()), (Channels::Rgb, &[1, 2, 3, 4, 5, 6][..]));

        let glassy = Raster::new((2, 1), Channels::Rgba, vec![1, 2, 3, 255, 4, 5, 6, 254]).expect("fits");
        assert_eq!(glassy.without_opaque_alpha().channels(), Channels::Rgba);
    }

    #[test]
    fn multiplied_colours_are_divided_by_their_alpha() {
        let samples = vec![100, 0, 128, 128, 7, 8, 9, 255, 90, 1, 2, 45];
        let straight = Raster::new((3, 1), Channels::Rgba, samples).expect("fits").unpremultiplied();
        // 100/128·255 = 199.2, 128/128·255 = 255; 90 is more than its alpha allows.
        assert_eq!(straight.samples(), [199, 0, 255, 128, 7, 8, 9, 255, 255, 6, 11, 45]);
    }

    #[test]
    fn samples_that_do_not_fit_the_size_are_refused() {
        assert!(Raster::new((2, 1), Channels::Rgb, vec![0; 5]).is_err());
        assert!(Raster::new((0, 1), Channels::Rgb, vec![]).is_err());
    }
}
