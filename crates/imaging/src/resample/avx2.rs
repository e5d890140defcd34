//! For x86-64 processors with AVX2: sixteen products at once.

use std::arch::x86_64::__m256i;

use pulp::x86::V3;
use pulp::{Simd, WithSimd, cast};

use super::{BETWEEN, Job, STRIP, WEIGHT};

const FIRST: i32 = (WEIGHT - BETWEEN) as i32;
const SECOND: i32 = (WEIGHT + BETWEEN) as i32;
/// Samples that the first pass makes at a time; columns that are transposed at a time.
const ACROSS: usize = 32;
const BLOCK: usize = 8;

/// One strip after the other.
pub(super) struct Strips<'a> {
    pub(super) v3: V3,
    pub(super) job: Job<'a>,
}

impl WithSimd for Strips<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { v3, job: Job { source, across, down, target, scratch } } = self;
        let avx2 = Avx2(v3);
        let (rows, columns) = (&mut scratch.rows, &mut scratch.columns);
        let width = source.width.next_multiple_of(ACROSS);
        rows.resize(rows.len().max(STRIP * width), 0);
        columns.resize(columns.len().max(width), [0; STRIP]);
        let rows = &mut rows[..STRIP * width];
        for top in (0..target.height).step_by(STRIP) {
            let end = target.height.min(top + STRIP);
            for (y, row) in (top..end).zip(rows.chunks_exact_mut(width)) {
                let (first, weights) = down.of(y);
                avx2.first_pass(&source.samples[first * source.stride..], source.stride, weights, row);
            }
            avx2.transpose(rows, width, columns);
            let strip = &mut target.samples[top * target.stride..end * target.stride];
            for left in (0..across.count()).step_by(BLOCK) {
                let block: [__m256i; BLOCK] = std::array::from_fn(|x| {
                    let (first, weights) = across.of(left + x);
                    avx2.second_pass(&columns[first..], weights)
                });
                let block = avx2.samples(block);
                for (row, samples) in strip.chunks_exact_mut(target.stride).zip(block) {
                    if let Some(place) = row[left..].first_chunk_mut() {
                        *place = samples;
                    }
                }
            }
        }
    }
}

/// Proof that the processor has the instructions.
#[derive(Debug, Clone, Copy)]
struct Avx2(V3);

impl Avx2 {
    /// A row of the target, as wide as the source, of rows from the first one of `source`.
    #[inline(always)]
    fn first_pass(self, source: &[u8], stride: usize, weights: &[[i16; 2]], row: &mut [i16]) {
        let avx2 = self.0.avx2;
        let taps = &source[..2 * weights.len() * stride];
        for (part, out) in row.as_chunks_mut::<ACROSS>().0.iter_mut().enumerate() {
            let mut sums: [__m256i; 4] = cast([0_i32; 32]);
            for (rows, weights) in taps.chunks_exact(2 * stride).zip(weights) {
                let (above, below) = rows.split_at(stride);
                let load = |row: &[u8]| -> [[u8; 16]; 2] { cast(row.as_chunks::<ACROSS>().0[part]) };
                let ([a, b], [c, d]) = (load(above), load(below));
                let wide = |samples: [u8; 16]| avx2._mm256_cvtepu8_epi16(cast(samples));
                let weights: __m256i = cast([*weights; 8]);
                let (first, second) =
                    (self.weighted(wide(a), wide(c), weights), self.weighted(wide(b), wide(d), weights));
                sums = [
                    avx2._mm256_add_epi32(sums[0], first[0]),
                    avx2._mm256_add_epi32(sums[1], first[1]),
                    avx2._mm256_add_epi32(sums[2], second[0]),
                    avx2._mm256_add_epi32(sums[3], second[1]),
                ];
            }
            let halves =
                [self.narrowed::<FIRST>([sums[0], sums[1]]), self.narrowed::<FIRST>([sums[2], sums[3]])];
            *out = cast(halves);
        }
    }

    /// A column of the target, of columns from the first one of `source`.
    #[inline(always)]
    fn second_pass(self, source: &[[i16; STRIP]], weights: &[[i16; 2]]) -> __m256i {
        let avx2 = self.0.avx2;
        let mut sums: [__m256i; 2] = cast([0_i32; 16]);
        for ([a, b], weights) in source.as_chunks::<2>().0.iter().zip(weights) {
            let [low, high] = self.weighted(cast(*a), cast(*b), cast([*weights; 8]));
            sums = [avx2._mm256_add_epi32(sums[0], low), avx2._mm256_add_epi32(sums[1], high)];
        }
        self.narrowed::<SECOND>(sums)
    }

