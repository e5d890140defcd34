use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use proptest::prelude::*;

use super::*;

/// A plane with noise, beside the picture too.
fn plane(width: usize, height: usize, seed: u32) -> PlaneBuf {
    let stride = PlaneBuf::stride_of(width);
    let mut state = seed;
    let samples = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if state & 0x3000 == 0 { [0, 255][(state >> 31) as usize] } else { (state >> 24) as u8 }
    });
    PlaneBuf { width, height, stride, samples: samples.take(stride * height).collect() }
}

fn rows(plane: &PlaneBuf) -> Vec<&[u8]> {
    plane.samples.chunks_exact(plane.stride).map(|row| &row[..plane.width]).collect()
}

fn axis(length: usize, count: usize) -> Axis {
    Axis { length, count, start: 0.0, step: length as f64 / count as f64 }
}

/// By the slow way that every processor can take.
fn portable(source: &PlaneBuf, across: &Weights, down: &Weights) -> PlaneBuf {
    let (width, height) = (across.count(), down.count());
    let stride = PlaneBuf::stride_of(width);
    let mut target = PlaneBuf { width, height, stride, samples: vec![0; stride * height] };
    let mut scratch = Resampler::default();
    let job = Job { source, across, down, target: &mut target, scratch: &mut scratch };
    Arch::Scalar.dispatch(portable::Rows(job));
    target
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn samples_are_the_same_on_all_processors(
        from in (1..90_usize, 1..90_usize), to in (1..90_usize, 1..90_usize), seed: u32,
        start in -1.0..3.0_f64, part in 0.5..1.0_f64,
    ) {
        let source = plane(from.0, from.1, seed);
        let weights = |from: usize, to: usize| {
            let Axis { step, .. } = axis(from, to);
            Weights::new(Axis { start, step: step * part, ..axis(from, to) })
        };
        let (across, down) = (weights(from.0, to.0), weights(from.1, to.1));
        let mut resampler = Resampler::default();
        // What an earlier picture left must not show.
        resampler.resample(&plane(77, 55, seed), &Weights::new(axis(77, 99)), &Weights::new(axis(55, 88)), vec![7; 9]);
        let found = resampler.resample(&source, &across, &down, vec![9; 99]);
        let expected = portable(&source, &across, &down);
        prop_assert_eq!(rows(&found), rows(&expected));
    }

    #[test]
    fn samples_are_those_of_another_resizer(
        from in (1..120_usize, 1..120_usize), to in (1..120_usize, 1..120_usize), seed: u32,
    ) {
        // Not so much contrast that the other one, which has whole samples between the passes, has to clamp them there.
        let mut source = plane(from.0, from.1, seed);
        source.samples.iter_mut().for_each(|sample| *sample = 64 + *sample / 2);
        let (across, down) = (Weights::new(axis(from.0, to.0)), Weights::new(axis(from.1, to.1)));
        let found = Resampler::default().resample(&source, &across, &down, Vec::new());

        let tight = rows(&source).concat();
        let input = ImageRef::new(from.0 as u32, from.1 as u32, &tight, PixelType::U8).expect("fits");
        let mut expected = Image::new(to.0 as u32, to.1 as u32, PixelType::U8);
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
        Resizer::new().resize(&input, &mut expected, &options).expect("resizes");
        let found = rows(&found).concat();
        let farthest = found.iter().zip(expected.buffer()).map(|(a, b)| a.abs_diff(*b)).max();
        prop_assert!(farthest <= Some(2), "{farthest:?}");
    }
}

#[test]
fn an_even_area_stays_as_it_is() {
    for value in [0, 1, 127, 255] {
        let source = PlaneBuf { width: 50, height: 40, stride: 64, samples: vec![value; 64 * 40] };
        for count in [1, 7, 49, 50, 51, 200] {
            let (across, down) = (Weights::new(axis(50, count)), Weights::new(axis(40, count)));
            let made = Resampler::default().resample(&source, &across, &down, Vec::new());
            assert!(rows(&made).concat().iter().all(|sample| *sample == value), "{value} {count}");
        }
    }
}
