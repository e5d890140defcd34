//! How long encoding takes, compared with libjpeg-turbo: `encoding QUALITY FILE...`
//!
//! Files are decoded to half their size, as photographs are made smaller; then both encoders take turns, and of each the
//! fastest turn counts.
#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::time::{Duration, Instant};

use jpeg::{Encoder, Pixels, Plane, Scale, decode};
use turbojpeg::{Compressor, Image, OutputBuf, PixelFormat, Subsamp, YuvImage};

const TURNS: usize = 9;

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let quality: u8 = arguments.next().ok_or("which quality?")?.parse()?;
    let (mut ours, mut theirs) = (Encoder::default(), Compressor::new()?);
    theirs.set_quality(i32::from(quality))?;
    let (mut times, mut blocks, mut bytes) = ([Duration::ZERO; 2], 0, 0);
    for file in arguments {
        let yuv = planes(&std::fs::read(file)?)?;
        let mut fastest = [Duration::MAX; 2];
        for _ in 0..TURNS {
            let start = Instant::now();
            let found = ours.encode(split(&yuv), quality)?;
            fastest[0] = fastest[0].min(start.elapsed());
            let start = Instant::now();
            let mut expected = OutputBuf::new_owned();
            theirs.compress_yuv(yuv.as_deref(), &mut expected)?;
            fastest[1] = fastest[1].min(start.elapsed());
            assert!(found[..] == expected[..], "other bytes");
            bytes += found.len();
        }
        blocks += yuv.width.div_ceil(16) * yuv.height.div_ceil(16) * 6;
        times = [times[0] + fastest[0], times[1] + fastest[1]];
    }
    let [ours, theirs] = times.map(|time| time.as_secs_f64() * 1e9 / blocks as f64);
    let (bytes, ratio) = (bytes as f64 / (TURNS * blocks) as f64, ours / theirs);
    println!(
        "{blocks} blocks of {bytes:.1} bytes: {ours:.1} ns, libjpeg-turbo {theirs:.1} ns, ratio {ratio:.3}"
    );
    Ok(())
}

fn split(yuv: &YuvImage<Vec<u8>>) -> [Plane<'_>; 3] {
    let (y_size, c_size) = (yuv.y_size(), yuv.uv_size());
    let (y, chrominance) = yuv.pixels.split_at(y_size.0 * y_size.1);
    let (cb, cr) = chrominance.split_at(c_size.0 * c_size.1);
    [(y, y_size), (cb, c_size), (cr, c_size)].map(|(samples, (width, height))| Plane {
        width,
        height,
        stride: width,
        samples,
    })
}

/// Planes of a file, by way of another one without losses worth mentioning.
fn planes(data: &[u8]) -> Result<YuvImage<Vec<u8>>, Error> {
    let picture = decode(data, Scale::Half, Pixels::Rgb)?;
    // Planes have even sizes; what is repeated beyond odd ones is not timed.
    let (width, height) = (picture.width & !1, picture.height & !1);
    let mut pixels = picture.samples;
    if picture.pixels == Pixels::Gray {
        pixels = pixels.iter().flat_map(|sample| [*sample; 3]).collect();
    }
    let (pixels, pitch, format) = (&pixels[..], picture.width * 3, PixelFormat::RGB);
    let image = Image { pixels, width, pitch, height, format };
    let file = turbojpeg::compress(image, 100, Subsamp::Sub2x2)?;
    let mut yuv = turbojpeg::decompress_to_yuv(&file)?;
    // Without gaps between rows.
    let length = turbojpeg::yuv_pixels_len(width, 1, height, Subsamp::Sub2x2)?;
    (yuv.align, yuv.pixels) = (1, vec![0; length]);
    turbojpeg::Decompressor::new()?.decompress_to_yuv(&file, yuv.as_deref_mut())?;
    Ok(yuv)
}
