//! The samples of one component, as many rows of them as are needed at a time.

use crate::blocks::Block;
use crate::transform::{Steps, Transform};
use crate::{PlaneBuf, Scale};

/// Rows of samples, the newest replacing the oldest.
#[derive(Debug)]
pub(crate) struct Rows {
    stride: usize,
    /// Which bits of a row's number tell its place: all, or those of the number of rows kept.
    mask: usize,
    samples: Vec<u8>,
}

impl Rows {
    /// For rows of `blocks` blocks, of which at least `rows` rows of samples are kept.
    pub(crate) fn new(blocks: usize, rows: usize) -> Self {
        // Blocks are transformed in pairs; the last one may have no partner.
        let stride = blocks.next_multiple_of(2) * 8;
        let capacity = rows.next_power_of_two();
        Self { stride, mask: capacity - 1, samples: vec![0; stride * capacity] }
    }

    /// For all rows of a component: `blocks` across, each of `block` samples across, and `rows` of samples.
    pub(crate) fn whole(blocks: usize, block: usize, rows: usize) -> Self {
        let stride = PlaneBuf::stride_of(blocks.next_multiple_of(2) * block);
        Self { stride, mask: usize::MAX, samples: vec![0; stride * rows] }
    }

    /// The rows, of which `width` by `height` samples belong to the picture.
    pub(crate) fn into_buf(self, (width, height): (usize, usize)) -> PlaneBuf {
        let Self { stride, mut samples, .. } = self;
        samples.truncate(stride * height);
        PlaneBuf { width, height, stride, samples }
    }

    #[inline(always)]
    fn start(&self, row: usize) -> usize {
        (row & self.mask) * self.stride
    }

    /// A row, with a few samples more than there are.
    #[inline(always)]
    pub(crate) fn row(&self, row: usize) -> &[u8] {
        &self.samples[self.start(row)..][..self.stride]
    }

    /// Transforms blocks beside each other: their first row of samples is `row`, their first block the `left`th.
    #[inline(always)]
    pub(crate) fn put<T: Transform>(
        &mut self,
        transform: T,
        (row, left): (usize, usize),
        blocks: &[Block],
        steps: &Steps,
        scale: Scale,
    ) {
        let mut starts = [0; 8];
        for (down, start) in starts.iter_mut().enumerate() {
            *start = self.start(row + down) + left * scale.block();
        }
        match scale {
            Scale::Whole => {
                for (block, left) in blocks.iter().zip((0..).step_by(8)) {
                    self.copy(&starts, left, &transform.whole(block, steps));
                }
            }
            Scale::Half => {
                for (pair, left) in blocks.chunks(2).zip((0..).step_by(8)) {
                    let pair = [&pair[0], &pair[pair.len() - 1]];
                    self.copy(&starts, left, &transform.half(pair, steps));
                }
            }
            Scale::Quarter => {
                for (block, left) in blocks.iter().zip((0..).step_by(2)) {
                    self.copy(&starts, left, &transform.quarter(block, steps));
                }
            }
            Scale::Eighth => {
                let samples = &mut self.samples[starts[0]..][..blocks.len()];
                for (sample, block) in samples.iter_mut().zip(blocks) {
                    *sample = transform.eighth(block, steps);
                }
            }
        }
    }

    #[inline(always)]
    fn copy<const ACROSS: usize, const DOWN: usize>(
        &mut self,
        starts: &[usize; 8],
        left: usize,
        samples: &[[u8; ACROSS]; DOWN],
    ) {
        for (start, samples) in starts.iter().zip(samples) {
            if let Some(place) = self.samples.get_mut(start + left..).and_then(|rest| rest.first_chunk_mut())
            {
                *place = *samples;
            }
        }
    }
}
