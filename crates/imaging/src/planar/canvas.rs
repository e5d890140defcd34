//! Planes on their canvas, to a file.

use ::jpeg::PlaneBuf;
use types::{NormalizationPolicy, OutputFormat, Rgb};

use super::scale::Grid;
use crate::ImageError;
use crate::geometry::Placement;
use crate::picture::Tools;

/// Chrominance without colour.
const NEUTRAL: u8 = 128;

/// The JPEG of a variant.
pub(super) fn encoded(
    luma: &PlaneBuf,
    chroma: Option<&[PlaneBuf; 2]>,
    placement: &Placement,
    policy: &NormalizationPolicy,
    tools: &mut Tools,
) -> Result<Vec<u8>, ImageError> {
    let OutputFormat::Jpeg { quality } = policy.format() else {
        return Err(ImageError::Codec(format!("{:?} of planes", policy.format())));
    };
    let grid = Grid::of_chroma(placement);
    let neutral;
    let [blue, red] = match chroma {
        Some(planes) => planes.each_ref(),
        None => {
            neutral = filled(grid.size, NEUTRAL);
            [&neutral, &neutral]
        }
    };
    if placement.scaled == placement.canvas {
        return tools.encoder.planes([luma, blue, red], quality);
    }
    let [bar, blue_bar, red_bar] = ycc(policy.pad());
    let luma = on_canvas(luma, placement.offset, placement.canvas, bar);
    let blue = chroma_on_canvas(blue, &grid, placement, blue_bar);
    let red = chroma_on_canvas(red, &grid, placement, red_bar);
    tools.encoder.planes([&luma, &blue, &red], quality)
}

/// A plane with bars around it.
fn on_canvas(plane: &PlaneBuf, (left, top): (u32, u32), canvas: (u32, u32), bar: u8) -> PlaneBuf {
    let mut boxed = filled(canvas, bar);
    let rows = boxed.samples.chunks_exact_mut(boxed.stride).skip(top as usize);
    for (row, from) in rows.zip(plane.samples.chunks_exact(plane.stride)) {
        row[left as usize..][..plane.width].copy_from_slice(&from[..plane.width]);
    }
    boxed
}

/// The same of chrominance, where samples that lie half on the picture and half on a bar have something of both.
fn chroma_on_canvas(plane: &PlaneBuf, grid: &Grid, placement: &Placement, bar: u8) -> PlaneBuf {
    let canvas = placement.canvas;
    let mut boxed = on_canvas(plane, grid.first, (canvas.0.div_ceil(2), canvas.1.div_ceil(2)), bar);
    let stride = boxed.stride;
    // The samples over the edges of a picture that reaches from `start` to `end`, on a side that is `whole`.
    let edges = |start: u32, end: u32, whole: u32| {
        let is_shared = move |edge: &u32| edge % 2 == 1 && *edge < whole;
        [start, end].into_iter().filter(is_shared).map(|edge| (edge / 2) as usize)
    };
    let ((x, y), (width, height)) = (placement.offset, placement.scaled);
    let blend = |sample: &mut u8| *sample = u8::midpoint(*sample, bar);
    for column in edges(x, x + width, canvas.0) {
        boxed.samples.iter_mut().skip(column).step_by(stride).for_each(blend);
    }
    for row in edges(y, y + height, canvas.1) {
        boxed.samples[row * stride..][..stride].iter_mut().for_each(blend);
    }
    boxed
}

fn filled((width, height): (u32, u32), value: u8) -> PlaneBuf {
    let (width, height) = (width as usize, height as usize);
    let stride = PlaneBuf::stride_of(width);
    PlaneBuf { width, height, stride, samples: vec![value; stride * height] }
}

/// Luminance, blue and red chrominance of a colour, by the equations of JFIF 1.02.
fn ycc(colour: Rgb) -> [u8; 3] {
    let [r, g, b] = colour.0.map(f64::from);
    let luma = 0.299 * r + 0.587 * g + 0.114 * b;
    let blue = -0.168_735_892 * r - 0.331_264_108 * g + 0.5 * b;
    let red = 0.5 * r - 0.418_687_589 * g - 0.081_312_411 * b;
    let neutral = f64::from(NEUTRAL);
    [luma, blue + neutral, red + neutral].map(|value| value.round().clamp(0.0, 255.0) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_have_the_colour_that_was_asked_for() {
        // By hand: (10, 200, 30) has 2.99 + 117.4 + 3.42 = 123.81, 128 - 1.69 - 66.25 + 15 = 75.06 and
        // 128 + 5 - 83.74 - 2.44 = 46.82.
        for (colour, expected) in [
            ([0, 0, 0], [0, 128, 128]),
            ([255, 255, 255], [255, 128, 128]),
            ([255, 0, 0], [76, 85, 255]),
            ([114, 114, 114], [114, 128, 128]),
            ([10, 200, 30], [124, 75, 47]),
        ] {
            assert_eq!(ycc(Rgb(colour)), expected, "{colour:?}");
        }
    }
}
