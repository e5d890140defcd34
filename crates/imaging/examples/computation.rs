//! What a picture costs the processor, without disk, network or process: for the benchmarks (docs/benchmarks.md).
//!
//! Files are read before the clocks start. Prints one JSON document.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use imaging::{Limits, Normalized, Normalizer, Original};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use turbojpeg::{Compressor, Decompressor, Image, PixelFormat, ScalingFactor, Subsamp};
use types::{AlphaPolicy, JpegQuality, NormalizationPolicy, OutputFormat, Rgb, Sizes};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Work {
    /// libjpeg-turbo alone: its scaled decode, and its encodes of the variants' pixels
    Floor,
    /// What the normalize stage computes
    Normalize,
    /// What the ingest stage computes
    Inspect,
}

#[derive(Debug, Parser)]
struct Arguments {
    /// What to compute
    work: Work,
    /// Originals
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Sizes of the variants
    #[arg(long, default_value = "1080p,720p,800x600:stretch")]
    sizes: Sizes,
    /// Quality of the variants
    #[arg(long, default_value = "85")]
    quality: JpegQuality,
    /// Threads that compute
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// How often each file is taken
    #[arg(long, default_value_t = 1)]
    repeat: usize,
}

/// What one class of files took.
#[derive(Debug, Default, Clone, Copy)]
struct Spent {
    images: usize,
    cpu: Duration,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let read = |path: &PathBuf| std::fs::read(path).with_context(|| path.display().to_string());
    let files: Vec<Vec<u8>> = arguments.files.iter().map(read).collect::<Result<_>>()?;
    let alpha = AlphaPolicy::Flatten { background: Rgb::WHITE };
    let format = OutputFormat::Jpeg { quality: arguments.quality };
    let policy = NormalizationPolicy::new(arguments.sizes.clone(), format, alpha, Rgb::BLACK)?;

    let (next, total) = (AtomicUsize::new(0), files.len() * arguments.repeat);
    let begun = Instant::now();
    let worker = || -> Result<[Spent; 2]> {
        let (mut normalizer, mut spent) = (Normalizer::default(), [Spent::default(); 2]);
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= total {
                return Ok(spent);
            }
            let (data, path) = (&files[index % files.len()], &arguments.files[index % files.len()]);
            let cpu = one(arguments.work, data, &policy, &mut normalizer)
                .with_context(|| path.display().to_string())?;
            let class = &mut spent[usize::from(is_progressive(data))];
            class.images += 1;
            class.cpu += cpu;
        }
    };
    if arguments.threads == 1 {
        // As a decoder process does: on the main thread, whose memory the allocator handles better.
        return report(&[worker()?], begun.elapsed());
    }
    let spent: Vec<[Spent; 2]> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..arguments.threads).map(|_| scope.spawn(worker)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Result<_>>()
    })?;
    report(&spent, begun.elapsed())
}

fn report(spent: &[[Spent; 2]], wall: Duration) -> Result<()> {
    let sum = |pick: fn(&[Spent; 2]) -> Vec<Spent>| {
        spent
            .iter()
            .flat_map(pick)
            .fold(Spent::default(), |a, b| Spent { images: a.images + b.images, cpu: a.cpu + b.cpu })
    };
    let as_json = |spent: Spent| json!({ "images": spent.images, "cpu_s": spent.cpu.as_secs_f64() });
    let all = sum(|classes| classes.to_vec());
    let document: Value = json!({
        "images": all.images,
        "cpu_s": all.cpu.as_secs_f64(),
        "wall_s": wall.as_secs_f64(),
        "baseline": as_json(sum(|classes| vec![classes[0]])),
        "progressive": as_json(sum(|classes| vec![classes[1]])),
    });
    serde_json::to_writer(std::io::stdout(), &document)?;
    Ok(())
}

/// CPU time of one file's work on this thread.
fn one(
    work: Work,
    data: &[u8],
    policy: &NormalizationPolicy,
    normalizer: &mut Normalizer,
) -> Result<Duration> {
    let limits = Limits::default();
    match work {
        Work::Inspect => {
            let (facts, cpu) = timed(|| imaging::inspect(data, &limits));
            facts?;
            Ok(cpu)
        }
        Work::Normalize => {
            let (made, cpu) = timed(|| normalizer.normalize(&Original::open(data, &limits)?, policy));
            made?;
            Ok(cpu)
        }
        Work::Floor => floor(data, &normalizer.normalize(&Original::open(data, &limits)?, policy)?, policy),
    }
}

/// The least that libjpeg-turbo takes: one decode at the smallest scale that covers the variants, and encodes of
/// pictures that are there already.
fn floor(data: &[u8], made: &Normalized, policy: &NormalizationPolicy) -> Result<Duration> {
    let largest = made.renditions.iter().fold((0, 0), |(w, h), r| (r.width.max(w), r.height.max(h)));
    let covers = |divisor: &u32| made.width >= largest.0 * divisor && made.height >= largest.1 * divisor;
    let divisor = [8, 4, 2].into_iter().find(covers).unwrap_or(1);
    let pictures: Vec<_> = made
        .renditions
        .iter()
        .map(|r| turbojpeg::decompress(&r.bytes, PixelFormat::RGB))
        .collect::<Result<_, _>>()?;
    let OutputFormat::Jpeg { quality } = policy.format() else { anyhow::bail!("JPEG only") };
    let (done, cpu) = timed(|| -> Result<()> {
        let mut decoder = Decompressor::new()?;
        let header = decoder.read_header(data)?;
        let factor = ScalingFactor::new(1, divisor as usize);
        decoder.set_scaling_factor(factor)?;
        let scaled = header.scaled(factor);
        let (width, height, pitch) = (scaled.width, scaled.height, scaled.width * 3);
        let mut pixels = vec![0; pitch * height];
        let target = Image { pixels: &mut pixels[..], width, pitch, height, format: PixelFormat::RGB };
        decoder.decompress(data, target)?;
        let mut compressor = Compressor::new()?;
        compressor.set_quality(i32::from(quality.get()))?;
        compressor.set_subsamp(Subsamp::Sub2x2)?;
        for picture in &pictures {
            std::hint::black_box(compressor.compress_to_owned(picture.as_deref())?);
        }
        Ok(())
    });
    done.map(|()| cpu)
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = thread_cpu();
    let result = work();
    (result, thread_cpu() - begun)
}

fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Whether the first frame header is one of a progressive JPEG (SOF2).
fn is_progressive(data: &[u8]) -> bool {
    let mut at = 2;
    while let Some([0xff, marker, high, low]) = data.get(at..at + 4).and_then(|bytes| bytes.first_chunk()) {
        match marker {
            0xc0 | 0xc1 => return false,
            0xc2 => return true,
            _ => at += 2 + usize::from(u16::from_be_bytes([*high, *low])),
        }
    }
    false
}
