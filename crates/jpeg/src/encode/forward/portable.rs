//! For any processor.

use super::{BETWEEN, EVEN, FIRST, Forward, ODD, SECOND};
use crate::blocks::ZIGZAG;
use crate::encode::block::Quantized;
use crate::encode::plane::Samples;
use crate::encode::quantization::Divisors;

/// Plain loops over eight numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Portable;

/// Eight lanes of eight numbers each: columns of which the rows are transformed, or the other way round.
type Lanes = [[i32; 8]; 8];

impl Forward for Portable {
    #[inline(always)]
    fn pair(self, samples: &Samples, divisors: &Divisors, blocks: &mut [Quantized; 2]) {
        for (block, left) in blocks.iter_mut().zip([0, 8]) {
            let mut columns = [[0; 8]; 8];
            for (down, row) in samples.iter().enumerate() {
                for (across, column) in columns.iter_mut().enumerate() {
                    column[down] = i32::from(row[left + across]) - 128;
                }
            }
            let columns = pass(&columns, FIRST, |value| value << BETWEEN);
            let rows = pass(&transposed(&columns), SECOND, |value| descaled(value, BETWEEN));
            quantize(&rows, divisors, block);
        }
    }
}

/// One dimension. Coefficients 0 and 4 are sums, of which `whole` makes what `descale` makes of products.
#[inline(always)]
fn pass(input: &Lanes, descale: u32, whole: impl Fn(i32) -> i32) -> Lanes {
    let [a, b, c, d, e, f, g, h] = input;
    let sums = [sum(a, h), sum(b, g), sum(c, f), sum(d, e)];
    let differences = [difference(a, h), difference(b, g), difference(c, f), difference(d, e)];
    let [outer, inner] = [sum(&sums[0], &sums[3]), sum(&sums[1], &sums[2])];
    let even = [difference(&sums[0], &sums[3]), difference(&sums[1], &sums[2])];
    let mut output = [[0; 8]; 8];
    for lane in 0..8 {
        output[0][lane] = whole(outer[lane] + inner[lane]);
        output[4][lane] = whole(outer[lane] - inner[lane]);
    }
    for (index, weights) in [2, 6].into_iter().zip(&EVEN) {
        output[index] = weighted(&even, weights, descale);
    }
    for (index, weights) in [1, 3, 5, 7].into_iter().zip(&ODD) {
        output[index] = weighted(&differences, weights, descale);
    }
    output
}

#[inline(always)]
fn sum(a: &[i32; 8], b: &[i32; 8]) -> [i32; 8] {
    let mut sums = *a;
    sums.iter_mut().zip(b).for_each(|(sum, b)| *sum += b);
    sums
}

#[inline(always)]
fn difference(a: &[i32; 8], b: &[i32; 8]) -> [i32; 8] {
    let mut differences = *a;
    differences.iter_mut().zip(b).for_each(|(difference, b)| *difference -= b);
    differences
}

#[inline(always)]
fn weighted<const N: usize>(values: &[[i32; 8]; N], weights: &[i32; N], descale: u32) -> [i32; 8] {
    let mut sums = [1 << (descale - 1); 8];
    for (values, weight) in values.iter().zip(weights) {
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += value * weight;
        }
    }
    sums.iter_mut().for_each(|sum| *sum >>= descale);
    sums
}

/// Rounded division by a power of two.
#[inline(always)]
fn descaled(value: i32, bits: u32) -> i32 {
    (value + (1 << (bits - 1))) >> bits
}

#[inline(always)]
fn transposed(rows: &Lanes) -> Lanes {
    let mut columns = [[0; 8]; 8];
    for (down, row) in rows.iter().enumerate() {
        for (across, value) in row.iter().enumerate() {
            columns[across][down] = *value;
        }
    }
    columns
}

#[inline(always)]
fn quantize(rows: &Lanes, divisors: &Divisors, block: &mut Quantized) {
    for (row, values) in rows.iter().enumerate() {
        for (column, value) in values.iter().enumerate() {
            let corrected = value.unsigned_abs() + u32::from(divisors.correction[row][column]);
            let quotient = (corrected * u32::from(divisors.reciprocal[row][column])) >> 16;
            let quotient = (quotient * u32::from(divisors.scale[row][column])) >> 16;
            let coefficient = quotient as i32 * value.signum();
            if row + column == 0 {
                block.mean = coefficient as i16;
            } else {
                block.others[row * 8 + column] = (coefficient * 16) as u16;
            }
        }
    }
    block.nonzero = 1;
    for (index, place) in ZIGZAG[..64].iter().enumerate() {
        block.nonzero |= u64::from(block.others[usize::from(*place)] != 0) << index;
    }
}
