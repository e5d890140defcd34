//! Sizes: of a picture, its components, and their blocks, at a scale.

use crate::header::{Frame, Header};
use crate::transform::Steps;
use crate::{Irregular, Scale};

/// At which scales a picture is decoded.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scales {
    /// To pixels: chrominance such that least has to be made up.
    Pixels(Scale),
    /// Luminance and chrominance apart.
    Apart(Scale, Scale),
}

impl Scales {
    /// That of luminance.
    pub(crate) fn luma(self) -> Scale {
        match self {
            Self::Pixels(scale) | Self::Apart(scale, _) => scale,
        }
    }
}

/// One component at a scale.
#[derive(Debug, Clone)]
pub(crate) struct Component {
    /// Blocks in an MCU, across and down.
    pub(crate) sampling: (usize, usize),
    /// Blocks that hold something of the picture, across and down.
    pub(crate) blocks: (usize, usize),
    pub(crate) scale: Scale,
    /// Samples that belong to the picture, across and down.
    pub(crate) size: (usize, usize),
    /// Whether two pixels share a sample, across and down.
    pub(crate) shared: (bool, bool),
    pub(crate) steps: Steps,
}

/// A picture at a scale.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// Pixels.
    pub(crate) size: (usize, usize),
    /// MCUs of all components, across and down.
    pub(crate) mcus: (usize, usize),
    /// Rows of pixels that an MCU has.
    pub(crate) mcu_height: usize,
    pub(crate) components: Vec<Component>,
}

impl Layout {
    pub(crate) fn new(header: &Header, frame: &Frame, scales: Scales) -> Result<Self, Irregular> {
        let luma = scales.luma();
        let sampling = frame.components.iter().map(|component| component.sampling);
        let most = sampling.clone().fold((1, 1), |most, (h, v)| (most.0.max(h), most.1.max(v)));
        // Others are rare, or have samples between pixels.
        let known = |(h, v): (usize, usize)| matches!((h, v), (1 | 2, 1 | 2));
        if !sampling.clone().all(known) || frame.components.first().is_none_or(|first| first.sampling != most)
        {
            return Err(Irregular("a rare sampling"));
        }
        let pixels = luma.block();
        let size = ((frame.width * pixels).div_ceil(8), (frame.height * pixels).div_ceil(8));
        let mcus = (frame.width.div_ceil(8 * most.0), frame.height.div_ceil(8 * most.1));
        let component = |(index, component): (usize, &crate::header::Component)| {
            let (h, v) = component.sampling;
            let scale = match scales {
                Scales::Pixels(smallest) => scale((h, v), most, smallest),
                Scales::Apart(_, chroma) if index > 0 => chroma,
                Scales::Apart(luma, _) => luma,
            };
            let samples = scale.block();
            Ok(Component {
                sampling: (h, v),
                blocks: (
                    (frame.width * h).div_ceil(most.0).div_ceil(8),
                    (frame.height * v).div_ceil(most.1).div_ceil(8),
                ),
                scale,
                size: (
                    (frame.width * h * samples).div_ceil(8 * most.0),
                    (frame.height * v * samples).div_ceil(8 * most.1),
                ),
                shared: (h * samples < most.0 * pixels, v * samples < most.1 * pixels),
                steps: header.quantization_of(component)?,
            })
        };
        let components = frame.components.iter().enumerate().map(component).collect::<Result<_, _>>()?;
        Ok(Self { size, mcus, mcu_height: most.1 * pixels, components })
    }
}

/// Components with fewer samples are reduced less, where that gives them as many samples as there are pixels.
fn scale((h, v): (usize, usize), most: (usize, usize), smallest: Scale) -> Scale {
    let mut scale = smallest;
    while let Some(larger) = scale.doubled() {
        let fits = |most: usize, own: usize| (most * smallest.block()).is_multiple_of(own * larger.block());
        if !fits(most.0, h) || !fits(most.1, v) {
            break;
        }
        scale = larger;
    }
    scale
}
