//! What the whole normalize stage does beside what its computation alone would: `imageml-normalize` as a process, fed by
//! a queue, over an S3 server and PostgreSQL of its own.
//!
//! - `input=DIR`: originals (default: ../shared/data/photos)
//! - `images=N`: how many; files are taken again with other bytes after their end (200)
//! - `threads=N`: that compute (1)
//! - `rounds=N` (3)
//! - `isolation=process|none` (process)
//! - `slots=N`: objects worked on at once (the service's default)
//!
//! Each round measures the computation first, on as many threads, then the stage on the same images. All servers run on
//! this machine: give them a core of their own by computing on fewer threads than there are cores.

mod memory;
mod rig;

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use imaging::{Limits, Normalizer};
use normalize::PolicyArguments;
use testkit::S3Process;

use crate::rig::Rig;

/// What was asked for.
#[derive(Debug)]
struct Settings {
    input: String,
    images: usize,
    threads: usize,
    rounds: usize,
    isolation: String,
    slots: Option<usize>,
}

fn main() -> anyhow::Result<()> {
    if let Some(served) = S3Process::serve_if_asked() {
        return served;
    }
    let settings = Settings::read(std::env::args().skip(1))?;
    let originals = originals(&settings)?;
    let mut out = std::io::stdout();
    let megabytes = originals.iter().map(Vec::len).sum::<usize>() as f64 / 1e6;
    writeln!(out, "{} images, {megabytes:.0} MB, {settings:?}", originals.len())?;
    let runtime = tokio::runtime::Runtime::new()?;
    let mut shares = Vec::new();
    for round in 1..=settings.rounds {
        let pure = compute(&originals, settings.threads)?;
        let stage = runtime.block_on(async { Rig::start(&originals).await?.run(&settings).await })?;
        let rate = |took: Duration| originals.len() as f64 / took.as_secs_f64();
        let share = rate(stage.took) / rate(pure);
        shares.push(share);
        writeln!(
            out,
            "round {round}: computation {:.2} images/s, stage {:.2} images/s, {:.1} %; CPU of the service {:.1} ms an image, \
             peak memory {} MiB",
            rate(pure),
            rate(stage.took),
            share * 100.0,
            stage.cpu.as_secs_f64() * 1000.0 / originals.len() as f64,
            stage.peak_bytes >> 20,
        )?;
    }
    shares.sort_by(f64::total_cmp);
    writeln!(out, "median: {:.1} % of the computation's throughput", shares[shares.len() / 2] * 100.0)?;
    Ok(())
}

impl Settings {
    fn read(arguments: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut settings = Self {
            input: concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/photos").to_owned(),
            images: 200,
            threads: 1,
            rounds: 3,
            isolation: "process".to_owned(),
            slots: None,
        };
        for argument in arguments.filter(|argument| !argument.starts_with("--")) {
            let (name, value) =
                argument.split_once('=').with_context(|| format!("{argument}: expected NAME=VALUE"))?;
            match name {
                "input" => value.clone_into(&mut settings.input),
                "images" => settings.images = value.parse()?,
                "threads" => settings.threads = value.parse()?,
                "rounds" => settings.rounds = value.parse()?,
                "isolation" => value.clone_into(&mut settings.isolation),
                "slots" => settings.slots = Some(value.parse()?),
                _ => anyhow::bail!("there is no {name}: input, images, threads, rounds, isolation, slots"),
            }
        }
        Ok(settings)
    }
}

/// The files again and again; a number behind the end mark, where decoders do not look, makes each an image of its own.
fn originals(settings: &Settings) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut files: Vec<_> = std::fs::read_dir(&settings.input)
        .with_context(|| settings.input.clone())?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "jpg"))
        .collect();
    files.sort();
    ensure!(!files.is_empty(), "{} has no .jpg files", settings.input);
    let contents: Vec<Vec<u8>> = files.iter().map(std::fs::read).collect::<Result<_, _>>()?;
    let numbered = |number: usize| [&contents[number % contents.len()], &number.to_le_bytes()[..]].concat();
    Ok((0..settings.images).map(numbered).collect())
}

/// The computation of the stage's default policy alone, in this process.
fn compute(originals: &[Vec<u8>], threads: usize) -> anyhow::Result<Duration> {
    let arguments = <PolicyCommand as clap::Parser>::parse_from(["bench"]);
    let (policy, limits) = (arguments.policy.policy()?, Limits::default());
    let next = std::sync::atomic::AtomicUsize::new(0);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let worker = || -> anyhow::Result<()> {
            let mut normalizer = Normalizer::default();
            while let Some(data) = originals.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                normalizer.normalize(data, &policy, &limits)?;
            }
            Ok(())
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("no panic"))
    })?;
    Ok(begun.elapsed())
}

#[derive(Debug, clap::Parser)]
struct PolicyCommand {
    #[command(flatten)]
    policy: PolicyArguments,
}
