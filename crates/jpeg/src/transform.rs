//! The inverse cosine transform, whole and reduced.
//!
//! Loeffler, Ligtenberg and Moschytz, "Practical fast 1-D DCT algorithms with 11 multiplications" (ICASSP 1989), in fixed
//! point; reduced sizes leave out what would average to nothing. Constants and roundings are those of the Independent
//! JPEG Group's library (`islow`), so that every sample is the same as libjpeg-turbo's.
//!
//! Both dimensions are sums of eight products for each number, so it does not matter in which order constants are added:
//! here they are, unlike in the paper, added in advance, which suits instructions that multiply and add pairs.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;
#[cfg(test)]
mod tests;

use pulp::{Arch, Simd, WithSimd};

use crate::blocks::Block;

/// The quantization steps of a component, row by row. Products wrap at 16 bits, as damaged files make them.
pub(crate) type Steps = [i16; 64];

/// Makes samples of blocks. All implementations make the same, whatever the coefficients.
pub(crate) trait Transform: Copy {
    /// 8x8 samples of a block.
    fn whole(self, block: &Block, steps: &Steps) -> [[u8; 8]; 8];

    /// 4x4 samples of each of two blocks: rows of the first, each followed by that of the second.
    fn half(self, blocks: [&Block; 2], steps: &Steps) -> [[u8; 8]; 4];

    /// 2x2 samples of a block.
    #[inline(always)]
    fn quarter(self, block: &Block, steps: &Steps) -> [[u8; 2]; 2] {
        portable::quarter(block, steps)
    }

    /// The one sample that a block is at an eighth: its mean.
    #[inline(always)]
    fn eighth(self, block: &Block, steps: &Steps) -> u8 {
        portable::eighth(block, steps)
    }
}

/// What is done with a transform.
pub(crate) trait WithTransform {
    /// To be inlined, so that it consists of the transform's instructions.
    fn run(self, transform: impl Transform);
}

/// Runs it with the fastest transform that the processor has.
pub(crate) fn vectorized(arch: Arch, work: impl WithTransform) {
    #[cfg(target_arch = "x86_64")]
    if let Some(v3) = pulp::x86::V3::try_new() {
        return Simd::vectorize(v3, Vectorized { transform: avx2::Avx2(v3), work });
    }
    arch.dispatch(Vectorized { transform: portable::Portable, work });
}

struct Vectorized<T, W> {
    transform: T,
    work: W,
}

impl<T: Transform, W: WithTransform> WithSimd for Vectorized<T, W> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.work.run(self.transform);
    }
}

/// Bits of the constants' fractions.
const CONSTANT: u32 = 13;
/// Bits more than wanted between the two passes.
const BETWEEN: u32 = 2;
/// What a pass over all eight leaves too much, and what is left after the second.
const FIRST: u32 = CONSTANT - BETWEEN;
const SECOND: u32 = CONSTANT + BETWEEN + 3;

/// Weights of coefficients 0 and 4, 2 and 6, 1 and 5, 3 and 7. All but the last table's have 16 bits.
type Weights = [[i32; 2]; 4];

/// For the even and odd parts of the four sums and four differences that make eight samples.
const OF_8: [Weights; 4] = [
    [[8192, 8192], [10703, 4433], [11363, 6437], [9633, 2260]],
    [[8192, -8192], [4433, -10704], [9633, -11362], [-2259, -6436]],
    [[8192, -8192], [-4433, 10704], [6437, 2261], [-11362, 9633]],
    [[8192, 8192], [-10703, -4433], [2260, 9633], [-6436, -11363]],
];

/// For the two sums and differences that make four samples, doubled.
const OF_4: [Weights; 2] = [
    [[16384, 0], [15137, -6270], [20995, -4926], [7373, -4176]],
    [[16384, 0], [-15137, 6270], [8697, 11893], [-17799, -1730]],
];

/// For the sum and difference that make two samples, four-fold.
const OF_2: [Weights; 1] = [[[32768, 0], [0, 0], [29692, 6967], [-10426, -5906]]];
