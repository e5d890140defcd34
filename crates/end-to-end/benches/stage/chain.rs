//! The four stages after one another, each with the machine to itself, from originals in the inbox to a training dataset.

use std::io::Write;
use std::time::Duration;

use anyhow::ensure;
use object_storage::{BlobStore, PutOptions};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use types::{DatasetName, S3Uri, StageName};

use crate::computation::Computation;
use crate::rig::{Measured, Rig};
use crate::{Settings, document, rate};

/// A version is planned as soon as it can be.
const SHARD: [&str; 4] = ["--settle", "0s", "--plan-interval", "100ms"];

/// A result for each stage.
pub(crate) fn measure(
    runtime: &Runtime,
    originals: &[Vec<u8>],
    settings: &Settings,
) -> anyhow::Result<Value> {
    let inspect = Computation::Inspect.run(originals, settings.threads)?;
    let normalize = Computation::Normalize.run(originals, settings.threads)?;
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{:<10} {:>9} {:>13} {:>8} | {:>8} {:>10} {:>6} {:>10}   ms of CPU an image\n\
         {:<10} {:>9} {:>13} {:>8} | {:>8} {:>10} {:>6} {:>10} {:>9}",
        "",
        "",
        "computation",
        "",
        "",
        "",
        "",
        "",
        "stage",
        "images/s",
        "alone",
        "share",
        "SERVICE",
        "PostgreSQL",
        "queue",
        "S3 server",
        "peak MiB"
    )?;
    let computations = [Some(inspect), Some(normalize), None, None];
    let measured = runtime.block_on(run(originals, settings))?;
    let mut stages = Vec::new();
    for ((stage, measured), computation) in measured.iter().zip(computations) {
        print(*stage, measured, computation, originals.len())?;
        let alone = computation.map(|took| took.as_secs_f64());
        stages.push(
            json!({ "stage": stage.as_str(), "computation_wall_s": alone, "service": document(measured) }),
        );
    }
    Ok(json!({ "stages": stages }))
}

fn print(
    stage: StageName,
    measured: &Measured,
    computation: Option<Duration>,
    images: usize,
) -> anyhow::Result<()> {
    let cpu = measured.cpu;
    let alone = computation.map_or(String::new(), |took| format!("{:.2}", rate(images, took)));
    let share = computation.map_or(String::new(), |took| {
        format!("{:.1} %", 100.0 * took.as_secs_f64() / measured.took.as_secs_f64())
    });
    let [service, postgres, queue, s3_server] = [cpu.service, cpu.postgres, cpu.queue, cpu.s3_server]
        .map(|time| time.as_secs_f64() * 1000.0 / images as f64);
    writeln!(
        std::io::stdout(),
        "{:<10} {:>9.2} {alone:>13} {share:>8} | {service:>8.2} {postgres:>10.2} {queue:>6.2} {s3_server:>10.2} {:>9}",
        stage.as_str(),
        rate(images, measured.took),
        measured.peak_bytes() >> 20,
    )?;
    Ok(())
}

async fn run(originals: &[Vec<u8>], settings: &Settings) -> anyhow::Result<Vec<(StageName, Measured)>> {
    let rig = Rig::start(settings).await?;
    let inbox: S3Uri = format!("s3://inbox/{}", rig.dataset).parse()?;
    let landed = rig.put(originals, |number, _| inbox.join(&format!("{number:06}.jpg"))).await?;
    let ingest = rig.run(StageName::Ingest, settings, &landed).await?;
    let normalize = rig.run(StageName::Normalize, settings, &in_bronze(&rig).await?).await?;
    let published = async || is_published(&rig, &rig.dataset).await;
    let shard = rig.run_until(StageName::Shard, settings, &SHARD, published).await?;
    let curate = curate(&rig, settings).await?;
    Ok(vec![
        (StageName::Ingest, ingest),
        (StageName::Normalize, normalize),
        (StageName::Shard, shard),
        (StageName::Curate, curate),
    ])
}

/// The messages that tell of what ingest has written.
async fn in_bronze(rig: &Rig) -> anyhow::Result<Vec<String>> {
    let prefix = types::layout::bronze_images(&"s3://bronze".parse()?, &rig.dataset);
    let (mut events, mut next) = (Vec::new(), None);
    loop {
        let page = rig.blobs.list(&prefix, next.as_deref(), 1000).await?;
        for found in page.objects {
            let (uri, bytes) = (&found.object.uri, usize::try_from(found.bytes)?);
            let (bucket, version) = (uri.bucket().as_str(), &found.object.version);
            events.push(testkit::created_event(bucket, uri.key(), bytes, version)?);
        }
        next = page.next;
        if next.is_none() {
            return Ok(events);
        }
    }
}

/// All samples of one variant, packed anew.
async fn curate(rig: &Rig, settings: &Settings) -> anyhow::Result<Measured> {
    let name: DatasetName = "training".parse()?;
    let request = json!({
        "name": name.as_str(), "dataset": rig.dataset.as_str(), "version": 1, "variant": "720p",
        "output": "webdataset",
    });
    let to: S3Uri = format!("s3://requests/{name}/first.json").parse()?;
    rig.blobs.write(request.to_string().into(), &to, &PutOptions::default()).await?;
    rig.run_until(StageName::Curate, settings, &[], async || is_published(rig, &name).await).await
}

async fn is_published(rig: &Rig, name: &DatasetName) -> anyhow::Result<bool> {
    let rejected = rig.store.rejected(name, None, 1).await?;
    ensure!(rejected.is_empty(), "rejected: {rejected:?}");
    let datasets = rig.store.datasets().await?;
    Ok(datasets.iter().any(|found| found.name == *name && found.latest.is_some()))
}
