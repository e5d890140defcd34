//! The end of a run: a table for people, one document for scripts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use object_storage::{BlobStore, StorageError};
use serde::Serialize;
use serde_json::Value;
use types::{
    DatasetName, ObjectVersion, PolicyHash, RejectCode, RejectReason, S3Uri, Sha256, ShardEntry, Split,
    StageName, VersionNumber, escape_key, layout,
};

use crate::annotations::import::{self, Imported};
use crate::arguments::RunArguments;
use crate::home::{Home, bucket};
use crate::{output, rejected};

/// What `imageml run --json` prints. Counts describe the dataset, not this run alone, so that an interrupted and
/// repeated run ends with the same document as an undisturbed one.
#[derive(Debug, Serialize)]
struct Summary {
    dataset: DatasetName,
    version: Option<VersionNumber>,
    images: Images,
    rejected: Vec<Rejected>,
    variants: BTreeMap<String, Variant>,
    shards: Vec<ShardLine>,
    manifest_uri: Option<S3Uri>,
    manifest_path: Option<PathBuf>,
    /// Those that were named on the command line.
    annotation_files: Vec<Value>,
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

/// Where a run took its images from and put its results.
pub(super) struct Place<'a> {
    pub(super) home: &'a Home,
    pub(super) input: &'a dyn BlobStore,
    pub(super) source: &'a S3Uri,
}

/// What a run has made.
pub(super) struct Made {
    pub(super) version: Option<VersionNumber>,
    /// What became of annotation files that were named.
    pub(super) annotation_files: Vec<(PathBuf, Imported)>,
}

/// Prints the summary; the exit code of the run.
pub(super) async fn report(
    arguments: &RunArguments,
    place: &Place<'_>,
    Made { version, annotation_files }: Made,
    begun: Instant,
) -> anyhow::Result<ExitCode> {
    let mut summary = place.collect(&arguments.dataset, version, begun).await?;
    summary.annotation_files =
        annotation_files.iter().map(|(file, outcome)| import::document(file, outcome)).collect();
    if arguments.at.json {
        output::json(&summary)?;
    } else {
        output::line(describe(&summary))?;
    }
    if version.is_none() {
        output::note(format!(
            "error: no image could be used: `imageml rejected list {}` says why, if any were found",
            summary.dataset
        ));
        return Ok(ExitCode::FAILURE);
    }
    let partly = annotation_files.iter().filter(|(_, outcome)| !outcome.is_whole()).count();
    if arguments.strict && partly > 0 {
        output::note(format!("error: {partly} annotation files were not imported whole (--strict)"));
        return Ok(ExitCode::FAILURE);
    }
    if arguments.strict && !summary.rejected.is_empty() {
        output::note(format!("error: {} images were rejected (--strict)", summary.rejected.len()));
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

impl Place<'_> {
    async fn collect(
        &self,
        name: &DatasetName,
        version: Option<VersionNumber>,
        begun: Instant,
    ) -> anyhow::Result<Summary> {
        let store = self.home.store.as_ref();
        let dataset = store.dataset(name).await?;
        let (policy, _) = dataset.policy.context("the dataset has no policy")?;
        let (at_ingest, rejected) = self.rejections(name, &policy).await?;
        let variants = store.variant_totals(name, &policy).await?;
        let (shards, manifest_uri) = self.published(name, version).await?;
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
            shards,
            manifest_path: manifest_uri.as_ref().and_then(|uri| self.home.path_of(uri)),
            manifest_uri,
            annotation_files: Vec::new(),
            elapsed_seconds: begun.elapsed().as_secs_f64(),
        })
    }

    /// What is rejected now: not what was replaced, removed, or came from elsewhere. Beside it, how much of that
    /// ingest rejected.
    async fn rejections(
        &self,
        name: &DatasetName,
        policy: &PolicyHash,
    ) -> anyhow::Result<(u64, Vec<Rejected>)> {
        let bronze = layout::bronze_images(&bucket("bronze"), name);
        let (mut at_ingest, mut current) = (0, Vec::new());
        for record in rejected::all(self.home.store.as_ref(), name).await? {
            let (folder, blobs) = match record.key.stage {
                StageName::Ingest => (self.source, self.input),
                StageName::Normalize if record.key.policy == *policy => (&bronze, self.home.blobs.as_ref()),
                StageName::Normalize | StageName::Shard | StageName::Curate => continue,
            };
            let object = &record.key.object;
            let Some(key) = folder.relative(&object.uri) else { continue };
            if !is_current(blobs, object).await? {
                continue;
            }
            at_ingest += u64::from(record.key.stage == StageName::Ingest);
            let (reason, detail) = (record.reason.code, record.reason.detail.clone());
            current.push(Rejected { key: key.to_owned(), reason, detail });
        }
        Ok((at_ingest, current))
    }

    async fn published(
        &self,
        name: &DatasetName,
        version: Option<VersionNumber>,
    ) -> anyhow::Result<(Vec<ShardLine>, Option<S3Uri>)> {
        let Some(version) = version else { return Ok((Vec::new(), None)) };
        let record = self.home.store.version(name, version).await?;
        let (manifest_uri, _) = record.manifest.context("the version is not published")?;
        let shards = self.home.store.shards(name, version).await?.into_iter();
        let line = |shard: ShardEntry| ShardLine {
            path: self.home.path_of(&shard.uri),
            variant: shard.variant,
            split: shard.split,
            uri: shard.uri,
            samples: shard.samples,
            bytes: shard.bytes,
            sha256: shard.sha256,
        };
        Ok((shards.filter_map(|status| status.built.map(line)).collect(), Some(manifest_uri)))
    }
}

async fn is_current(blobs: &dyn BlobStore, object: &ObjectVersion) -> anyhow::Result<bool> {
    // The store holds keys escaped, so one with control characters cannot be asked for.
    if object.uri.key().contains("\\u{") {
        return Ok(true);
    }
    match blobs.head(&object.uri).await {
        Ok(found) => Ok(found.object.version == object.version),
        Err(StorageError::NotFound(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
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
        summary.version.map_or("not published".to_owned(), |version| version.to_string()),
        images.seen,
        images.ingested,
        images.duplicates,
        images.rejected,
        summary.elapsed_seconds
    );
    if let Some(path) = &summary.manifest_path {
        text += &format!("\n{}", path.with_file_name("").display());
    }
    text
}
