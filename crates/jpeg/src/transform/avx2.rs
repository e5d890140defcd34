//! For x86-64 processors with AVX2: sixteen products at once.

use std::arch::x86_64::{__m128i, __m256i};

use pulp::cast;
use pulp::x86::V3;

use super::{FIRST, OF_4, OF_8, SECOND, Steps, Transform, Weights};
use crate::blocks::Block;

/// Proof that the processor has the instructions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Avx2(pub(crate) V3);

/// Coefficients 0 and 4, 2 and 6, 1 and 5, 3 and 7 of eight columns (or rows), interleaved.
type Pairs = [__m256i; 4];

impl Transform for Avx2 {
    #[inline(always)]
    fn whole(self, block: &Block, steps: &Steps) -> [[u8; 8]; 8] {
        let columns = self.pass_of_8::<{ FIRST as i32 }>(self.pairs(block, steps));
        let [a, b, c, d] =
            self.transposed(self.pass_of_8::<{ SECOND as i32 }>(self.halves(self.transposed(columns))));
        let [[r0, r1, r4, r5], [r2, r3, r6, r7]]: [[[u8; 8]; 4]; 2] =
            [cast(self.samples(a, b)), cast(self.samples(c, d))];
        [r0, r1, r2, r3, r4, r5, r6, r7]
    }

    #[inline(always)]
    fn half(self, [first, second]: [&Block; 2], steps: &Steps) -> [[u8; 8]; 4] {
        let [a, b, c, d] = self.pass_of_4::<{ FIRST as i32 + 1 }>(self.pairs(first, steps));
        let [e, f, g, h] = self.pass_of_4::<{ FIRST as i32 + 1 }>(self.pairs(second, steps));
        let pairs = self.halves(self.transposed([a, b, c, d, e, f, g, h]));
        let [a, b, c, d] = self.pass_of_4::<{ SECOND as i32 + 1 }>(pairs);
        let avx2 = self.0.avx2;
        let columns = self.samples(avx2._mm256_packs_epi32(a, b), avx2._mm256_packs_epi32(c, d));
        // Each half has four columns of four bytes: to rows, then rows of both beside each other.
        let by_row = [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15_u8];
        let rows = avx2._mm256_shuffle_epi8(columns, cast([by_row; 2]));
        cast(avx2._mm256_permutevar8x32_epi32(rows, cast([0, 4, 1, 5, 2, 6, 3, 7_i32])))
    }
}

impl Avx2 {
    /// The coefficients of a block, as they were before quantization.
    #[inline(always)]
    fn pairs(self, block: &Block, steps: &Steps) -> Pairs {
        let row = |row: usize| -> __m128i {
            let (coefficients, steps) = (block.0.as_chunks::<8>().0[row], steps.as_chunks::<8>().0[row]);
            self.0.sse2._mm_mullo_epi16(cast(coefficients), cast(steps))
        };
        [
            self.interleaved(row(0), row(4)),
            self.interleaved(row(2), row(6)),
            self.interleaved(row(1), row(5)),
            self.interleaved(row(3), row(7)),
        ]
    }

    /// The same from four vectors of two halves: columns 0 and 4, 1 and 5, 2 and 6, 3 and 7.
    #[inline(always)]
    fn halves(self, [c04, c15, c26, c37]: [__m256i; 4]) -> Pairs {
        let split = |both: __m256i| -> __m256i {
            let [low, high]: [__m128i; 2] = cast(both);
            self.interleaved(low, high)
        };
        [split(c04), split(c26), split(c15), split(c37)]
    }

    #[inline(always)]
    fn interleaved(self, a: __m128i, b: __m128i) -> __m256i {
        let sse2 = self.0.sse2;
        cast([sse2._mm_unpacklo_epi16(a, b), sse2._mm_unpackhi_epi16(a, b)])
    }

