//! Of a regular file every sample is the same, of a doubtful one nothing is taken.

use jpeg::{Irregular, Picture, Pixels, Scale, decode, decode_planes};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use proptest::prelude::*;
use proptest::sample::Index;
use turbojpeg::{Colorspace, Compressor, Decompressor, Image, PixelFormat, ScalingFactor, Subsamp, YuvImage};

use crate::photographs;

const SCALES: [(Scale, usize); 4] =
    [(Scale::Whole, 1), (Scale::Half, 2), (Scale::Quarter, 4), (Scale::Eighth, 8)];

/// What libjpeg-turbo makes of a file, or why it warns.
fn expected(data: &[u8], divisor: usize, pixels: Pixels) -> Result<Picture, String> {
    let failed = |error: turbojpeg::Error| error.to_string();
    let mut decoder = Decompressor::new().map_err(failed)?;
    let header = decoder.read_header(data).map_err(failed)?;
    let (format, pixels) = match (header.colorspace, pixels) {
        (Colorspace::Gray, _) => (PixelFormat::GRAY, Pixels::Gray),
        (_, Pixels::Rgbx) => (PixelFormat::RGBX, pixels),
        _ => (PixelFormat::RGB, pixels),
    };
    decoder.set_scaling_factor(ScalingFactor::new(1, divisor)).map_err(failed)?;
    let (width, height) = (header.width.div_ceil(divisor), header.height.div_ceil(divisor));
    let pitch = width * format.size();
    let mut samples = vec![0; pitch * height];
    decoder
        .decompress(data, Image { pixels: &mut samples[..], width, pitch, height, format })
        .map_err(failed)?;
    Ok(Picture { width, height, pixels, samples })
}

/// Checks that a file is decoded as libjpeg-turbo decodes it, at every scale and layout.
fn same(data: &[u8]) -> Result<(), TestCaseError> {
    for (scale, divisor) in SCALES {
        for pixels in [Pixels::Rgb, Pixels::Rgbx] {
            let found = decode(data, scale, pixels);
            let expected = expected(data, divisor, pixels).map_err(TestCaseError::fail)?;
            prop_assert!(
                found.as_ref() == Ok(&expected),
                "{scale:?} {pixels:?}: {:?}",
                found.map(|_| "other samples")
            );
        }
    }
    Ok(())
}

/// Checks that planes are those that libjpeg-turbo makes, whatever the scale of the others.
fn same_planes(data: &[u8]) -> Result<(), TestCaseError> {
    let expected = SCALES.map(|(_, divisor)| expected_planes(data, divisor));
    for (luma, (scale, _)) in SCALES.iter().enumerate() {
        for (chroma, (chroma_scale, _)) in SCALES.iter().enumerate() {
            let found =
                decode_planes(data, *scale, *chroma_scale).map_err(|error| TestCaseError::fail(error.0))?;
            prop_assert_eq!(found.len(), expected[luma].len());
            for (index, plane) in found.iter().enumerate() {
                let rows = plane.samples.chunks_exact(plane.stride).map(|row| row[..plane.width].to_vec());
                let expected = &expected[if index == 0 { luma } else { chroma }][index];
                prop_assert!(rows.eq(expected.iter().cloned()), "{scale:?} {chroma_scale:?} {index}");
            }
        }
    }
    Ok(())
}

