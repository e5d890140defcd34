//! Of the same planes, every byte of the file is the same.

use jpeg::{EncodeError, Encoder, Pixels, Plane, Scale, decode};
use proptest::prelude::*;
use turbojpeg::{Compressor, Image, PixelFormat, Subsamp, YuvImage};

use crate::photographs;

/// Three planes as they are given to the encoder.
#[derive(Debug, Clone)]
struct Planes {
    size: (usize, usize),
    /// How much longer rows are than wide.
    gap: usize,
    samples: [Vec<u8>; 3],
}

impl Planes {
    /// `sample` is called with component, column and row.
    fn new(size: (usize, usize), gap: usize, mut sample: impl FnMut(usize, usize, usize) -> u8) -> Self {
        let samples = [0, 1, 2].map(|component| {
            let (width, height) = of(component, size);
            let mut samples = Vec::new();
            for y in 0..height {
                samples.extend((0..width).map(|x| sample(component, x, y)));
                // What lies between rows is not looked at.
                samples.extend((0..gap).map(|x| (x * 77) as u8));
            }
            samples.truncate(samples.len() - gap);
            samples
        });
        Self { size, gap, samples }
    }

    fn planes(&self) -> [Plane<'_>; 3] {
        [0, 1, 2].map(|component| {
            let (width, height) = of(component, self.size);
            Plane { width, height, stride: width + self.gap, samples: &self.samples[component] }
        })
    }

    /// What libjpeg-turbo makes of them. It wants even rows and columns of luminance: the last ones are repeated.
    fn expected(&self, quality: u8) -> Vec<u8> {
        let (width, height) = self.size;
        let mut pixels = Vec::new();
        for (component, plane) in self.planes().iter().enumerate() {
            let even = |size: usize| if component == 0 { size.next_multiple_of(2) } else { size };
            for y in 0..even(plane.height) {
                let row = &plane.samples[y.min(plane.height - 1) * plane.stride..][..plane.width];
                pixels.extend((0..even(plane.width)).map(|x| row[x.min(plane.width - 1)]));
            }
        }
        let image = YuvImage { pixels: &pixels[..], width, align: 1, height, subsamp: Subsamp::Sub2x2 };
        let mut encoder = Compressor::new().expect("an encoder");
        encoder.set_quality(i32::from(quality)).expect("a quality");
        encoder.compress_yuv_to_vec(image).expect("a picture")
    }
}

/// The size of a component.
fn of(component: usize, (width, height): (usize, usize)) -> (usize, usize) {
    if component == 0 { (width, height) } else { (width.div_ceil(2), height.div_ceil(2)) }
}

/// What pictures show.
#[derive(Debug, Clone, Copy)]
enum Content {
    Noise(u8),
    Slopes(usize, usize),
    Flat([u8; 3]),
    /// Squares of so many samples, black and white: the largest coefficients that there are.
    Squares(usize),
    /// Few coefficients, far apart.
    Dots(usize),
}

impl Content {
    fn drawn(self, size: (usize, usize), gap: usize) -> Planes {
        let mut state = 1_u32;
        Planes::new(size, gap, |component, x, y| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            match self {
                Self::Noise(most) => 99_u8.wrapping_add((state >> 24) as u8 % most.max(1)),
                Self::Slopes(across, down) => (x * across + y * down + 50 * component) as u8,
                Self::Flat(samples) => samples[component],
                Self::Squares(side) => {
                    if (x / side + y / side).is_multiple_of(2) {
                        0
                    } else {
                        255
                    }
                }
                Self::Dots(apart) => {
                    if (x * 7 + y * 13).is_multiple_of(apart) {
                        255
                    } else {
                        128
                    }
                }
            }
        })
    }
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        any::<u8>().prop_map(Content::Noise),
        (0..20_usize, 0..20_usize).prop_map(|(across, down)| Content::Slopes(across, down)),
        any::<[u8; 3]>().prop_map(Content::Flat),
        (1..9_usize).prop_map(Content::Squares),
        (2..200_usize).prop_map(Content::Dots),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_byte_is_libjpegs(
        content in content(), size in (1..=70_usize, 1..=70_usize), gap in 0..40_usize, quality in 1..=100_u8,
    ) {
        let planes = content.drawn(size, gap);
        let found = Encoder::default().encode(planes.planes(), quality).expect("a picture");
        prop_assert!(found == planes.expected(quality), "other bytes");
    }
}

