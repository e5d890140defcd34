//! What the engine costs beside the bytes of S3 and the pixels: its own CPU time per object, and objects per second.
//!
//! `cargo bench -p pipeline --bench engine [-- OPTION…]`
//!
//! - `objects=N`: objects for each line of the table (5,000; a fifth of that with an S3 server).
//!
//! Everything is as in a service, but for a stage that computes nothing: events of Amazon's form come from ElasticMQ,
//! claims and publications go to a PostgreSQL with default settings, objects are staged on the disk, and the output is a
//! copy of the input. All servers are processes of their own on this machine, and their CPU time is told apart. With
//! objects in memory the first table shows the engine with its clients of the queue and the store; the second adds the
//! S3 client and a server (three requests for each object of 1 KiB).
//!
//! Without `--bench` (as `cargo test --benches` runs it) a few objects show that it works.

mod cpu;
mod rig;
mod stage;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;

use testkit::S3Process;

use self::rig::{Measured, Rig};

/// Objects worked on at once: four per core, at least eight, are the default of the services. Stages that mostly wait
/// take more.
const SLOTS: [usize; 4] = [4, 16, 64, 128];

const OBJECTS: usize = 5000;

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
    let given = arguments.iter().find_map(|argument| argument.strip_prefix("objects="));
    let objects: usize = given.map_or(Ok(OBJECTS), str::parse).context("objects=N")?;
    if !arguments.iter().any(|argument| argument == "--bench") {
        Rig::in_memory(50).await?.run(4).await?;
        return Rig::over_s3(20).await?.run(4).await.map(drop);
    }
    let cores = std::thread::available_parallelism()?;
    let mut out = std::io::stdout();
    writeln!(out, "The engine with a stage that copies, {cores} cores for it and all servers")?;
    table("objects in memory", &Rig::in_memory(objects).await?).await?;
    table("objects over S3", &Rig::over_s3(objects.div_ceil(5)).await?).await
}

async fn table(title: &str, rig: &Rig) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "\n{title:<17}           | milliseconds of CPU per object, by process")?;
    writeln!(
        out,
        "{:>6} {:>8} {:>10} | {:>8} {:>8} {:>10} {:>6} {:>10}",
        "slots", "objects", "objects/s", "ENGINE", "in user", "PostgreSQL", "queue", "S3 server"
    )?;
    for slots in SLOTS {
        let Measured { took, cpu } = rig.run(slots).await?;
        let objects = rig.objects();
        let rate = objects as f64 / took.as_secs_f64();
        let each = |time: std::time::Duration| time.as_secs_f64() * 1000.0 / objects as f64;
        writeln!(
            out,
            "{slots:>6} {objects:>8} {rate:>10.0} | {:>8.3} {:>8.3} {:>10.3} {:>6.3} {:>10.3}",
            each(cpu.own),
            each(cpu.own_in_user),
            each(cpu.postgres),
            each(cpu.queue),
            each(cpu.s3_server)
        )?;
    }
    Ok(())
}
