//! Every implementation makes the same blocks of the same samples.

#![cfg(target_arch = "x86_64")]

use proptest::prelude::*;
use proptest::{array, collection};

use super::avx2::Avx2;
use super::portable::Portable;
use super::*;
use crate::encode::quantization::Table;

fn samples() -> impl Strategy<Value = Samples> {
    let sample = prop_oneof![2 => any::<u8>(), 1 => Just(0), 1 => Just(255)];
    let flat = any::<u8>().prop_map(|sample| vec![sample; 128]);
    prop_oneof![4 => collection::vec(sample, 128), 1 => flat].prop_map(|all| {
        let rows = all.as_chunks::<16>().0;
        rows.try_into().expect("eight rows")
    })
}

/// Within the function that makes AVX2 available.
struct Pair<'a>(Avx2, &'a Samples, &'a Divisors);

impl WithSimd for Pair<'_> {
    type Output = [Quantized; 2];

    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        let mut blocks = [Quantized::ZERO; 2];
        self.0.pair(self.1, self.2, &mut blocks);
        blocks
    }
}

proptest! {
    #[test]
    fn avx2_and_portable_agree(samples in samples(), steps in array::uniform32(1..=255_u8)) {
        let Some(v3) = pulp::x86::V3::try_new() else {
            eprintln!("skipped: the processor has no AVX2");
            return Ok(());
        };
        let mut all = [1; 64];
        all[..32].copy_from_slice(&steps);
        let divisors = Divisors::new(&Table(all));
        let found = Simd::vectorize(v3, Pair(Avx2(v3), &samples, &divisors));
        let mut expected = [Quantized::ZERO; 2];
        Portable.pair(&samples, &divisors, &mut expected);
        prop_assert_eq!(found, expected);
    }
}
