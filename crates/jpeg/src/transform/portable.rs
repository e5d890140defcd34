//! For any processor.

use super::{FIRST, OF_2, OF_4, OF_8, SECOND, Steps, Transform, Weights};
use crate::blocks::Block;

/// Plain loops over eight numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Portable;

impl Transform for Portable {
    #[inline(always)]
    fn whole(self, block: &Block, steps: &Steps) -> [[u8; 8]; 8] {
        let columns = pass(&coefficients(block, steps), &OF_8, FIRST);
        let rows = pass(&transposed(&columns), &OF_8, SECOND);
        let mut samples = [[0; 8]; 8];
        for (across, column) in rows.iter().enumerate() {
            for (down, value) in column.iter().enumerate() {
                samples[down][across] = sample(*value);
            }
        }
        samples
    }

    #[inline(always)]
    fn half(self, blocks: [&Block; 2], steps: &Steps) -> [[u8; 8]; 4] {
        let mut samples = [[0; 8]; 4];
        for (block, left) in blocks.into_iter().zip([0, 4]) {
            let columns = pass(&coefficients(block, steps), &OF_4, FIRST + 1);
            let rows = pass(&transposed(&columns), &OF_4, SECOND + 1);
            for (across, column) in rows.iter().take(4).enumerate() {
                for (down, value) in column.iter().take(4).enumerate() {
                    samples[down][left + across] = sample(*value);
                }
            }
        }
        samples
    }
}

/// See [`Transform::quarter`].
#[inline(always)]
pub(super) fn quarter(block: &Block, steps: &Steps) -> [[u8; 2]; 2] {
    let columns = pass(&coefficients(block, steps), &OF_2, FIRST + 2);
    let rows = pass(&transposed(&columns), &OF_2, SECOND + 2);
    [[sample(rows[0][0]), sample(rows[1][0])], [sample(rows[0][1]), sample(rows[1][1])]]
}

/// See [`Transform::eighth`].
#[inline(always)]
pub(super) fn eighth(block: &Block, steps: &Steps) -> u8 {
    sample(descaled(i32::from(block.0[0].wrapping_mul(steps[0])), 3))
}

/// Rows of coefficients as they were before quantization.
#[inline(always)]
fn coefficients(block: &Block, steps: &Steps) -> [[i16; 8]; 8] {
    let mut rows = [[0; 8]; 8];
    let products = block.0.iter().zip(steps).map(|(coefficient, step)| coefficient.wrapping_mul(*step));
    for (place, product) in rows.as_flattened_mut().iter_mut().zip(products) {
        *place = product;
    }
    rows
}

/// One dimension, over eight lanes: what the weights and the mirrored ones make.
#[inline(always)]
fn pass<const N: usize>(input: &[[i16; 8]; 8], weights: &[Weights; N], descale: u32) -> [[i32; 8]; 8] {
    let mut output = [[0; 8]; 8];
    for (index, weights) in weights.iter().enumerate() {
        let (sums, differences) = mirrored(input, weights, descale);
        output[index] = sums;
        output[2 * N - 1 - index] = differences;
    }
    output
}

#[inline(always)]
fn mirrored(input: &[[i16; 8]; 8], weights: &Weights, descale: u32) -> ([i32; 8], [i32; 8]) {
    let (mut sums, mut differences) = ([0; 8], [0; 8]);
    for (lane, (sum, difference)) in sums.iter_mut().zip(&mut differences).enumerate() {
        let [even, odd] = parts(input, weights, lane);
        *sum = descaled(even.wrapping_add(odd), descale);
        *difference = descaled(even.wrapping_sub(odd), descale);
    }
    (sums, differences)
}

/// The weighted sums of even and of odd coefficients. Neither can overflow; their sum can, where files are damaged.
#[inline(always)]
fn parts(input: &[[i16; 8]; 8], weights: &Weights, lane: usize) -> [i32; 2] {
    let product = |index: usize, weight: i32| i32::from(input[index][lane]) * weight;
    let [w04, w26, w15, w37] = *weights;
    let even = product(0, w04[0]) + product(4, w04[1]) + product(2, w26[0]) + product(6, w26[1]);
    let odd = product(1, w15[0]) + product(5, w15[1]) + product(3, w37[0]) + product(7, w37[1]);
    [even, odd]
}

#[inline(always)]
fn transposed(rows: &[[i32; 8]; 8]) -> [[i16; 8]; 8] {
    let mut columns = [[0; 8]; 8];
    for (down, row) in rows.iter().enumerate() {
        for (across, value) in row.iter().enumerate() {
            columns[across][down] = (*value).clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16;
        }
    }
    columns
}

/// Rounded division by a power of two.
#[inline(always)]
fn descaled(value: i32, bits: u32) -> i32 {
    value.wrapping_add(1 << (bits - 1)) >> bits
}

/// What lies around zero, as a sample of 0 to 255.
#[inline(always)]
fn sample(value: i32) -> u8 {
    (value + 128).clamp(0, 255) as u8
}
