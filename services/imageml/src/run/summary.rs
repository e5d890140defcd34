//! The end of a run: a table for people, one document for scripts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use serde::Serialize;
use types::{
    DatasetName, RejectCode, RejectReason, S3Uri, Sha256, Split, StageName, VersionNumber, escape_key, layout,
};

use crate::arguments::RunArguments;
use crate::home::{Home, bucket};
use crate::{output, rejected};

/// What `imageml run --json` prints. Counts describe the dataset, not this run alone, so that an interrupted and
/// repeated run ends with the same document as an undisturbed one.
#[derive(Debug, Serialize)]
struct Summary {
    dataset: DatasetName,
    version: VersionNumber,
    images: Images,
    rejected: Vec<Rejected>,
    variants: BTreeMap<String, Variant>,
    shards: Vec<ShardLine>,
    manifest_uri: S3Uri,
    manifest_path: Option<PathBuf>,
    elapsed_seconds: f64,
}

#[derive(Debug, Serialize)]
struct Images {
    /// Everything that was looked at: ingested, duplicates and what ingest rejected.
    seen: u64,
    /// Different images.
    ingested: u64,
    /// Further originals that are one of them, byte for byte.
    duplicates: u64,
    /// Objects rejected at any stage.
    rejected: u64,
}

#[derive(Debug, Serialize)]
struct Rejected {
    key: String,
    reason: RejectCode,
    detail: String,
}

#[derive(Debug, Serialize)]
struct Variant {
    written: u64,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct ShardLine {
    variant: String,
    split: Split,
    uri: S3Uri,
    path: Option<PathBuf>,
    samples: u64,
    bytes: u64,
    sha256: Sha256,
}

/// Prints the summary; the exit code of the run.
pub(super) async fn report(
    arguments: &RunArguments,
    home: &Home,
    source: &S3Uri,
    version: VersionNumber,
    begun: Instant,
) -> anyhow::Result<ExitCode> {
    let summary = collect(&arguments.dataset, home, source, version, begun).await?;
    if arguments.json {
        output::json(&summary)?;
    } else {
        output::line(describe(&summary))?;
    }
    if arguments.strict && !summary.rejected.is_empty() {
        output::note(format!("error: {} images were rejected (--strict)", summary.rejected.len()));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

async fn collect(
    name: &DatasetName,
    home: &Home,
    source: &S3Uri,
    version: VersionNumber,
    begun: Instant,
) -> anyhow::Result<Summary> {
    let store = home.store.as_ref();
    let dataset = store.dataset(name).await?;
    let (policy, _) = dataset.policy.context("the dataset has no policy")?;
    let record = store.version(name, version).await?;
    let (manifest_uri, _) = record.manifest.context("the version is not published")?;
    let rejections = rejected::all(store, name).await?;
    let bronze = layout::bronze_image(&bucket("bronze"), name, "");
    let at_ingest = rejections.iter().filter(|record| record.key.stage == StageName::Ingest).count() as u64;
    let rejected: Vec<_> = rejections
        .iter()
        .map(|record| Rejected {
            key: relative_key(&record.key.object.uri, source, &bronze),
            reason: record.reason.code,
            detail: record.reason.detail.clone(),
        })
        .collect();
    let variants = store.variant_totals(name, &policy).await?;
    let shards = store.shards(name, version).await?.into_iter().filter_map(|status| status.built);
    Ok(Summary {
        dataset: name.clone(),
        version,
        images: Images {
            seen: dataset.originals + at_ingest,
            ingested: dataset.images,
            duplicates: dataset.originals - dataset.images,
            rejected: rejected.len() as u64,
        },
        rejected,
        variants: variants
            .into_iter()
            .map(|(name, written, bytes)| (name, Variant { written, bytes }))
            .collect(),
        shards: shards
            .map(|shard| ShardLine {
                path: home.path_of(&shard.uri),
                variant: shard.variant,
                split: shard.split,
                uri: shard.uri,
                samples: shard.samples,
                bytes: shard.bytes,
                sha256: shard.sha256,
            })
            .collect(),
        manifest_path: home.path_of(&manifest_uri),
        manifest_uri,
        elapsed_seconds: begun.elapsed().as_secs_f64(),
    })
}

/// The key as the user knows it; the whole URI for what came from elsewhere.
fn relative_key(uri: &S3Uri, source: &S3Uri, bronze: &S3Uri) -> String {
    let below = source.relative(uri).or_else(|| bronze.relative(uri));
    below.map_or_else(|| uri.to_string(), str::to_owned)
}

fn describe(summary: &Summary) -> String {
    let images = &summary.images;
    let mut text = String::new();
    for rejected in &summary.rejected {
        let reason = RejectReason::new(rejected.reason, rejected.detail.clone());
        text += &format!("rejected {}: {reason}\n", escape_key(&rejected.key));
    }
    let rows = summary.variants.iter().map(|(name, variant)| {
        let shards = summary.shards.iter().filter(|shard| shard.variant == *name);
        let count = |split: Split| -> u64 {
            shards.clone().filter(|shard| shard.split == split).map(|shard| shard.samples).sum()
        };
        let mut row = vec![name.clone()];
        row.extend(Split::ALL.map(|split| count(split).to_string()));
        row.extend([shards.clone().count().to_string(), output::size(variant.bytes)]);
        row
    });
    text += &output::table(
        &["variant", "train", "val", "test", "shards", "pictures"],
        &[1, 2, 3, 4, 5],
        rows.collect::<Vec<_>>(),
    );
    text += &format!(
        "\n\n{} {}: {} images seen, {} ingested, {} duplicates, {} rejected, in {:.1} s",
        summary.dataset,
        summary.version,
        images.seen,
        images.ingested,
        images.duplicates,
        images.rejected,
        summary.elapsed_seconds
    );
    let place = summary.manifest_path.as_ref().map(|path| path.with_file_name(""));
    text += &format!(
        "\n{}",
        place.map_or_else(|| summary.manifest_uri.to_string(), |path| path.display().to_string())
    );
    text
}
