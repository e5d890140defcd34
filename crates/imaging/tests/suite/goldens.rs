//! The bytes of variants, pinned. They are the same on every processor: that was tried under emulated ones without AVX
//! and with AVX2, and on one with AVX-512 (docs/performance.md). When they change on purpose, raise
//! `NormalizationPolicy::ENCODER_VERSION` and take the new ones from this test's message.

use imaging::{Limits, Normalizer, Original};
use types::{AlphaPolicy, JpegQuality, NormalizationPolicy, OutputFormat, Rgb, Sha256};

use crate::samples::{jpeg, picture, stock};

const SIZES: &str = "360p,300x200,120x120:crop,50x90:stretch,700x700:stretch";

/// First 16 digits of the SHA-256 of each variant, in the order of the sizes.
const GOLDENS: [(&str, [&str; 5]); 4] = [
    (
        "baseline jpeg to jpeg",
        ["6de33f329e33bf55", "3e52aad6c416e7c4", "272c0905cabf09e9", "af9d91337033f449", "739b4a324142412b"],
    ),
    (
        "progressive jpeg to png",
        ["03bfd4443fbba8d1", "63886184d68c42d3", "423ac07df07558f7", "4c38e1bbbeb50f14", "bc554fe811ddfcce"],
    ),
    (
        "png to jpeg",
        ["3a7732a1d0fdebd0", "ace72edfbdf00a4f", "14ed50f94adce398", "bbc75560fca3d4dd", "b1164feef6b551f7"],
    ),
    (
        "transparent png to png",
        ["540d134b57c83d45", "f10e6a0ac8a1f033", "69b2b975c08457b0", "47c60ed4cfdbec34", "680df56be889e329"],
    ),
];

fn policy(format: OutputFormat, alpha: AlphaPolicy) -> NormalizationPolicy {
    NormalizationPolicy::new(SIZES.parse().expect("valid"), format, alpha, Rgb([1, 2, 3])).expect("valid")
}

#[test]
fn variants_have_the_bytes_that_they_always_had() {
    // Odd sizes, so that reductions round, and large enough for one.
    let drawn = picture(1601, 1203);
    let glass = image::DynamicImage::ImageRgb8(picture(401, 303)).to_rgba8();
    let glass = image::RgbaImage::from_fn(401, 303, |x, y| {
        let [r, g, b, _] = glass.get_pixel(x, y).0;
        image::Rgba([r, g, b, (x % 256) as u8])
    });
    let mut transparent = std::io::Cursor::new(Vec::new());
    glass.write_to(&mut transparent, image::ImageFormat::Png).expect("a PNG");
    let quality = JpegQuality::default();
    let (as_jpeg, as_png) = (OutputFormat::Jpeg { quality }, OutputFormat::Png);
    let white = AlphaPolicy::Flatten { background: Rgb::WHITE };
    let inputs = [
        (jpeg(&drawn, false), policy(as_jpeg, white)),
        (jpeg(&drawn, true), policy(as_png, white)),
        (stock(&drawn, image::ImageFormat::Png), policy(as_jpeg, white)),
        (transparent.into_inner(), policy(as_png, AlphaPolicy::Keep)),
    ];
    // One after the other, as a worker does: what is kept between pictures must not show.
    let (mut normalizer, limits) = (Normalizer::default(), Limits::default());
    let found: Vec<(&str, Vec<String>)> = inputs
        .iter()
        .zip(GOLDENS)
        .map(|((data, policy), (name, _))| {
            let original = Original::open(data, &limits).expect("opens");
            let made = normalizer.normalize(&original, policy).expect("normalizes");
            let digest = |bytes: &[u8]| Sha256::of(bytes).to_hex().chars().take(16).collect();
            (name, made.renditions.iter().map(|rendition| digest(&rendition.bytes)).collect())
        })
        .collect();
    let expected: Vec<_> =
        GOLDENS.iter().map(|(name, digests)| (*name, digests.map(str::to_owned).to_vec())).collect();
    assert_eq!(found, expected);
}
