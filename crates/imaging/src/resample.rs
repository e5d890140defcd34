//! Lanczos3 on single planes of samples, in fixed point: faster on them than resizers of interleaved pixels, and to places
//! between samples, as chrominance needs.
//!
//! Rows first, since that takes no transposing; then, on strips of rows that stay in the cache, columns.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;
#[cfg(test)]
mod tests;
mod weights;

use ::jpeg::PlaneBuf;
use pulp::{Arch, Simd};

pub(crate) use self::weights::{Axis, Weights};

/// Rows of the target that are made at a time.
const STRIP: usize = 16;
/// Bits of a weight's fraction; of those that samples have between the two passes.
const WEIGHT: u32 = 14;
const BETWEEN: u32 = 6;

/// Scales planes, keeping memory between them.
#[derive(Debug, Default)]
pub(crate) struct Resampler {
    /// A strip after the first pass: row by row, and column by column.
    rows: Vec<i16>,
    columns: Vec<[i16; STRIP]>,
}

impl Resampler {
    /// Makes a plane of `source`, with weights that were made for its size, in the memory of `room`.
    pub(crate) fn resample(
        &mut self,
        source: &PlaneBuf,
        across: &Weights,
        down: &Weights,
        room: Vec<u8>,
    ) -> PlaneBuf {
        let (width, height) = (across.count(), down.count());
        let stride = PlaneBuf::stride_of(width);
        let mut samples = room;
        samples.resize(stride * height, 0);
        let mut target = PlaneBuf { width, height, stride, samples };
        let job = Job { source, across, down, target: &mut target, scratch: self };
        #[cfg(target_arch = "x86_64")]
        if let Some(v3) = pulp::x86::V3::try_new().filter(|_| job.has_enough_samples()) {
            Simd::vectorize(v3, avx2::Strips { v3, job });
            return target;
        }
        Arch::new().dispatch(portable::Rows(job));
        target
    }
}

struct Job<'a> {
    source: &'a PlaneBuf,
    across: &'a Weights,
    down: &'a Weights,
    target: &'a mut PlaneBuf,
    scratch: &'a mut Resampler,
}

impl Job<'_> {
    /// Whether all weights fall on samples that there are, those included that are zero.
    fn has_enough_samples(&self) -> bool {
        self.source.width >= self.across.taps() && self.source.height >= self.down.taps()
    }
}

/// From the sums of the first pass to what is kept of them.
const fn between(sum: i32) -> i32 {
    (sum + (1 << (WEIGHT - BETWEEN - 1))) >> (WEIGHT - BETWEEN)
}

/// From the sums of the second pass to samples, before they are clamped.
const fn sample(sum: i32) -> i32 {
    (sum + (1 << (WEIGHT + BETWEEN - 1))) >> (WEIGHT + BETWEEN)
}
