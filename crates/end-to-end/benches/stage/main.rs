//! What the stages do as services beside what their computation alone would: programs of their own, fed by a queue, over
//! an S3 server and PostgreSQL.
//!
//! `cargo bench -p end-to-end --bench stage [-- NAME=VALUE…]`
//!
//! - `stages=normalize|all`: normalize alone, in rounds; or ingest, normalize, shard and curate after one another, once
//!   (normalize)
//! - `input=DIR`: originals (default: ../shared/data/photos)
//! - `images=N`: how many; files are taken again with other bytes after their end (200)
//! - `threads=N`: that compute (1)
//! - `rounds=N` (3)
//! - `isolation=process|none` (process)
//! - `slots=N`: objects worked on at once (the services' default)
//! - `scratch=DIR`: where services stage files and the S3 server keeps objects (the folder for temporary files)
//! - `json=FILE`: writes everything that was found
//!
//! Computations are measured beside, on as many threads and the same images. All servers run on this machine, and
//! are held on the cores that are not computed on, if there are such: compute on fewer threads than there are cores.

mod chain;
mod computation;
mod cores;
mod cpu;
mod memory;
mod normalize_alone;
mod originals;
mod rig;

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use testkit::S3Process;

use crate::rig::Measured;

/// What was asked for.
#[derive(Debug)]
struct Settings {
    all_stages: bool,
    input: String,
    images: usize,
    threads: usize,
    rounds: usize,
    isolation: String,
    slots: Option<usize>,
    scratch: PathBuf,
    json: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    if let Some(served) = S3Process::serve_if_asked() {
        return served;
    }
    let settings = Settings::read(std::env::args().skip(1))?;
    let originals = originals::originals(&settings.input, settings.images)?;
    let bytes: usize = originals.iter().map(Vec::len).sum();
    writeln!(std::io::stdout(), "{} images, {:.0} MB, {settings:?}", originals.len(), bytes as f64 / 1e6)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let found = if settings.all_stages {
        chain::measure(&runtime, &originals, &settings)?
    } else {
        normalize_alone::measure(&runtime, &originals, &settings)?
    };
    let Some(file) = &settings.json else { return Ok(()) };
    let document = json!({
        "images": originals.len(), "bytes": bytes, "threads": settings.threads, "slots": settings.slots,
        "isolation": settings.isolation, "input_name": originals::name(&settings.input)?, "found": found,
    });
    std::fs::write(file, serde_json::to_string_pretty(&document)?).with_context(|| file.display().to_string())
}

impl Settings {
    fn read(arguments: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut settings = Self {
            all_stages: false,
            input: concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/photos").to_owned(),
            images: 200,
            threads: 1,
            rounds: 3,
            isolation: "process".to_owned(),
            slots: None,
            scratch: std::env::temp_dir(),
            json: None,
        };
        for argument in arguments.filter(|argument| !argument.starts_with("--")) {
            let (name, value) =
                argument.split_once('=').with_context(|| format!("{argument}: expected NAME=VALUE"))?;
            match (name, value) {
                ("stages", "normalize" | "all") => settings.all_stages = value == "all",
                ("input", _) => value.clone_into(&mut settings.input),
                ("images", _) => settings.images = value.parse()?,
                ("threads", _) => settings.threads = value.parse()?,
                ("rounds", _) => settings.rounds = value.parse()?,
                ("isolation", _) => value.clone_into(&mut settings.isolation),
                ("slots", _) => settings.slots = Some(value.parse()?),
                ("scratch", _) => settings.scratch = value.into(),
                ("json", _) => settings.json = Some(value.into()),
                _ => bail!(
                    "there is no {argument}: stages=normalize|all, input, images, threads, rounds, isolation, slots, scratch, json"
                ),
            }
        }
        Ok(settings)
    }
}

/// Images a second.
fn rate(images: usize, took: Duration) -> f64 {
    images as f64 / took.as_secs_f64()
}

/// What a run of a service took, in seconds and bytes.
fn document(measured: &Measured) -> Value {
    let cpu = measured.cpu;
    let memory: Vec<_> =
        measured.memory.iter().map(|(images, bytes)| json!({ "images": images, "bytes": bytes })).collect();
    json!({
        "wall_s": measured.took.as_secs_f64(),
        "service_cpu_s": cpu.service.as_secs_f64(),
        "postgres_cpu_s": cpu.postgres.as_secs_f64(),
        "queue_cpu_s": cpu.queue.as_secs_f64(),
        "s3_server_cpu_s": cpu.s3_server.as_secs_f64(),
        "peak_bytes": measured.peak_bytes(),
        "highest_until": memory,
    })
}
