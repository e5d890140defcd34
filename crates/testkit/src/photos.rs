//! Small pictures, each different.

use jpeg_encoder::{ColorType, Encoder};

/// A JPEG of random tiles; the seed decides every pixel.
pub fn photo(seed: u64, width: u16, height: u16) -> Vec<u8> {
    const TILE: u16 = 16;
    let tile = |x: u16, y: u16| mix(seed ^ (u64::from(x / TILE) << 32) ^ (u64::from(y / TILE) << 48));
    let pixels: Vec<u8> = (0..height)
        .flat_map(|y| (0..width).flat_map(move |x| tile(x, y).to_le_bytes().into_iter().take(3)))
        .collect();
    encode(&pixels, width, height)
}

/// A JPEG of pure noise: large for its size.
pub fn noise(seed: u64, width: u16, height: u16) -> Vec<u8> {
    let count = u64::from(width) * u64::from(height) * 3;
    let pixels: Vec<u8> = (0..count).map(|index| mix(seed.wrapping_add(index)).to_le_bytes()[0]).collect();
    encode(&pixels, width, height)
}

fn encode(pixels: &[u8], width: u16, height: u16) -> Vec<u8> {
    let mut jpeg = Vec::new();
    Encoder::new(&mut jpeg, 90).encode(pixels, width, height, ColorType::Rgb).expect("a picture in memory");
    jpeg
}

/// By how much the state of SplitMix64 grows with each number.
pub(crate) const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64, <https://prng.di.unimi.it/splitmix64.c>.
pub(crate) fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(STEP);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
