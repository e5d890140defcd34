//! Every implementation makes the same samples of the same coefficients, also of those that no encoder makes.

#![cfg(target_arch = "x86_64")]

use proptest::prelude::*;
use proptest::{array, collection};

use super::avx2::Avx2;
use super::portable::Portable;
use super::*;

fn coefficient() -> impl Strategy<Value = i16> {
    prop_oneof![4 => Just(0), 3 => -64..64_i16, 1 => any::<i16>(), 1 => Just(i16::MIN), 1 => Just(i16::MAX)]
}

fn block() -> impl Strategy<Value = Block> {
    collection::vec(coefficient(), 64).prop_map(|all| Block(all.try_into().expect("64 of them")))
}

/// Within the function that makes AVX2 available.
struct Samples<'a>(Avx2, [&'a Block; 2], &'a Steps);

impl WithSimd for Samples<'_> {
    type Output = ([[u8; 8]; 8], [[u8; 8]; 4]);

    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        let Samples(transform, blocks, steps) = self;
        (transform.whole(blocks[0], steps), transform.half(blocks, steps))
    }
}

proptest! {
    #[test]
    fn avx2_and_portable_agree(first in block(), second in block(), steps in array::uniform32(1..=255_i16)) {
        let Some(v3) = pulp::x86::V3::try_new() else {
            eprintln!("skipped: the processor has no AVX2");
            return Ok(());
        };
        let mut all = [1; 64];
        all[..32].copy_from_slice(&steps);
        let blocks = [&first, &second];
        let (whole, half) = Simd::vectorize(v3, Samples(Avx2(v3), blocks, &all));
        prop_assert_eq!(whole, Portable.whole(&first, &all));
        prop_assert_eq!(half, Portable.half(blocks, &all));
    }
}