/// The rows of each component, without what libjpeg-turbo adds for an even number.
fn expected_planes(data: &[u8], divisor: usize) -> Vec<Vec<Vec<u8>>> {
    let mut decoder = Decompressor::new().expect("a decoder");
    let header = decoder.read_header(data).expect("a header");
    decoder.set_scaling_factor(ScalingFactor::new(1, divisor)).expect("a scale");
    let (width, height) = (header.width.div_ceil(divisor), header.height.div_ceil(divisor));
    let length = turbojpeg::yuv_pixels_len(width, 1, height, header.subsamp).expect("a size");
    let mut image = YuvImage { pixels: vec![0; length], width, align: 1, height, subsamp: header.subsamp };
    decoder.decompress_to_yuv(data, image.as_deref_mut()).expect("planes");
    let shared = match header.subsamp {
        Subsamp::Sub2x1 => (2, 1),
        Subsamp::Sub1x2 => (1, 2),
        Subsamp::Sub2x2 => (2, 2),
        _ => (1, 1),
    };
    let padded = (width.next_multiple_of(shared.0), height.next_multiple_of(shared.1));
    let chroma = (padded.0 / shared.0, padded.1 / shared.1);
    let sizes = if header.subsamp == Subsamp::Gray { vec![padded] } else { vec![padded, chroma, chroma] };
    let mut rest = &image.pixels[..];
    let planes = sizes.into_iter().enumerate().map(|(index, (across, down))| {
        let (plane, others) = rest.split_at(across * down);
        rest = others;
        let (width, height) = if index == 0 { (width, height) } else { chroma };
        plane.chunks_exact(across).take(height).map(|row| row[..width].to_vec()).collect()
    });
    planes.collect()
}

/// Pictures with edges, slopes and noise.
fn drawn(width: usize, height: usize, noise: u8, channels: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8 % noise.max(1)
    };
    let mut samples = Vec::with_capacity(width * height * channels);
    for y in 0..height {
        for x in 0..width {
            let disc = (x * x + y * y) % 1009 < 300;
            for channel in 0..channels {
                let slope = (x * (3 + channel) + y * (5 - channel)) as u8;
                samples.push(if disc { 255 - slope } else { slope }.wrapping_add(random()));
            }
        }
    }
    samples
}

#[derive(Debug, Clone)]
struct Drawing {
    size: (usize, usize),
    noise: u8,
    quality: u8,
    progressive: bool,
    optimized: bool,
}

fn drawing() -> impl Strategy<Value = Drawing> {
    let size = (1..70_usize, 1..70_usize);
    (size, any::<u8>(), 1..=100_u8, any::<bool>(), any::<bool>()).prop_map(
        |(size, noise, quality, progressive, optimized)| Drawing {
            size,
            noise,
            quality,
            progressive,
            optimized,
        },
    )
}

fn by_libjpeg(drawing: &Drawing, subsampling: Subsamp) -> Vec<u8> {
    let (width, height) = drawing.size;
    let pixels = drawn(width, height, drawing.noise, 3);
    let mut encoder = Compressor::new().expect("an encoder");
    encoder.set_quality(i32::from(drawing.quality)).expect("a quality");
    encoder.set_subsamp(subsampling).expect("a sampling");
    encoder.set_progressive(drawing.progressive).expect("progressive");
    encoder.set_optimize(drawing.optimized).expect("optimized");
    let image = Image { pixels: &pixels[..], width, pitch: width * 3, height, format: PixelFormat::RGB };
    encoder.compress_to_vec(image).expect("a picture")
}

fn by_another(drawing: &Drawing, sampling: SamplingFactor, restart: u16, gray: bool) -> Vec<u8> {
    let (width, height) = drawing.size;
    let mut data = Vec::new();
    let mut encoder = Encoder::new(&mut data, drawing.quality);
    encoder.set_sampling_factor(sampling);
    encoder.set_progressive(drawing.progressive);
    if restart > 0 {
        encoder.set_restart_interval(restart);
    }
    let (kind, channels) = if gray { (ColorType::Luma, 1) } else { (ColorType::Rgb, 3) };
    let pixels = drawn(width, height, drawing.noise, channels);
    encoder.encode(&pixels, width as u16, height as u16, kind).expect("a picture");
    data
}

fn subsampling() -> impl Strategy<Value = Subsamp> {
    prop::sample::select(vec![
        Subsamp::None,
        Subsamp::Sub2x1,
        Subsamp::Sub1x2,
        Subsamp::Sub2x2,
        Subsamp::Gray,
    ])
}

fn sampling() -> impl Strategy<Value = SamplingFactor> {
    prop::sample::select(vec![
        SamplingFactor::F_1_1,
        SamplingFactor::F_2_1,
        SamplingFactor::F_1_2,
        SamplingFactor::F_2_2,
    ])
}