    #[inline(always)]
    fn pass_of_8<const DESCALE: i32>(self, pairs: Pairs) -> [__m256i; 8] {
        let [(a, h), (b, g), (c, f), (d, e)] = [
            self.mirrored::<DESCALE>(pairs, &OF_8[0]),
            self.mirrored::<DESCALE>(pairs, &OF_8[1]),
            self.mirrored::<DESCALE>(pairs, &OF_8[2]),
            self.mirrored::<DESCALE>(pairs, &OF_8[3]),
        ];
        [a, b, c, d, e, f, g, h]
    }

    #[inline(always)]
    fn pass_of_4<const DESCALE: i32>(self, pairs: Pairs) -> [__m256i; 4] {
        let [(a, d), (b, c)] =
            [self.mirrored::<DESCALE>(pairs, &OF_4[0]), self.mirrored::<DESCALE>(pairs, &OF_4[1])];
        [a, b, c, d]
    }

    /// The sum and the difference of what even and odd coefficients make.
    #[inline(always)]
    fn mirrored<const DESCALE: i32>(
        self,
        [p04, p26, p15, p37]: Pairs,
        weights: &Weights,
    ) -> (__m256i, __m256i) {
        let avx2 = self.0.avx2;
        let weighted = |pairs: __m256i, [first, second]: [i32; 2]| {
            avx2._mm256_madd_epi16(pairs, cast([[first as i16, second as i16]; 8]))
        };
        let rounding: __m256i = cast([1_i32 << (DESCALE - 1); 8]);
        let even = avx2._mm256_add_epi32(weighted(p04, weights[0]), weighted(p26, weights[1]));
        let even = avx2._mm256_add_epi32(even, rounding);
        let odd = avx2._mm256_add_epi32(weighted(p15, weights[2]), weighted(p37, weights[3]));
        let sum = avx2._mm256_srai_epi32::<DESCALE>(avx2._mm256_add_epi32(even, odd));
        let difference = avx2._mm256_srai_epi32::<DESCALE>(avx2._mm256_sub_epi32(even, odd));
        (sum, difference)
    }

    /// Eight rows of 32 bits to columns of 16: 0 and 4, 1 and 5, 2 and 6, 3 and 7.
    #[inline(always)]
    fn transposed(self, [a, b, c, d, e, f, g, h]: [__m256i; 8]) -> [__m256i; 4] {
        let avx2 = self.0.avx2;
        let [ae, bf] = [avx2._mm256_packs_epi32(a, e), avx2._mm256_packs_epi32(b, f)];
        let [cg, dh] = [avx2._mm256_packs_epi32(c, g), avx2._mm256_packs_epi32(d, h)];
        let [ab, ef] = [avx2._mm256_unpacklo_epi16(ae, bf), avx2._mm256_unpackhi_epi16(ae, bf)];
        let [cd, gh] = [avx2._mm256_unpacklo_epi16(cg, dh), avx2._mm256_unpackhi_epi16(cg, dh)];
        let [abcd, abcd2] = [avx2._mm256_unpacklo_epi32(ab, cd), avx2._mm256_unpackhi_epi32(ab, cd)];
        let [efgh, efgh2] = [avx2._mm256_unpacklo_epi32(ef, gh), avx2._mm256_unpackhi_epi32(ef, gh)];
        [
            avx2._mm256_unpacklo_epi64(abcd, efgh),
            avx2._mm256_unpackhi_epi64(abcd, efgh),
            avx2._mm256_unpacklo_epi64(abcd2, efgh2),
            avx2._mm256_unpackhi_epi64(abcd2, efgh2),
        ]
    }

    /// What lies around zero, as samples of 0 to 255.
    #[inline(always)]
    fn samples(self, a: __m256i, b: __m256i) -> __m256i {
        let avx2 = self.0.avx2;
        avx2._mm256_xor_si256(avx2._mm256_packs_epi16(a, b), cast([0x80_u8; 32]))
    }
}
