//! Luminance and chrominance apart: JPEGs to JPEGs without the way over red, green and blue.

mod canvas;
mod scale;

use ::jpeg::{PlaneBuf, decode_planes};
use types::{NormalizationPolicy, OutputFormat};

pub(crate) use self::scale::PlaneScaler;
use crate::ImageError;
use crate::colour::is_srgb;
use crate::decode::{Codec, Original};
use crate::geometry::Placement;
use crate::layer::{Layer, View};
use crate::orient;
use crate::picture::{Memory, Picture, Tools};
use crate::raster::Channels;
use crate::reduction::Reduction;

/// A picture as JPEGs have it.
#[derive(Debug)]
pub(crate) struct Planar {
    luma: PlaneBuf,
    /// `None` where everything is gray.
    chroma: Option<Chroma>,
}

/// Blue and red chrominance.
#[derive(Debug)]
pub(crate) struct Chroma {
    planes: [PlaneBuf; 2],
    /// Where they show the original.
    view: View,
}

/// Why an original is not decoded to planes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPlanes {
    /// Something else than its planes is wanted, or it has none that are known.
    Unsuitable,
    /// The file is not regular; it may be damaged.
    Irregular,
}

/// Decodes `original` if it is a JPEG of which JPEGs are wanted, in the same colours.
pub(crate) fn decode(
    original: &Original<'_>,
    placements: &[Placement],
    format: OutputFormat,
) -> Result<Layer<Planar>, NoPlanes> {
    let (OutputFormat::Jpeg { .. }, Codec::Jpeg(markers)) = (format, &original.opened.codec) else {
        return Err(NoPlanes::Unsuitable);
    };
    let (shared, channels) = match markers.frame.components.as_slice() {
        [_] => ((1, 1), Channels::Gray),
        [(h @ (1 | 2), v @ (1 | 2)), (1, 1), (1, 1)] => ((u32::from(*h), u32::from(*v)), Channels::Rgbx),
        _ => return Err(NoPlanes::Unsuitable),
    };
    if !original.opened.is_reducible() || !is_srgb(original.opened.icc.as_deref(), channels) {
        return Err(NoPlanes::Unsuitable);
    }
    let (stored, orientation) = (original.opened.size, original.exif.orientation);
    let luma = Reduction::covering(placements);
    let chroma = Reduction::covering_shared(placements, orientation.oriented_size(shared), 2);
    let planes = decode_planes(original.data, luma.into(), chroma.into());
    let planes = planes.map_err(|_| NoPlanes::Irregular)?.into_iter();
    let mut planes = planes.map(|plane| orient::upright_plane(plane, orientation));
    let (first, colours) = (planes.next().ok_or(NoPlanes::Irregular)?, planes.next().zip(planes.next()));
    let divisor = (shared.0 * chroma.divisor(), shared.1 * chroma.divisor());
    let chroma = colours
        .map(|(blue, red)| Chroma { planes: [blue, red], view: View::decoded(divisor, stored, orientation) });
    let view = View::decoded((luma.divisor(), luma.divisor()), stored, orientation);
    Ok(Layer { picture: Planar { luma: first, chroma }, view })
}

impl Picture for Planar {
    fn size(&self) -> (u32, u32) {
        (self.luma.width as u32, self.luma.height as u32)
    }

    fn scaled(&self, view: &View, placement: &Placement, tools: &mut Tools) -> Result<Self, ImageError> {
        let luma = scale::luma(&self.luma, view, placement, tools);
        let chroma = self.chroma.as_ref().map(|chroma| chroma.scaled(placement, tools));
        Ok(Self { luma, chroma })
    }

    fn encoded(
        &self,
        placement: &Placement,
        policy: &NormalizationPolicy,
        tools: &mut Tools,
    ) -> Result<Vec<u8>, ImageError> {
        let own;
        let chroma = match &self.chroma {
            Some(chroma) if chroma.fits(placement) => Some(&chroma.planes),
            Some(chroma) => {
                own = chroma.scaled(placement, tools).planes;
                Some(&own)
            }
            None => None,
        };
        canvas::encoded(&self.luma, chroma, placement, policy, tools)
    }

    fn recycle(self, memory: &mut Memory) {
        memory.give(self.luma.samples);
        self.chroma.into_iter().flat_map(|chroma| chroma.planes).for_each(|plane| memory.give(plane.samples));
    }
}
