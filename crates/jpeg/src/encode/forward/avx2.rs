//! For x86-64 processors with AVX2: two blocks at once, one in each half of a vector.

use std::arch::x86_64::__m256i;

use pulp::cast;
use pulp::x86::V3;

use super::{BETWEEN, EVEN, FIRST, Forward, ODD, SECOND};
use crate::blocks::ZIGZAG;
use crate::encode::block::Quantized;
use crate::encode::plane::Samples;
use crate::encode::quantization::Divisors;

/// Proof that the processor has the instructions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx2(pub(super) V3);

/// Eight rows (or columns) of eight numbers of 16 bits, of both blocks.
type Lanes = [__m256i; 8];

impl Forward for Avx2 {
    #[inline(always)]
    fn pair(self, samples: &Samples, divisors: &Divisors, blocks: &mut [Quantized; 2]) {
        let avx2 = self.0.avx2;
        let mut rows = [self.0.avx._mm256_setzero_si256(); 8];
        for (row, samples) in rows.iter_mut().zip(samples) {
            *row = avx2._mm256_cvtepu8_epi16(cast(*samples));
        }
        let columns = self.first(self.transposed(rows));
        let rows = self.second(self.transposed(columns));
        let quantized = [
            self.quantized::<0>(rows, divisors, blocks),
            self.quantized::<1>(rows, divisors, blocks),
            self.quantized::<2>(rows, divisors, blocks),
            self.quantized::<3>(rows, divisors, blocks),
            self.quantized::<4>(rows, divisors, blocks),
            self.quantized::<5>(rows, divisors, blocks),
            self.quantized::<6>(rows, divisors, blocks),
            self.quantized::<7>(rows, divisors, blocks),
        ];
        [blocks[0].nonzero, blocks[1].nonzero] = self.nonzero(quantized);
    }
}

impl Avx2 {
    /// Transforms rows. Samples are taken as they are, not less 128: that concerns only the block's mean.
    #[inline(always)]
    fn first(self, columns: Lanes) -> Lanes {
        let avx2 = self.0.avx2;
        let [o0, o1, o2, o3, o4, o5, o6, o7] = self.pass::<{ FIRST as i32 }>(columns);
        let o0 = avx2._mm256_slli_epi16::<{ BETWEEN as i32 }>(o0);
        let o4 = avx2._mm256_slli_epi16::<{ BETWEEN as i32 }>(o4);
        [o0, o1, o2, o3, o4, o5, o6, o7]
    }

    /// Transforms columns.
    #[inline(always)]
    fn second(self, rows: Lanes) -> Lanes {
        let avx2 = self.0.avx2;
        let [o0, o1, o2, o3, o4, o5, o6, o7] = self.pass::<{ SECOND as i32 }>(rows);
        let rounding = [1_i16 << (BETWEEN - 1); 8];
        // Here the mean gets what was not taken from the samples: 128 for each of 64, times 4. Sums wrap twice then.
        let mut level = rounding;
        level[0] += i16::MIN;
        let o0 = avx2._mm256_add_epi16(o0, cast([level; 2]));
        let o4 = avx2._mm256_add_epi16(o4, cast([rounding; 2]));
        let o0 = avx2._mm256_srai_epi16::<{ BETWEEN as i32 }>(o0);
        let o4 = avx2._mm256_srai_epi16::<{ BETWEEN as i32 }>(o4);
        [o0, o1, o2, o3, o4, o5, o6, o7]
    }

    /// One dimension. Coefficients 0 and 4 are mere sums, neither multiplied nor descaled.
    #[inline(always)]
    fn pass<const DESCALE: i32>(self, [a, b, c, d, e, f, g, h]: Lanes) -> Lanes {
        let avx2 = self.0.avx2;
        let [ah, bg] = [avx2._mm256_add_epi16(a, h), avx2._mm256_add_epi16(b, g)];
        let [cf, de] = [avx2._mm256_add_epi16(c, f), avx2._mm256_add_epi16(d, e)];
        let p01 = self.interleaved(avx2._mm256_sub_epi16(a, h), avx2._mm256_sub_epi16(b, g));
        let p23 = self.interleaved(avx2._mm256_sub_epi16(c, f), avx2._mm256_sub_epi16(d, e));
        let [outer, inner] = [avx2._mm256_add_epi16(ah, de), avx2._mm256_add_epi16(bg, cf)];
        let even = self.interleaved(avx2._mm256_sub_epi16(ah, de), avx2._mm256_sub_epi16(bg, cf));
        [
            avx2._mm256_add_epi16(outer, inner),
            self.odd::<DESCALE>(p01, p23, ODD[0]),
            self.even::<DESCALE>(even, EVEN[0]),
            self.odd::<DESCALE>(p01, p23, ODD[1]),
            avx2._mm256_sub_epi16(outer, inner),
            self.odd::<DESCALE>(p01, p23, ODD[2]),
            self.even::<DESCALE>(even, EVEN[1]),
            self.odd::<DESCALE>(p01, p23, ODD[3]),
        ]
    }

