//! Scaling of planes, chrominance to where JPEGs with half as many of its samples have it.

use std::collections::VecDeque;
use std::sync::Arc;

use ::jpeg::PlaneBuf;

use super::Chroma;
use crate::geometry::Placement;
use crate::layer::View;
use crate::picture::Tools;
use crate::resample::{Axis, Resampler, Weights};

/// Scales planes with what it keeps from one to the next.
#[derive(Debug, Default)]
pub(crate) struct PlaneScaler {
    resampler: Resampler,
    /// The last weights: most pictures of a camera have one size.
    weights: VecDeque<Arc<Weights>>,
}

impl PlaneScaler {
    /// Twelve axes have three variants of one size of originals.
    const MAX_WEIGHTS: usize = 48;

    fn weights(&mut self, axis: Axis) -> Arc<Weights> {
        let known = self.weights.iter().position(|weights| weights.axis() == axis);
        let weights = known.and_then(|index| self.weights.remove(index));
        let weights = weights.unwrap_or_else(|| Arc::new(Weights::new(axis)));
        self.weights.push_front(Arc::clone(&weights));
        self.weights.truncate(Self::MAX_WEIGHTS);
        weights
    }
}

/// The samples that lie on what a placement shows.
pub(super) struct Grid {
    /// The first one of those on the canvas.
    pub(super) first: (u32, u32),
    pub(super) size: (u32, u32),
    /// How many pixels before the shown part it begins: 0 or 1.
    before: (u32, u32),
    /// How many pixels of the canvas share one, across and down.
    shared: u32,
}

impl Grid {
    /// A sample for each pixel.
    fn of_luma(placement: &Placement) -> Self {
        Self { first: placement.offset, size: placement.scaled, before: (0, 0), shared: 1 }
    }

    /// A sample for two pixels across and down.
    pub(super) fn of_chroma(placement: &Placement) -> Self {
        let ((x, y), (width, height)) = (placement.offset, placement.scaled);
        let first = (x / 2, y / 2);
        let size = ((x + width).div_ceil(2) - first.0, (y + height).div_ceil(2) - first.1);
        Self { first, size, before: (x % 2, y % 2), shared: 2 }
    }

    fn chroma_view(&self, placement: &Placement) -> View {
        View::of(placement).halved(self.before)
    }

    /// Makes these samples of a plane that shows the original by `view`.
    fn scaled(&self, plane: &PlaneBuf, view: &View, placement: &Placement, tools: &mut Tools) -> PlaneBuf {
        let [left, top, width, height] = view.window(placement.source);
        let axis = |length: usize, count: u32, start: f64, shown: f64, scaled: u32, before: u32| {
            let pixel = shown / f64::from(scaled);
            let start = start - f64::from(before) * pixel;
            Axis { length, count: count as usize, start, step: f64::from(self.shared) * pixel }
        };
        let across = axis(plane.width, self.size.0, left, width, placement.scaled.0, self.before.0);
        let down = axis(plane.height, self.size.1, top, height, placement.scaled.1, self.before.1);
        let (across, down) = (tools.planes.weights(across), tools.planes.weights(down));
        tools.planes.resampler.resample(plane, &across, &down, tools.memory.take())
    }
}

/// Luminance of the part that `placement` shows, of a plane that shows the original by `view`.
pub(super) fn luma(plane: &PlaneBuf, view: &View, placement: &Placement, tools: &mut Tools) -> PlaneBuf {
    Grid::of_luma(placement).scaled(plane, view, placement, tools)
}

impl Chroma {
    /// Whether these are the samples that a variant has.
    pub(super) fn fits(&self, placement: &Placement) -> bool {
        let (grid, [plane, _]) = (Grid::of_chroma(placement), &self.planes);
        (plane.width, plane.height) == (grid.size.0 as usize, grid.size.1 as usize)
            && self.view == grid.chroma_view(placement)
    }

    /// The samples that a variant has.
    pub(super) fn scaled(&self, placement: &Placement, tools: &mut Tools) -> Self {
        let grid = Grid::of_chroma(placement);
        let planes = self.planes.each_ref().map(|plane| grid.scaled(plane, &self.view, placement, tools));
        Self { planes, view: grid.chroma_view(placement) }
    }
}
