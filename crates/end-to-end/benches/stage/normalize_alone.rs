//! Normalize in rounds, each between two runs of its computation alone: what the machine can do changes from minute to
//! minute.

use std::io::Write;

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use types::{S3Uri, Sha256, StageName, layout};

use crate::computation::Computation;
use crate::rig::{Measured, Rig};
use crate::{Settings, document, rate};

/// A result for each round.
pub(crate) fn measure(
    runtime: &Runtime,
    originals: &[Vec<u8>],
    settings: &Settings,
) -> anyhow::Result<Value> {
    let (mut out, mut shares, mut rounds) = (std::io::stdout(), Vec::new(), Vec::new());
    let mut before = Computation::Normalize.run(originals, settings.threads)?;
    for round in 1..=settings.rounds {
        let stage = runtime.block_on(run(originals, settings))?;
        let after = Computation::Normalize.run(originals, settings.threads)?;
        let pure = (std::mem::replace(&mut before, after) + after) / 2;
        let (alone, as_stage) = (rate(originals.len(), pure), rate(originals.len(), stage.took));
        let share = as_stage / alone;
        writeln!(
            out,
            "round {round}: computation {alone:.2} images/s, stage {as_stage:.2} images/s, {:.1} %; CPU of the service \
             {:.1} ms an image",
            share * 100.0,
            stage.cpu.service.as_secs_f64() * 1000.0 / originals.len() as f64,
        )?;
        let highest = |(images, bytes): &(usize, u64)| format!("{} MiB until {images} images", bytes >> 20);
        let memory: Vec<_> = stage.memory.iter().map(highest).collect();
        writeln!(out, "    most memory: {}", memory.join(", "))?;
        shares.push(share);
        rounds.push(
            json!({ "computation_wall_s": pure.as_secs_f64(), "share": share, "stage": document(&stage) }),
        );
    }
    shares.sort_by(f64::total_cmp);
    writeln!(out, "median: {:.1} % of the computation's throughput", shares[shares.len() / 2] * 100.0)?;
    Ok(json!({ "rounds": rounds }))
}

async fn run(originals: &[Vec<u8>], settings: &Settings) -> anyhow::Result<Measured> {
    let rig = Rig::start(settings).await?;
    let bronze: S3Uri = "s3://bronze".parse()?;
    let place = |number: usize, data: &[u8]| {
        layout::bronze_image(&bronze, &rig.dataset, &format!("{number:06}.jpg"), &Sha256::of(data))
    };
    let events = rig.put(originals, place).await?;
    rig.run(StageName::Normalize, settings, &events).await
}
