//! Packs samples into shards, or copies their bytes plainly: for the benchmarks (docs/benchmarks.md).
//!
//! Takes a folder of pairs `KEY.jpg`, `KEY.json`; prints one JSON document.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Parser, ValueEnum};
use rustix::time::{ClockId, clock_gettime};
use serde_json::json;
use shards::ShardWriter;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum How {
    /// Shards with their digests and indexes
    Shards,
    /// The same bytes, one file after another
    Copy,
}

#[derive(Debug, Parser)]
struct Arguments {
    /// What to do
    how: How,
    /// Where the samples are
    folder: PathBuf,
    /// Where to write
    #[arg(long)]
    out: PathBuf,
    /// Samples in a shard
    #[arg(long, default_value_t = 2000)]
    shard_samples: usize,
}

/// A sample's members in memory, as the stage has them.
struct Sample {
    key: String,
    jpg: Vec<u8>,
    json: Vec<u8>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let samples = read(&arguments.folder)?;
    let (wall, cpu) = (Instant::now(), process_cpu());
    let mut bytes = 0;
    for (number, samples) in samples.chunks(arguments.shard_samples).enumerate() {
        let path = arguments.out.join(format!("shard-{number:05}.tar"));
        bytes += match arguments.how {
            How::Shards => pack(samples, &path)?,
            How::Copy => copy(samples, &path)?,
        };
    }
    let document = json!({
        "samples": samples.len(),
        "bytes": bytes,
        "cpu_s": (process_cpu() - cpu).as_secs_f64(),
        "wall_s": wall.elapsed().as_secs_f64(),
    });
    serde_json::to_writer(std::io::stdout(), &document)?;
    Ok(())
}

fn read(folder: &Path) -> anyhow::Result<Vec<Sample>> {
    let mut pictures: Vec<PathBuf> = std::fs::read_dir(folder)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "jpg"))
        .collect();
    pictures.sort();
    let sample = |path: PathBuf| {
        let key = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default().to_owned();
        Ok(Sample { key, jpg: std::fs::read(&path)?, json: std::fs::read(path.with_extension("json"))? })
    };
    pictures.into_iter().map(sample).collect()
}

fn pack(samples: &[Sample], path: &Path) -> anyhow::Result<u64> {
    let mut writer = ShardWriter::new(File::create(path)?);
    for Sample { key, jpg, json } in samples {
        writer.append(key, &[("jpg", jpg), ("json", json)])?;
    }
    let (_, index) = writer.finish()?;
    std::fs::write(path.with_extension("idx"), index.dali_index())?;
    std::fs::write(path.with_extension("tar.idx"), index.energon_index())?;
    Ok(index.bytes)
}

fn copy(samples: &[Sample], path: &Path) -> anyhow::Result<u64> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut bytes = 0;
    for Sample { jpg, json, .. } in samples {
        out.write_all(jpg)?;
        out.write_all(json)?;
        bytes += (jpg.len() + json.len()) as u64;
    }
    out.flush()?;
    Ok(bytes)
}

fn process_cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
