//! The cosine transform, and quantization.
//!
//! The algorithm of Loeffler, Ligtenberg and Moschytz (see [`crate::transform`]) with the constants and roundings of
//! libjpeg's `jfdctint.c`. All products are exact, so here, too, constants that the paper adds one by one are added in
//! advance; numbers are only rounded after each of the two passes, rows first.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;
#[cfg(test)]
mod tests;

use pulp::{Arch, Simd, WithSimd};

use super::block::Quantized;
use super::plane::Samples;
use super::quantization::Divisors;

/// Makes blocks of samples. All implementations make the same.
pub(super) trait Forward: Copy {
    /// Transforms two blocks beside each other.
    fn pair(self, samples: &Samples, divisors: &Divisors, blocks: &mut [Quantized; 2]);
}

/// What is done with a transform.
pub(super) trait WithForward {
    /// To be inlined, so that it consists of the transform's instructions.
    fn run(self, forward: impl Forward);
}

/// Runs it with the fastest transform that the processor has.
pub(super) fn vectorized(arch: Arch, work: impl WithForward) {
    #[cfg(target_arch = "x86_64")]
    if let Some(v3) = pulp::x86::V3::try_new() {
        return Simd::vectorize(v3, Vectorized { forward: avx2::Avx2(v3), work });
    }
    arch.dispatch(Vectorized { forward: portable::Portable, work });
}

struct Vectorized<F, W> {
    forward: F,
    work: W,
}

impl<F: Forward, W: WithForward> WithSimd for Vectorized<F, W> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.work.run(self.forward);
    }
}

/// Bits of the constants' fractions.
const CONSTANT: u32 = 13;
/// Bits more than wanted between the two passes.
const BETWEEN: u32 = 2;
/// What products have too much after the first pass and after the second.
const FIRST: u32 = CONSTANT - BETWEEN;
const SECOND: u32 = CONSTANT + BETWEEN;

/// Weights of 0 and 7 less 3 and 4, 1 and 6 less 2 and 5 (all of them sums), for coefficients 2 and 6.
const EVEN: [[i32; 2]; 2] = [[10703, 4433], [4433, -10704]];

/// Weights of 0 less 7, 1 less 6, 2 less 5, 3 less 4, for coefficients 1, 3, 5 and 7.
const ODD: [[i32; 4]; 4] = [
    [11363, 9633, 6437, 2260],
    [9633, -2259, -11362, -6436],
    [6437, -11362, 2261, 9633],
    [2260, -6436, 9633, -11363],
];
