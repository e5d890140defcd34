//! What the engine costs beside the bytes of S3 and the pixels: its own CPU time per object, and objects per second.
//!
//! `cargo bench -p pipeline --bench engine [-- OPTION…]`
//!
//! - `objects=N`: objects for each line of the table (5,000; a fifth of that with an S3 server)
//! - `growth=N,N,…`: instead of the tables by slots one by numbers of objects, with an S3 server and 64 slots
//! - `json=FILE`: writes everything that was found
//!
//! Everything is as in a service, but for a stage that computes nothing: events of Amazon's form come from ElasticMQ,
//! claims and publications go to a PostgreSQL with default settings, objects are staged on the disk, and the output is a
//! copy of the input. All servers are processes of their own on this machine, and their CPU time is told apart. With
//! objects in memory the first table shows the engine with its clients of the queue and the store; the second adds the
//! S3 client and a server (three requests for each object of 1 KiB). Each number of objects of a growth has servers of its
//! own.
//!
//! Without `--bench` (as `cargo test --benches` runs it) a few objects show that it works.

mod cpu;
mod memory;
mod rig;
mod stage;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use testkit::S3Process;

use self::rig::{Measured, Rig};

/// Objects worked on at once: four per core, at least eight, are the default of the services. Stages that mostly wait
/// take more.
const SLOTS: [usize; 4] = [4, 16, 64, 128];
const GROWTH_SLOTS: usize = 64;

const OBJECTS: usize = 5000;

/// What was asked for.
struct Settings {
    objects: usize,
    growth: Option<Vec<usize>>,
    json: Option<PathBuf>,
}

/// A line of a table.
struct Line {
    slots: usize,
    objects: usize,
    measured: Measured,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(served) = S3Process::serve_if_asked() {
        served?;
        return Ok(ExitCode::SUCCESS);
    }
    // As `#[tokio::main]` makes it for the services.
    tokio::runtime::Runtime::new()?.block_on(measure(&arguments))?;
    Ok(ExitCode::SUCCESS)
}

async fn measure(arguments: &[String]) -> anyhow::Result<()> {
    let settings = Settings::read(arguments)?;
    if !arguments.iter().any(|argument| argument == "--bench") {
        Rig::in_memory(50).await?.run(4).await?;
        return Rig::over_s3(20).await?.run(4).await.map(drop);
    }
    let cores = std::thread::available_parallelism()?;
    writeln!(std::io::stdout(), "The engine with a stage that copies, {cores} cores for it and all servers")?;
    let found = match &settings.growth {
        Some(sizes) => json!({ "growth": growth(sizes).await? }),
        None => {
            let memory = by_slots("objects in memory", &Rig::in_memory(settings.objects).await?).await?;
            let rig = Rig::over_s3(settings.objects.div_ceil(5)).await?;
            json!({ "memory": memory, "s3": by_slots("objects over S3", &rig).await? })
        }
    };
    let Some(file) = settings.json else { return Ok(()) };
    std::fs::write(&file, serde_json::to_string_pretty(&found)?).with_context(|| file.display().to_string())
}

async fn by_slots(title: &str, rig: &Rig) -> anyhow::Result<Vec<Value>> {
    head(title)?;
    let mut lines = Vec::new();
    for slots in SLOTS {
        let line = Line { slots, objects: rig.objects(), measured: rig.run(slots).await? };
        line.print()?;
        lines.push(line.document());
    }
    Ok(lines)
}

async fn growth(sizes: &[usize]) -> anyhow::Result<Vec<Value>> {
    head("objects over S3")?;
    let mut lines = Vec::new();
    for objects in sizes {
        let rig = Rig::over_s3(*objects).await?;
        let line = Line { slots: GROWTH_SLOTS, objects: *objects, measured: rig.run(GROWTH_SLOTS).await? };
        line.print()?;
        lines.push(line.document());
    }
    Ok(lines)
}

fn head(title: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "\n{title:<17}           | milliseconds of CPU per object, by process")?;
    writeln!(
        out,
        "{:>6} {:>8} {:>10} | {:>8} {:>8} {:>10} {:>6} {:>10} | {:>12}",
        "slots", "objects", "objects/s", "ENGINE", "in user", "PostgreSQL", "queue", "S3 server", "MiB more"
    )?;
    Ok(())
}

impl Line {
    fn print(&self) -> anyhow::Result<()> {
        let Self { slots, objects, measured: Measured { took, cpu, memory } } = self;
        let rate = *objects as f64 / took.as_secs_f64();
        let each = |time: Duration| time.as_secs_f64() * 1000.0 / *objects as f64;
        writeln!(
            std::io::stdout(),
            "{slots:>6} {objects:>8} {rate:>10.0} | {:>8.3} {:>8.3} {:>10.3} {:>6.3} {:>10.3} | {:>12}",
            each(cpu.own),
            each(cpu.own_in_user),
            each(cpu.postgres),
            each(cpu.queue),
            each(cpu.s3_server),
            memory >> 20,
        )?;
        Ok(())
    }

    fn document(&self) -> Value {
        let Self { slots, objects, measured: Measured { took, cpu, memory } } = self;
        json!({
            "slots": slots,
            "objects": objects,
            "wall_s": took.as_secs_f64(),
            "engine_cpu_s": cpu.own.as_secs_f64(),
            "engine_user_cpu_s": cpu.own_in_user.as_secs_f64(),
            "postgres_cpu_s": cpu.postgres.as_secs_f64(),
            "queue_cpu_s": cpu.queue.as_secs_f64(),
            "s3_server_cpu_s": cpu.s3_server.as_secs_f64(),
            "memory_grown_bytes": memory,
        })
    }
}

impl Settings {
    fn read(arguments: &[String]) -> anyhow::Result<Self> {
        let mut settings = Self { objects: OBJECTS, growth: None, json: None };
        for argument in arguments.iter().filter(|argument| !argument.starts_with("--")) {
            match argument.split_once('=') {
                Some(("objects", number)) => settings.objects = number.parse().context("objects=N")?,
                Some(("growth", numbers)) => {
                    let numbers: Result<_, _> = numbers.split(',').map(str::parse).collect();
                    settings.growth = Some(numbers.context("growth=N,N,…")?);
                }
                Some(("json", file)) => settings.json = Some(file.into()),
                _ => bail!("there is no {argument}: objects=N, growth=N,N,…, json=FILE"),
            }
        }
        Ok(settings)
    }
}
