//! One original to every variant of a policy.

use types::{Affine, NormalizationPolicy, Orientation, SizeSpec};

use crate::colour::to_srgb;
use crate::decode::{Original, Probe, guarded};
use crate::geometry::Placement;
use crate::jpeg::Detail;
use crate::layer::{Layer, View};
use crate::picture::{Picture, Tools};
use crate::planar::NoPlanes;
use crate::raster::{Raster, byte_len};
use crate::reduction::Reduction;
use crate::{ImageError, Limits, planar};

/// One encoded variant.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendition {
    /// The size spec that asked for it.
    pub spec: SizeSpec,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The map from the upright original's pixels to this variant's.
    pub affine: Affine,
    /// The encoded file.
    pub bytes: Vec<u8>,
}

/// An original's variants.
#[derive(Debug, Clone, PartialEq)]
pub struct Normalized {
    /// Width of the upright original, in pixels.
    pub width: u32,
    /// Height of the upright original, in pixels.
    pub height: u32,
    /// How the stored pixels were turned.
    pub orientation: Orientation,
    /// One per size of the policy, in the policy's order.
    pub renditions: Vec<Rendition>,
}

/// Bytes of memory that [`normalize`] takes at its peak, estimated: what decoding takes, then every variant as pixels
/// with what the resizer keeps beside the largest, and all variants encoded.
pub fn memory_needed(probe: &Probe, policy: &NormalizationPolicy) -> u64 {
    let pixels = |spec: SizeSpec| u64::from(spec.size().0) * u64::from(spec.size().1);
    let largest = policy.sizes().iter().map(pixels).max().unwrap_or(0);
    let all: u64 = policy.sizes().iter().map(pixels).sum();
    decoding(probe, policy).saturating_add(largest * 4 + all * 5)
}

/// JPEGs are decoded no larger than the variants need.
fn decoding(probe: &Probe, policy: &NormalizationPolicy) -> u64 {
    if !probe.reducible {
        return probe.decoded_bytes;
    }
    // Whether the picture lies on its side is not known yet.
    let reduction = |size| Reduction::covering(&Placement::all(policy.sizes(), size));
    let (upright, turned) = (reduction((probe.width, probe.height)), reduction((probe.height, probe.width)));
    let reduction = if upright.divisor() < turned.divisor() { upright } else { turned };
    // The picture decoded, turned and converted: at most two of these at a time, of four bytes a pixel.
    let picture = byte_len(reduction.size((probe.width, probe.height)), 4);
    probe.buffer_bytes.saturating_add(picture.saturating_mul(2))
}

/// Makes the variants of one original after another, keeping codecs and memory between them. One for each thread.
#[derive(Debug, Default)]
pub struct Normalizer {
    tools: Tools,
}

impl Normalizer {
    /// Decodes the original once and makes every variant that `policy` asks for: from the smallest picture that covers
    /// it, be it the decoded one or a larger variant.
    ///
    /// # Errors
    /// The data is damaged; a codec failed.
    pub fn normalize(
        &mut self,
        original: &Original<'_>,
        policy: &NormalizationPolicy,
    ) -> Result<Normalized, ImageError> {
        let made = guarded(|| self.render(original, policy));
        if made.is_err() {
            // Codecs that failed or panicked may be in any state.
            *self = Self::default();
        }
        made
    }

    fn render(
        &mut self,
        original: &Original<'_>,
        policy: &NormalizationPolicy,
    ) -> Result<Normalized, ImageError> {
        let placements = Placement::all(policy.sizes(), original.size);
        let renditions = match planar::decode(original, &placements, policy.format()) {
            Ok(layer) => self.variants(layer, &placements, policy)?,
            Err(reason) => {
                let is_reducible = original.opened.is_reducible();
                let reduction = if is_reducible { Reduction::covering(&placements) } else { Reduction::NONE };
                let detail = match reason {
                    NoPlanes::Unsuitable => Detail::Reduced(reduction),
                    NoPlanes::Irregular => Detail::Irregular(reduction),
                };
                self.variants(pixels(original, detail)?, &placements, policy)?
            }
        };
        let (width, height) = original.size;
        Ok(Normalized { width, height, orientation: original.exif.orientation, renditions })
    }

    fn variants<P: Picture>(
        &mut self,
        original: Layer<P>,
        placements: &[Placement],
        policy: &NormalizationPolicy,
    ) -> Result<Vec<Rendition>, ImageError> {
        let mut order: Vec<_> = placements.iter().zip(policy.sizes().iter()).enumerate().collect();
        // Largest first, so that the smaller ones have something to be made from.
        order.sort_by_key(|(_, (placement, _))| std::cmp::Reverse(byte_len(placement.scaled, 1)));
        let mut layers = vec![original];
        let mut renditions: Vec<(usize, &Placement, Rendition)> = Vec::with_capacity(order.len());
        for (index, (placement, spec)) in order {
            // Small originals are the same in every size that they fit into.
            let twin = renditions.iter().find(|(_, made, _)| *made == placement);
            let rendition = match twin {
                Some((_, _, twin)) => Rendition { spec, ..twin.clone() },
                None => {
                    let shown = Layer::scaled(&mut layers, placement, &mut self.tools)?;
                    let bytes = shown.encoded(placement, policy, &mut self.tools)?;
                    let (width, height) = placement.canvas;
                    Rendition { spec, width, height, affine: placement.affine(), bytes }
                }
            };
            renditions.push((index, placement, rendition));
        }
        layers.into_iter().for_each(|layer| layer.picture.recycle(&mut self.tools.memory));
        self.tools.memory.settle();
        renditions.sort_by_key(|(index, ..)| *index);
        Ok(renditions.into_iter().map(|(.., rendition)| rendition).collect())
    }
}

/// The original as pixels in sRGB.
fn pixels(original: &Original<'_>, detail: Detail) -> Result<Layer<Raster>, ImageError> {
    let picture = to_srgb(original.raster(detail)?, original.opened.icc.as_deref())?;
    let divisor = detail.reduction().divisor();
    let view = View::decoded((divisor, divisor), original.opened.size, original.exif.orientation);
    Ok(Layer { picture, view })
}

/// As [`Normalizer::normalize`], for one original alone.
///
/// # Errors
/// As there, and those of [`Original::open`].
pub fn normalize(
    data: &[u8],
    policy: &NormalizationPolicy,
    limits: &Limits,
) -> Result<Normalized, ImageError> {
    Normalizer::default().normalize(&Original::open(data, limits)?, policy)
}