    #[inline(always)]
    fn even<const DESCALE: i32>(self, [low, high]: [__m256i; 2], weights: [i32; 2]) -> __m256i {
        let [low, high] = [self.weighted(low, weights), self.weighted(high, weights)];
        self.descaled::<DESCALE>(low, high)
    }

    #[inline(always)]
    fn odd<const DESCALE: i32>(
        self,
        p01: [__m256i; 2],
        p23: [__m256i; 2],
        [w0, w1, w2, w3]: [i32; 4],
    ) -> __m256i {
        let avx2 = self.0.avx2;
        let [low01, high01] = [self.weighted(p01[0], [w0, w1]), self.weighted(p01[1], [w0, w1])];
        let [low23, high23] = [self.weighted(p23[0], [w2, w3]), self.weighted(p23[1], [w2, w3])];
        let (low, high) = (avx2._mm256_add_epi32(low01, low23), avx2._mm256_add_epi32(high01, high23));
        self.descaled::<DESCALE>(low, high)
    }

    #[inline(always)]
    fn interleaved(self, a: __m256i, b: __m256i) -> [__m256i; 2] {
        let avx2 = self.0.avx2;
        [avx2._mm256_unpacklo_epi16(a, b), avx2._mm256_unpackhi_epi16(a, b)]
    }

    #[inline(always)]
    fn by_two(self, a: __m256i, b: __m256i) -> [__m256i; 2] {
        let avx2 = self.0.avx2;
        [avx2._mm256_unpacklo_epi32(a, b), avx2._mm256_unpackhi_epi32(a, b)]
    }

    #[inline(always)]
    fn by_four(self, a: __m256i, b: __m256i) -> [__m256i; 2] {
        let avx2 = self.0.avx2;
        [avx2._mm256_unpacklo_epi64(a, b), avx2._mm256_unpackhi_epi64(a, b)]
    }

    #[inline(always)]
    fn weighted(self, pairs: __m256i, [first, second]: [i32; 2]) -> __m256i {
        self.0.avx2._mm256_madd_epi16(pairs, cast([[first as i16, second as i16]; 8]))
    }

    #[inline(always)]
    fn descaled<const BITS: i32>(self, low: __m256i, high: __m256i) -> __m256i {
        let avx2 = self.0.avx2;
        let rounding: __m256i = cast([1_i32 << (BITS - 1); 8]);
        let low = avx2._mm256_srai_epi32::<BITS>(avx2._mm256_add_epi32(low, rounding));
        let high = avx2._mm256_srai_epi32::<BITS>(avx2._mm256_add_epi32(high, rounding));
        avx2._mm256_packs_epi32(low, high)
    }

    #[inline(always)]
    fn transposed(self, [a, b, c, d, e, f, g, h]: Lanes) -> Lanes {
        let [[ab, ab2], [cd, cd2]] = [self.interleaved(a, b), self.interleaved(c, d)];
        let [[ef, ef2], [gh, gh2]] = [self.interleaved(e, f), self.interleaved(g, h)];
        let [[a0, a1], [a2, a3]] = [self.by_two(ab, cd), self.by_two(ab2, cd2)];
        let [[e0, e1], [e2, e3]] = [self.by_two(ef, gh), self.by_two(ef2, gh2)];
        let [[r0, r1], [r2, r3]] = [self.by_four(a0, e0), self.by_four(a1, e1)];
        let [[r4, r5], [r6, r7]] = [self.by_four(a2, e2), self.by_four(a3, e3)];
        [r0, r1, r2, r3, r4, r5, r6, r7]
    }