#[test]
fn an_encoder_forgets_the_picture_before() {
    let mut encoder = Encoder::default();
    for (size, quality) in [((1200, 40), 90), ((17, 33), 1), ((1, 1), 100), ((1041, 41), 100), ((560, 8), 90)]
    {
        let planes = Content::Noise(200).drawn(size, 3);
        let found = encoder.encode(planes.planes(), quality).expect("a picture");
        assert!(found == planes.expected(quality), "{size:?} at {quality}");
    }
}

#[test]
fn photographs_are_encoded_alike() {
    let mut encoder = Encoder::default();
    for (folder, at_most) in [("photos", 15), ("raccoon/images", 40)] {
        photographs::each(folder, at_most, |file, data| {
            let planes = photograph(data);
            for quality in [30, 75, 90, 100] {
                let found = encoder.encode(planes.planes(), quality).expect("a picture");
                assert!(found == planes.expected(quality), "{} at {quality}", file.display());
            }
        });
    }
}

/// The planes of a photograph at half its size, by way of a file without losses worth mentioning.
fn photograph(data: &[u8]) -> Planes {
    let picture = decode(data, Scale::Half, Pixels::Rgb).expect("a regular file");
    let (width, height) = (picture.width, picture.height);
    let mut pixels = picture.samples;
    if picture.pixels == Pixels::Gray {
        pixels = pixels.iter().flat_map(|sample| [*sample; 3]).collect();
    }
    let (pixels, pitch, format) = (&pixels[..], picture.width * 3, PixelFormat::RGB);
    let image = Image { pixels, width, pitch, height, format };
    let file = turbojpeg::compress(image, 100, Subsamp::Sub2x2).expect("a picture");
    let yuv = turbojpeg::decompress_to_yuv(&file).expect("a good file");
    let planes = yuv.as_deref();
    let (mut strides, mut starts) = ([0; 3], [0; 3]);
    let mut end = 0;
    for component in 0..3 {
        let (across, down) = of(component, (width.next_multiple_of(2), height.next_multiple_of(2)));
        (strides[component], starts[component]) = (across.next_multiple_of(planes.align), end);
        end += strides[component] * down;
    }
    Planes::new((width, height), 0, |component, x, y| {
        planes.pixels[starts[component] + y * strides[component] + x]
    })
}

#[test]
fn what_is_no_picture_is_refused() {
    let planes = Content::Flat([1, 2, 3]).drawn((20, 10), 0);
    let encode = |change: fn(&mut [Plane<'_>; 3]), quality| {
        let mut planes = planes.planes();
        change(&mut planes);
        Encoder::default().encode(planes, quality)
    };
    assert!(encode(|_| {}, 90).is_ok());
    assert_eq!(encode(|_| {}, 0), Err(EncodeError::Quality(0)));
    assert_eq!(encode(|_| {}, 101), Err(EncodeError::Quality(101)));
    assert_eq!(encode(|planes| planes[0].width = 0, 90), Err(EncodeError::Size(0, 10)));
    assert_eq!(encode(|planes| planes[0].height = 65536, 90), Err(EncodeError::Size(20, 65536)));
    assert_eq!(encode(|planes| planes[1].width = 9, 90), Err(EncodeError::Chrominance(9, 5)));
    assert_eq!(encode(|planes| planes[0].stride = 21, 90), Err(EncodeError::Samples));
    assert_eq!(encode(|planes| planes[0].stride = 19, 90), Err(EncodeError::Samples));
    assert_eq!(encode(|planes| planes[2].stride = usize::MAX, 90), Err(EncodeError::Samples));
}