    /// `a` and `b`, each times its weight, added.
    #[inline(always)]
    fn weighted(self, a: __m256i, b: __m256i, weights: __m256i) -> [__m256i; 2] {
        let avx2 = self.0.avx2;
        let (low, high) = (avx2._mm256_unpacklo_epi16(a, b), avx2._mm256_unpackhi_epi16(a, b));
        [avx2._mm256_madd_epi16(low, weights), avx2._mm256_madd_epi16(high, weights)]
    }

    /// Sums without so many bits, rounded, in the order of what was added.
    #[inline(always)]
    fn narrowed<const BITS: i32>(self, [low, high]: [__m256i; 2]) -> __m256i {
        let avx2 = self.0.avx2;
        let rounding: __m256i = cast([1_i32 << (BITS - 1); 8]);
        let rounded = |sum| avx2._mm256_srai_epi32::<BITS>(avx2._mm256_add_epi32(sum, rounding));
        avx2._mm256_packs_epi32(rounded(low), rounded(high))
    }

    #[inline(always)]
    fn transpose(self, rows: &[i16], width: usize, columns: &mut [[i16; STRIP]]) {
        let avx2 = self.0.avx2;
        let (upper, lower) = rows.split_at(STRIP / 2 * width);
        for (block, out) in columns[..width].as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
            let load = |row: usize| -> __m256i {
                let part = |half: &[i16]| half[row * width..][..width].as_chunks::<BLOCK>().0[block];
                cast([part(upper), part(lower)])
            };
            let pairs = |low: usize| {
                let (a, b) = (load(low), load(low + 1));
                [avx2._mm256_unpacklo_epi16(a, b), avx2._mm256_unpackhi_epi16(a, b)]
            };
            let fours = |[a, b]: [__m256i; 2], [c, d]: [__m256i; 2]| {
                [
                    avx2._mm256_unpacklo_epi32(a, c),
                    avx2._mm256_unpackhi_epi32(a, c),
                    avx2._mm256_unpacklo_epi32(b, d),
                    avx2._mm256_unpackhi_epi32(b, d),
                ]
            };
            let (top, bottom) = (fours(pairs(0), pairs(2)), fours(pairs(4), pairs(6)));
            for ((out, top), bottom) in out.as_chunks_mut::<2>().0.iter_mut().zip(top).zip(bottom) {
                *out = [
                    cast(avx2._mm256_unpacklo_epi64(top, bottom)),
                    cast(avx2._mm256_unpackhi_epi64(top, bottom)),
                ];
            }
        }
    }

    /// Eight columns as sixteen rows of samples.
    #[inline(always)]
    fn samples(self, [a, b, c, d, e, f, g, h]: [__m256i; BLOCK]) -> [[u8; BLOCK]; STRIP] {
        let avx2 = self.0.avx2;
        let by_row = [0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15_u8];
        // Of each row two samples.
        let twos = |a, b| avx2._mm256_shuffle_epi8(avx2._mm256_packus_epi16(a, b), cast([by_row; 2]));
        let (ab, cd, ef, gh) = (twos(a, b), twos(c, d), twos(e, f), twos(g, h));
        let (abcd, efgh) = (avx2._mm256_unpacklo_epi16(ab, cd), avx2._mm256_unpacklo_epi16(ef, gh));
        let (abcd2, efgh2) = (avx2._mm256_unpackhi_epi16(ab, cd), avx2._mm256_unpackhi_epi16(ef, gh));
        let rows = |low: __m256i| -> [[u8; BLOCK]; 4] { cast(low) };
        let [[r0, r1, r8, r9], [r2, r3, r10, r11], [r4, r5, r12, r13], [r6, r7, r14, r15]] = [
            rows(avx2._mm256_unpacklo_epi32(abcd, efgh)),
            rows(avx2._mm256_unpackhi_epi32(abcd, efgh)),
            rows(avx2._mm256_unpacklo_epi32(abcd2, efgh2)),
            rows(avx2._mm256_unpackhi_epi32(abcd2, efgh2)),
        ];
        [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, r13, r14, r15]
    }
}
