//! How much each sample of a row counts for each of those that are made of it.

use std::f64::consts::PI;

use super::WEIGHT;

/// Where samples lie that are made of a row of others: the `n`th reaches from `start + n·step` to a step further, in
/// samples of the row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Axis {
    /// Samples that there are.
    pub(crate) length: usize,
    /// Samples that are made.
    pub(crate) count: usize,
    pub(crate) start: f64,
    pub(crate) step: f64,
}

/// Weights of Lanczos3: `sinc(x)·sinc(x/3)`, widened where samples get fewer, normalized (as in Pillow's `Resample.c`).
#[derive(Debug)]
pub(crate) struct Weights {
    axis: Axis,
    /// The first of the samples that count. Some more than there are targets, for strips.
    starts: Vec<u32>,
    /// Of each target `pairs` pairs, which add up to one; zeros where there are no samples.
    weights: Vec<[i16; 2]>,
    pairs: usize,
}

impl Weights {
    /// Room for targets is made up to a multiple of this.
    const ROUND: usize = 8;

    pub(crate) fn new(axis: Axis) -> Self {
        let scale = axis.step.max(1.0);
        let pairs = ((2.0 * LOBES * scale).ceil() as usize).min(axis.length).div_ceil(2);
        let padded = axis.count.next_multiple_of(Self::ROUND);
        let mut weights = vec![[0; 2]; padded * pairs];
        let mut exact = vec![0.0; 2 * pairs];
        let turn = libm::sincos(PI / (LOBES * scale));
        let starts = weights.chunks_exact_mut(pairs).enumerate().map(|(index, weights)| {
            let index = index.min(axis.count - 1) as f64;
            let center = (axis.start + (index + 0.5) * axis.step).clamp(0.0, axis.length as f64);
            let first = (center - LOBES * scale + 0.5).max(0.0) as usize;
            let start = first.min(axis.length.saturating_sub(2 * pairs));
            // What lies beyond the last sample counts nothing.
            let samples = exact.len().min(axis.length);
            lanczos(&mut exact[..samples], start as f64 + 0.5 - center, scale, turn);
            quantize(&exact, weights.as_flattened_mut());
            start as u32
        });
        let starts = starts.collect();
        Self { axis, starts, weights, pairs }
    }

    pub(super) fn count(&self) -> usize {
        self.axis.count
    }

    pub(super) fn taps(&self) -> usize {
        2 * self.pairs
    }

    pub(crate) fn axis(&self) -> Axis {
        self.axis
    }

    /// The first sample that counts for a target, and the weights from there on.
    #[inline(always)]
    pub(super) fn of(&self, index: usize) -> (usize, &[[i16; 2]]) {
        (self.starts[index] as usize, &self.weights[index * self.pairs..][..self.pairs])
    }
}

/// Lobes of the function on each side.
const LOBES: f64 = 3.0;

/// `sinc(x)·sinc(x/3)` of distances `x` from `distance/scale` on, `1/scale` apart; `turn` is the sine and cosine of that,
/// times `π/3`.
///
/// With `y = πx/3` this is `sin(3y)·sin(y) / 3y²`, and `sin(3y) = 3·sin(y) - 4·sin³(y)`. Sines follow from each other by
/// rotation. `libm` computes the first: those of the system's library may depend on the processor.
fn lanczos(values: &mut [f64], distance: f64, scale: f64, (turn_sin, turn_cos): (f64, f64)) {
    let unit = PI / (LOBES * scale);
    let (mut sin, mut cos) = libm::sincos(distance * unit);
    for (index, value) in values.iter_mut().enumerate() {
        let y = (distance + index as f64) * unit;
        let square = sin * sin;
        *value = match y.abs() {
            beyond if beyond >= PI => 0.0,
            close if close < 1e-5 => 1.0,
            _ => square / (y * y) * (1.0 - square * (4.0 / 3.0)),
        };
        (sin, cos) = (sin * turn_cos + cos * turn_sin, cos * turn_cos - sin * turn_sin);
    }
}

/// The same in fixed point, adding up to one, since even areas must stay what they are: what rounding takes from one it
/// gives to the next.
fn quantize(exact: &[f64], weights: &mut [i16]) {
    let one = f64::from(1 << WEIGHT);
    let factor = one / exact.iter().sum::<f64>();
    let (mut sum, mut rounded) = (0.0, 0);
    for (weight, exact) in weights.iter_mut().zip(exact) {
        sum += exact * factor;
        // To nearest, without a function for that: sums are far above -2.
        let next = (sum + 2.0 * one + 0.5) as i32 - (2 << WEIGHT);
        *weight = (next - rounded) as i16;
        rounded = next;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_definition(x: f64) -> f64 {
        let sinc = |x: f64| if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
        if x.abs() < 3.0 { sinc(x) * sinc(x / 3.0) } else { 0.0 }
    }

    proptest! {
        #[test]
        fn weights_are_those_of_the_definition(
            length in 1..4000_usize, count in 1..400_usize, start in -1.0..2.0_f64, part in 0.3..1.1_f64,
        ) {
            let axis = Axis { length, count, start, step: part * length as f64 / count as f64 };
            let weights = Weights::new(axis);
            for index in 0..count {
                let (first, pairs) = weights.of(index);
                let found: Vec<i32> = pairs.as_flattened().iter().map(|weight| i32::from(*weight)).collect();
                prop_assert_eq!(found.iter().sum::<i32>(), 1 << WEIGHT);
                let center = (start + (index as f64 + 0.5) * axis.step).clamp(0.0, length as f64);
                let exact = |sample: usize| {
                    let inside = sample < length;
                    let x = (sample as f64 + 0.5 - center) / axis.step.max(1.0);
                    if inside { by_definition(x) } else { 0.0 }
                };
                let sum: f64 = (0..length).map(exact).sum();
                for (offset, weight) in found.iter().enumerate() {
                    let exact = exact(first + offset) / sum * f64::from(1 << WEIGHT);
                    prop_assert!((f64::from(*weight) - exact).abs() <= 1.01, "{exact} {weight}");
                }
            }
        }
    }

    #[test]
    fn a_row_that_stays_as_it_is_is_copied() {
        let weights = Weights::new(Axis { length: 9, count: 9, start: 0.0, step: 1.0 });
        assert_eq!(weights.of(4), (2, &[[0, 0], [1 << WEIGHT, 0], [0, 0]][..]));
        assert_eq!(weights.of(8), (3, &[[0, 0], [0, 0], [0, 1 << WEIGHT]][..]), "within what there is");
    }

    #[test]
    fn a_single_sample_is_all_there_is() {
        let weights = Weights::new(Axis { length: 1, count: 3, start: 0.0, step: 1.0 / 3.0 });
        assert_eq!(weights.of(2), (0, &[[1 << WEIGHT, 0]][..]));
    }
}
