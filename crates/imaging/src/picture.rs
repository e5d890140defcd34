//! What variants are made of: pixels, or luminance and chrominance apart.

use types::NormalizationPolicy;

use crate::ImageError;
use crate::encode::Encoder;
use crate::geometry::Placement;
use crate::layer::View;
use crate::planar::PlaneScaler;
use crate::resize::Scaler;

/// A picture of an original, or of a part of it.
pub(crate) trait Picture: Sized {
    /// In pixels.
    fn size(&self) -> (u32, u32);

    /// The part that `placement` shows, at its size, of this picture that shows the original by `view`.
    fn scaled(&self, view: &View, placement: &Placement, tools: &mut Tools) -> Result<Self, ImageError>;

    /// The file of a variant whose shown part is this picture.
    fn encoded(
        &self,
        placement: &Placement,
        policy: &NormalizationPolicy,
        tools: &mut Tools,
    ) -> Result<Vec<u8>, ImageError>;

    /// Keeps the memory.
    fn recycle(self, memory: &mut Memory);
}

/// Codecs and resizers with what they keep from one picture to the next.
#[derive(Debug, Default)]
pub(crate) struct Tools {
    pub(crate) memory: Memory,
    pub(crate) scaler: Scaler,
    pub(crate) planes: PlaneScaler,
    pub(crate) encoder: Encoder,
}

/// Memory of earlier pictures, for new ones.
#[derive(Debug, Default)]
pub(crate) struct Memory(Vec<Vec<u8>>);

impl Memory {
    /// How much is kept between pictures.
    const MAX_SPARE: usize = 16 << 20;

    /// Room for samples, with whatever was there.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        self.0.pop().unwrap_or_default()
    }

    pub(crate) fn give(&mut self, samples: Vec<u8>) {
        self.0.push(samples);
    }

    /// Gives back what is too much. The largest is taken first from now on.
    pub(crate) fn settle(&mut self) {
        self.0.sort_by_key(Vec::capacity);
        while self.0.iter().map(Vec::capacity).sum::<usize>() > Self::MAX_SPARE {
            self.0.pop();
        }
    }
}
