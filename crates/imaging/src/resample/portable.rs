//! For all processors.

use pulp::{Simd, WithSimd};

use super::{Job, between, sample};

/// One row after the other.
pub(super) struct Rows<'a>(pub(super) Job<'a>);

impl WithSimd for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Job { source, across, down, target, scratch } = self.0;
        // Weights of zero may reach further than there are samples.
        let room = source.width.max(across.taps());
        scratch.rows.resize(room.max(scratch.rows.len()), 0);
        for (y, out) in target.samples.chunks_exact_mut(target.stride).enumerate() {
            let row = &mut scratch.rows[..room];
            let (top, weights) = down.of(y);
            first_pass(row, weights.as_flattened(), |tap| {
                &source.samples[(top + tap).min(source.height - 1) * source.stride..][..source.width]
            });
            for (x, out) in out[..target.width].iter_mut().enumerate() {
                let (left, weights) = across.of(x);
                let weights = weights.as_flattened();
                let products = row[left..].iter().zip(weights).map(|(a, b)| i32::from(*a) * i32::from(*b));
                *out = sample(products.sum()).clamp(0, 255) as u8;
            }
        }
    }
}

#[inline(always)]
fn first_pass<'a>(row: &mut [i16], weights: &[i16], source: impl Fn(usize) -> &'a [u8]) {
    // Few enough sums to stay in the first cache.
    const PART: usize = 512;
    let mut sums = [0_i32; PART];
    for (part, row) in row.chunks_mut(PART).enumerate() {
        sums.fill(0);
        for (tap, weight) in weights.iter().enumerate() {
            let samples = source(tap).get(part * PART..).unwrap_or_default();
            for (sum, sample) in sums.iter_mut().zip(samples) {
                *sum += i32::from(*weight) * i32::from(*sample);
            }
        }
        for (out, sum) in row.iter_mut().zip(&sums) {
            *out = between(*sum).clamp(i16::MIN.into(), i16::MAX.into()) as i16;
        }
    }
}
