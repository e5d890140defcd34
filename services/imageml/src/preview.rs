//! `imageml preview`: samples of a published version on one sheet.

use std::collections::BTreeMap;
use std::process::ExitCode;

use annotations::{Region, Registry};
use anyhow::{Context, bail};
use contact_sheet::{Layout, Sheet, Tile};
use dataset_builder::{AnnotationSettings, Carried, PlannedSample, carry, read_variant};
use futures::{FutureExt, StreamExt, stream};
use indicatif::ProgressBar;
use object_storage::BlobStore;
use serde_json::json;
use types::VersionNumber;

use crate::arguments::PreviewArguments;
use crate::backend::Backend;
use crate::output;
use crate::published::Published;

const PARALLEL_READS: usize = 8;

pub(crate) async fn run(arguments: PreviewArguments) -> anyhow::Result<ExitCode> {
    let backend = Backend::open(&arguments.backend).await?;
    let shown = preview(&backend, &arguments).await;
    backend.close().await;
    let Shown { version, samples } = shown?;
    let path = arguments.output.display();
    if arguments.backend.json {
        let keys: Vec<_> = samples.iter().map(|sample| &sample.source.key).collect();
        let reviewed = samples.iter().filter(|sample| sample.annotation.is_some()).count();
        output::json(&json!({
            "output": arguments.output, "dataset": arguments.dataset, "version": version,
            "variant": arguments.variant, "reviewed": reviewed, "samples": keys,
        }))?;
    } else {
        output::note(format!("{} samples of {} {version} in {path}", samples.len(), arguments.dataset));
    }
    Ok(ExitCode::SUCCESS)
}

/// What is on the sheet, in order.
struct Shown {
    version: VersionNumber,
    samples: Vec<PlannedSample>,
}

async fn preview(backend: &Backend, arguments: &PreviewArguments) -> anyhow::Result<Shown> {
    let PreviewArguments { dataset, variant, .. } = arguments;
    let version = match arguments.version {
        Some(version) => version,
        None => {
            let latest = backend.store().dataset(dataset).await?.latest;
            latest.with_context(|| format!("{dataset} has no published version yet"))?
        }
    };
    let published = Published::open(backend, dataset, version).await?;
    published.check_variant(variant)?;
    let settings = published.settings.clone();
    let (samples, matching) = tokio::task::block_in_place(|| choose(published, arguments))?;
    if samples.is_empty() {
        bail!("no sample of {dataset} {version} matches");
    }
    let title = format!("{dataset} {version} {variant}: {} of {matching} samples", samples.len());
    let png = draw(backend.blobs().as_ref(), &title, &samples, &settings, arguments).await?;
    let path = &arguments.output;
    std::fs::write(path, png).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Shown { version, samples })
}

/// The samples that the seed puts first, and how many there would be.
fn choose(published: Published, arguments: &PreviewArguments) -> anyhow::Result<(Vec<PlannedSample>, u64)> {
    let most = arguments.samples as usize;
    let (mut first, mut matching) = (BTreeMap::new(), 0);
    for row in published.samples()? {
        let row = row?;
        let sample = row.sample;
        let wanted = row.variant == arguments.variant
            && arguments.split.is_none_or(|split| split == row.split)
            && (!arguments.reviewed || sample.annotation.is_some())
            && (arguments.labels.is_empty() || sample.has_any(&arguments.labels));
        if wanted {
            matching += 1;
            first.insert(shards::order_key(&arguments.seed, &sample.image_id), sample);
            if first.len() > most {
                first.pop_last();
            }
        }
    }
    Ok((first.into_values().collect(), matching))
}

async fn draw(
    blobs: &dyn BlobStore,
    title: &str,
    samples: &[PlannedSample],
    settings: &AnnotationSettings,
    arguments: &PreviewArguments,
) -> anyhow::Result<Vec<u8>> {
    let categories: Registry = settings.categories.iter().cloned().collect();
    let carried: Vec<_> = samples.iter().map(|sample| carried(sample, settings)).collect();
    let regions: Vec<Vec<Region>> = carried.iter().map(regions).collect();
    let layout = Layout {
        cells: u32::try_from(samples.len()).unwrap_or(u32::MAX),
        columns: arguments.columns,
        side: arguments.cell,
    };
    let mut sheet = Sheet::new(title, &legend(&regions, &categories), &categories, layout)?;
    // Hidden by itself where standard error is no terminal.
    let bar = ProgressBar::new(samples.len() as u64);
    let reads: Vec<_> = samples.iter().map(|sample| read_variant(blobs, sample).boxed()).collect();
    let mut pictures = stream::iter(reads).buffered(PARALLEL_READS);
    for ((sample, carried), regions) in samples.iter().zip(&carried).zip(&regions) {
        let picture = pictures.next().await.context("a picture for each sample")??;
        let caption = [sample.source.key.as_str(), &describe(carried.as_ref())];
        let tile = Tile { picture: &picture, regions, caption };
        tokio::task::block_in_place(|| sheet.add(&tile)).with_context(|| sample.uri.to_string())?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(tokio::task::block_in_place(|| sheet.to_png())?)
}

/// What is on a sample, as trainers get it; `None` where nobody has looked.
fn carried(sample: &PlannedSample, settings: &AnnotationSettings) -> Option<Carried> {
    sample.annotation.as_ref().map(|record| carry(record, sample, settings))
}

fn regions(carried: &Option<Carried>) -> Vec<Region> {
    carried.iter().flat_map(|carried| &carried.regions).map(|(region, _)| region.clone()).collect()
}

fn describe(carried: Option<&Carried>) -> String {
    let Some(Carried { regions, dropped }) = carried else { return "not looked at".to_owned() };
    let plural = if regions.len() == 1 { "" } else { "s" };
    match (regions.len(), dropped.values().sum::<u64>()) {
        (0, 0) => "reviewed, nothing there".to_owned(),
        (count, 0) => format!("{count} region{plural}"),
        (count, dropped) => format!("{count} region{plural}, {dropped} left out"),
    }
}

/// The categories that are on the sheet, by number, with how often.
fn legend<'c>(regions: &[Vec<Region>], categories: &'c Registry) -> Vec<(&'c str, String)> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for label in regions.iter().flatten().flat_map(|region| &region.labels) {
        *counts.entry(label).or_default() += 1;
    }
    let entry = |name: &'c str| counts.get(name).map(|count| (name, format!("{name} {count}")));
    categories.by_id().into_iter().filter_map(|category| entry(&category.definition.name)).collect()
}