proptest! {
    #[test]
    fn files_of_libjpeg_decode_alike(drawing in drawing(), subsampling in subsampling()) {
        let data = by_libjpeg(&drawing, subsampling);
        same(&data)?;
        same_planes(&data)?;
    }

    #[test]
    fn files_of_another_encoder_decode_alike(
        drawing in drawing(), sampling in sampling(), restart in 0..6_u16, gray in any::<bool>(),
    ) {
        same(&by_another(&drawing, sampling, restart, gray))?;
    }

    /// Damage is found, or does no harm: whatever is still decoded, libjpeg-turbo decodes without a warning. (Samples
    /// may be others: of coefficients that no picture has, libjpeg-turbo's own implementations make different ones.)
    #[test]
    fn what_is_doubtful_is_left_alone(
        drawing in drawing(), subsampling in subsampling(), damage in damage(), scale in 0..4_usize,
    ) {
        let mut data = by_libjpeg(&drawing, subsampling);
        damage.apply(&mut data);
        let (scale, divisor) = SCALES[scale];
        if let Ok(found) = decode(&data, scale, Pixels::Rgb) {
            let expected = expected(&data, divisor, Pixels::Rgb).map_err(TestCaseError::fail)?;
            prop_assert_eq!((found.width, found.height, found.pixels), (expected.width, expected.height, expected.pixels));
        }
    }
}

#[derive(Debug, Clone)]
enum Damage {
    Changed(Vec<(Index, u8)>),
    CutOff(Index),
    Removed(Index),
    Inserted(Index, u8),
}

impl Damage {
    /// Damages what follows the JFIF segment, of whose version libjpeg-turbo has opinions.
    fn apply(&self, data: &mut Vec<u8>) {
        const JFIF: usize = 20;
        let place = |index: &Index| JFIF + index.index(data.len() - JFIF);
        match self {
            Self::Changed(bytes) => {
                let places: Vec<_> = bytes.iter().map(|(index, byte)| (place(index), *byte)).collect();
                for (place, byte) in places {
                    data[place] = byte;
                }
            }
            Self::CutOff(index) => data.truncate(place(index)),
            Self::Removed(index) => {
                data.remove(place(index));
            }
            Self::Inserted(index, byte) => data.insert(place(index), *byte),
        }
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        prop::collection::vec(any::<(Index, u8)>(), 1..4).prop_map(Damage::Changed),
        any::<Index>().prop_map(Damage::CutOff),
        any::<Index>().prop_map(Damage::Removed),
        any::<(Index, u8)>().prop_map(|(index, byte)| Damage::Inserted(index, byte)),
    ]
}

#[test]
fn more_blocks_than_an_mcu_may_have_are_left_alone() {
    let drawing = Drawing { size: (32, 32), noise: 9, quality: 80, progressive: false, optimized: false };
    let mut data = by_libjpeg(&drawing, Subsamp::None);
    let frame = data.windows(2).position(|marker| marker == [0xff, 0xc0]).expect("a frame header");
    for component in 0..3 {
        let sampling = &mut data[frame + 11 + 3 * component];
        assert_eq!(*sampling, 0x11);
        *sampling = 0x22;
    }
    assert_eq!(decode(&data, Scale::Whole, Pixels::Rgb), Err(Irregular("an odd scan header")));
    assert!(expected(&data, 1, Pixels::Rgb).is_err());
}

#[test]
fn photographs_are_regular_and_decode_alike() {
    for (folder, at_most) in [("photos", 15), ("raccoon/images", 40)] {
        photographs::each(folder, at_most, |file, data| {
            for (scale, divisor) in [(Scale::Whole, 1), (Scale::Half, 2)] {
                let found = decode(data, scale, Pixels::Rgbx).expect("a regular file");
                let expected = expected(data, divisor, Pixels::Rgbx).expect("a good file");
                assert!(found == expected, "{}", file.display());
            }
        });
    }
}
