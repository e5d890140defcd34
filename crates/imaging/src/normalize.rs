//! One original to every variant of a policy.

use types::{Affine, NormalizationPolicy, Orientation, SizeSpec};

use crate::colour::to_srgb;
use crate::decode::{Probe, decode, guarded};
use crate::encode::encode;
use crate::geometry::Placement;
use crate::raster::Raster;
use crate::resize::{Scaler, letterbox, settle_alpha};
use crate::{ImageError, Limits};

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

/// Bytes of memory that [`normalize`] takes at its peak, estimated: what decoding takes, then the largest variant as
/// pixels with what the resizer keeps beside it, and all variants encoded.
pub fn memory_needed(probe: &Probe, policy: &NormalizationPolicy) -> u64 {
    let pixels = |spec: SizeSpec| u64::from(spec.size().0) * u64::from(spec.size().1);
    let largest = policy.sizes().iter().map(pixels).max().unwrap_or(0);
    let encoded: u64 = policy.sizes().iter().map(pixels).sum();
    probe.decoded_bytes + largest * 8 + encoded
}

/// Decodes `data` once and makes every variant that `policy` asks for, each from the original.
///
/// # Errors
/// The data is not an image that is read, is damaged, or exceeds a limit; a codec failed.
pub fn normalize(
    data: &[u8],
    policy: &NormalizationPolicy,
    limits: &Limits,
) -> Result<Normalized, ImageError> {
    guarded(|| {
        let decoded = decode(data, limits)?;
        let picture = to_srgb(decoded.raster, decoded.icc.as_deref())?;
        let mut scaler = Scaler::default();
        let renditions = policy
            .sizes()
            .iter()
            .map(|spec| render(&picture, spec, policy, &mut scaler))
            .collect::<Result<_, _>>()?;
        let (width, height) = picture.size();
        Ok(Normalized { width, height, orientation: decoded.orientation, renditions })
    })
}

fn render(
    picture: &Raster,
    spec: SizeSpec,
    policy: &NormalizationPolicy,
    scaler: &mut Scaler,
) -> Result<Rendition, ImageError> {
    let placement = Placement::new(spec, picture.size());
    // Alpha is settled after scaling: blending first would tint the edges with the background twice.
    let scaled = scaler.scale(picture, &placement)?.into_owned();
    let settled = settle_alpha(scaled, policy.alpha())?;
    let canvas = letterbox(settled, &placement, policy.pad())?;
    let (width, height) = canvas.size();
    let bytes = encode(&canvas, policy.format())?;
    Ok(Rendition { spec, width, height, affine: placement.affine(), bytes })
}