    /// Quantizes a row of both blocks.
    #[inline(always)]
    fn quantized<const ROW: usize>(
        self,
        rows: Lanes,
        divisors: &Divisors,
        blocks: &mut [Quantized; 2],
    ) -> __m256i {
        let avx2 = self.0.avx2;
        let Divisors { correction, reciprocal, scale } = divisors;
        let magnitude = avx2._mm256_abs_epi16(rows[ROW]);
        let corrected = avx2._mm256_add_epi16(magnitude, cast([correction[ROW]; 2]));
        let quotient = avx2._mm256_mulhi_epu16(corrected, cast([reciprocal[ROW]; 2]));
        // Both factors are less than 2^15, so that they may as well be taken for signed numbers; the compiler makes
        // better code of that.
        let quotient = avx2._mm256_mulhi_epi16(quotient, cast([scale[ROW]; 2]));
        let values = avx2._mm256_sign_epi16(quotient, rows[ROW]);
        let mut shifted = avx2._mm256_slli_epi16::<4>(values);
        if ROW == 0 {
            let [means, means_of_other]: [[i16; 8]; 2] = cast(values);
            (blocks[0].mean, blocks[1].mean) = (means[0], means_of_other[0]);
            shifted = avx2._mm256_and_si256(shifted, cast([[0, -1, -1, -1, -1, -1, -1, -1_i16]; 2]));
        }
        let [first, second]: [[u16; 8]; 2] = cast(shifted);
        let [block, other] = blocks;
        block.others.as_chunks_mut::<8>().0[ROW] = first;
        other.others.as_chunks_mut::<8>().0[ROW] = second;
        values
    }

    /// Which coefficients of the two blocks are not zero, in zigzag order.
    #[inline(always)]
    fn nonzero(self, [a, b, c, d, e, f, g, h]: Lanes) -> [u64; 2] {
        let avx2 = self.0.avx2;
        // Saturation makes no zeros.
        let bytes = [
            avx2._mm256_packs_epi16(a, b),
            avx2._mm256_packs_epi16(c, d),
            avx2._mm256_packs_epi16(e, f),
            avx2._mm256_packs_epi16(g, h),
        ];
        let (q0, q1) = (self.zeros(bytes, ZIGZAG_BYTES[0]), self.zeros(bytes, ZIGZAG_BYTES[1]));
        let (q2, q3) = (self.zeros(bytes, ZIGZAG_BYTES[2]), self.zeros(bytes, ZIGZAG_BYTES[3]));
        [
            1 | !self.mask(
                avx2._mm256_permute2x128_si256::<0x20>(q0, q1),
                avx2._mm256_permute2x128_si256::<0x20>(q2, q3),
            ),
            1 | !self.mask(
                avx2._mm256_permute2x128_si256::<0x31>(q0, q1),
                avx2._mm256_permute2x128_si256::<0x31>(q2, q3),
            ),
        ]
    }

    /// Which bytes are zero of those that are taken from four vectors.
    #[inline(always)]
    fn zeros(self, bytes: [__m256i; 4], from: [[u8; 16]; 4]) -> __m256i {
        let avx2 = self.0.avx2;
        let taken = [
            avx2._mm256_shuffle_epi8(bytes[0], cast([from[0]; 2])),
            avx2._mm256_shuffle_epi8(bytes[1], cast([from[1]; 2])),
            avx2._mm256_shuffle_epi8(bytes[2], cast([from[2]; 2])),
            avx2._mm256_shuffle_epi8(bytes[3], cast([from[3]; 2])),
        ];
        let (upper, lower) =
            (avx2._mm256_or_si256(taken[0], taken[1]), avx2._mm256_or_si256(taken[2], taken[3]));
        avx2._mm256_cmpeq_epi8(avx2._mm256_or_si256(upper, lower), cast([0_u8; 32]))
    }

    #[inline(always)]
    fn mask(self, low: __m256i, high: __m256i) -> u64 {
        let avx2 = self.0.avx2;
        let (low, high) = (avx2._mm256_movemask_epi8(low), avx2._mm256_movemask_epi8(high));
        u64::from(low as u32) | u64::from(high as u32) << 32
    }
}

/// For each quarter of the zigzag order, which bytes to take from each two rows.
const ZIGZAG_BYTES: [[[u8; 16]; 4]; 4] = zigzag_bytes();

const fn zigzag_bytes() -> [[[u8; 16]; 4]; 4] {
    // Nothing is taken where the highest bit is set.
    let mut bytes = [[[0x80; 16]; 4]; 4];
    let mut index = 0;
    while index < 64 {
        let place = ZIGZAG[index];
        bytes[index / 16][place as usize / 16][index % 16] = place % 16;
        index += 1;
    }
    bytes
}
