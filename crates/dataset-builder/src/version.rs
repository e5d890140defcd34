//! What makes shards a version: loader indexes per variant, the sample table, the manifest.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufWriter;

use object_storage::BlobStore;
use pipeline::{Output, StageError};
use shards::SampleRow;
use shards::energon::{energon_dataset, energon_info, energon_split};
use shards::wids::{WidsShard, wids_index};
use staging::Workspace;
use tokio::sync::mpsc;
use types::{
    DatasetVersionManifest, LineageEdge, Relation, S3Uri, Sha256, ShardEntry, Split, VariantSummary,
};

use crate::build::shard_error;
use crate::rows::{file_name, rows};
use crate::{ShardPlan, VersionPlanDocument, parse_document};

/// The layout of `manifest.json`.
const SCHEMA: u32 = 1;
/// Plans and indexes are documents of bounded size: a shard has bounded bytes.
const MAX_DOCUMENT_BYTES: u64 = 256 << 20;
const ROWS_IN_FLIGHT: usize = 1024;

/// A version whose shards are all built.
#[derive(Debug)]
pub struct VersionFiles<'a> {
    /// What the version is.
    pub document: &'a VersionPlanDocument,
    /// The version's folder.
    pub folder: S3Uri,
    /// The document that asked for it.
    pub plan_uri: S3Uri,
    /// Every shard with its plan's URI, by (variant, split, number).
    pub shards: Vec<(ShardEntry, S3Uri)>,
}

/// The objects that complete a version.
#[derive(Debug)]
pub struct FinishedVersion {
    /// Indexes and tables.
    pub outputs: Vec<Output>,
    /// `manifest.json`, to be written last.
    pub manifest: Output,
    /// The shards' way into the manifest.
    pub lineage: Vec<LineageEdge>,
}

impl VersionFiles<'_> {
    /// Writes the sample table to NVMe and everything else to memory; `extra` files are listed in the manifest too.
    ///
    /// # Errors
    /// A plan or index is gone, or a file cannot be written.
    pub async fn finish(
        &self,
        blobs: &dyn BlobStore,
        workspace: &Workspace,
        extra: Vec<Output>,
    ) -> Result<FinishedVersion, StageError> {
        let (table, indexes) = self.sample_table(blobs, workspace).await?;
        let mut outputs = vec![table];
        for variant in self.variants() {
            outputs.extend(self.loader_files(&variant));
        }
        outputs.extend(extra);
        let manifest = self.manifest(&outputs, self.summaries(), &indexes);
        let edge = |(shard, _): &(ShardEntry, S3Uri)| LineageEdge {
            parent: shard.uri.clone(),
            child: manifest.uri.clone(),
            relation: Relation::Listed,
        };
        let lineage = self.shards.iter().map(edge).collect();
        Ok(FinishedVersion { outputs, manifest, lineage })
    }

    fn variants(&self) -> Vec<String> {
        let mut names: Vec<_> = self.shards.iter().map(|(shard, _)| shard.variant.clone()).collect();
        names.dedup();
        names
    }

    fn shards_of<'s>(&'s self, variant: &'s str, split: Split) -> impl Iterator<Item = &'s ShardEntry> {
        let shards = self.shards.iter().map(|(shard, _)| shard);
        shards.filter(move |shard| shard.variant == variant && shard.split == split)
    }

    /// What wids and Energon read beside the tars of one variant.
    fn loader_files(&self, variant: &str) -> Vec<Output> {
        let folder = self.folder.join(variant);
        let file = |name: &str, content_type, content: String| {
            Output::document(folder.join(name), content_type, content, self.plan_uri.clone())
        };
        let (mut outputs, mut parts, mut counts) = (Vec::new(), Vec::new(), Vec::new());
        for split in Split::ALL {
            let shards: Vec<_> = self.shards_of(variant, split).collect();
            let listed = shards.iter().map(|shard| WidsShard {
                url: file_name(&shard.uri),
                samples: shard.samples,
                bytes: shard.bytes,
            });
            if !shards.is_empty() {
                let name = format!("{}-{variant}-{split}", self.document.dataset);
                let index = wids_index(&name, &listed.collect::<Vec<_>>());
                outputs.push(file(&format!("{split}.wids.json"), "application/json", index));
            }
            counts.extend(shards.iter().map(|shard| (file_name(&shard.uri), shard.samples)));
            parts.push((split, shards.iter().map(|shard| file_name(&shard.uri)).collect()));
        }
        outputs.push(file(".nv-meta/.info.json", "application/json", energon_info(&counts)));
        outputs.push(file(".nv-meta/split.yaml", "application/yaml", energon_split(&parts)));
        outputs.push(file(".nv-meta/dataset.yaml", "application/yaml", energon_dataset().to_owned()));
        outputs
    }

    /// Completes a version without shards: its pictures are files, listed with their digests by key relative to
    /// the version's folder.
    pub fn finish_files(
        &self,
        outputs: Vec<Output>,
        parts: &[ShardPlan],
        listed: Vec<(String, Sha256)>,
    ) -> FinishedVersion {
        let mut variants: BTreeMap<String, VariantSummary> = BTreeMap::new();
        for part in parts {
            let samples = part.samples.len() as u64;
            let bytes = part.samples.iter().map(|sample| sample.bytes).sum();
            add(&mut variants, &part.variant, part.split, samples, bytes);
        }
        let manifest = self.manifest(&outputs, variants, &listed);
        FinishedVersion { outputs, manifest, lineage: Vec::new() }
    }

    fn summaries(&self) -> BTreeMap<String, VariantSummary> {
        let mut variants = BTreeMap::new();
        for (shard, _) in &self.shards {
            add(&mut variants, &shard.variant, shard.split, shard.samples, shard.bytes);
        }
        variants
    }

    fn manifest(
        &self,
        outputs: &[Output],
        variants: BTreeMap<String, VariantSummary>,
        listed: &[(String, Sha256)],
    ) -> Output {
        let relative =
            |output: &Output| self.folder.relative(&output.uri).map(|name| (name.to_owned(), output.sha256));
        let settings = &self.document.settings;
        let manifest = DatasetVersionManifest {
            schema: SCHEMA,
            dataset: self.document.dataset.clone(),
            version: self.document.version,
            input_digest: self.document.input_digest,
            normalization_policy_hash: settings.normalization_policy_hash,
            normalization_policy: settings.normalization_policy.clone(),
            seed: settings.seed.clone(),
            split_ratios: settings.split_ratios,
            annotations: settings.annotations.to_json(),
            variants,
            shards: self.shards.iter().map(|(shard, _)| shard.clone()).collect(),
            files: outputs.iter().filter_map(relative).chain(listed.iter().cloned()).collect(),
        };
        let json = serde_json::to_vec_pretty(&manifest).expect("a manifest is plain JSON");
        Output::document(self.folder.join("manifest.json"), "application/json", json, self.plan_uri.clone())
    }

    /// `samples.parquet`: one row per sample and variant, in shard order, with its place in the tar. Beside it,
    /// the digests of the shards' indexes, which are read on the way.
    async fn sample_table(
        &self,
        blobs: &dyn BlobStore,
        workspace: &Workspace,
    ) -> Result<(Output, Vec<(String, Sha256)>), StageError> {
        let path = workspace.output(&"samples.parquet".parse().expect("a plain file name"))?;
        let (sender, mut receiver) = mpsc::channel::<SampleRow>(ROWS_IN_FLIGHT);
        let table = path.clone();
        let writer = tokio::task::spawn_blocking(move || {
            let out = BufWriter::new(File::create_new(&table)?);
            shards::write_samples_parquet(out, std::iter::from_fn(|| receiver.blocking_recv())).map(drop)
        });
        let read = self.send_rows(blobs, sender).await;
        let written = writer.await.map_err(|_| StageError::Panicked(pipeline::Panicked))?;
        let indexes = read?;
        written.map_err(|error| shard_error(error, &path))?;
        let (uri, source) = (self.folder.join("samples.parquet"), self.plan_uri.clone());
        let table = Output::stored(&path, uri, "application/vnd.apache.parquet", source, blobs).await?;
        Ok((table, indexes))
    }

    async fn send_rows(
        &self,
        blobs: &dyn BlobStore,
        sender: mpsc::Sender<SampleRow>,
    ) -> Result<Vec<(String, Sha256)>, StageError> {
        let mut indexes = Vec::new();
        for (shard, plan_uri) in &self.shards {
            let plan = blobs.read(plan_uri, MAX_DOCUMENT_BYTES).await?;
            let plan: ShardPlan = parse_document(&plan).map_err(StageError::Rejected)?;
            let index_of = |suffix: &str| format!("{}/{}.{suffix}", plan.variant, plan.stem());
            let (dali, energon) = (index_of("idx"), index_of("tar.idx"));
            let index = blobs.read(&self.folder.join(&dali), MAX_DOCUMENT_BYTES).await?;
            indexes.push((dali, Sha256::of(&index)));
            let offsets = blobs.read(&self.folder.join(&energon), MAX_DOCUMENT_BYTES).await?;
            indexes.push((energon, Sha256::of(&offsets)));
            for row in rows(&plan, &index, shard)? {
                if sender.send(row).await.is_err() {
                    // The writer stopped: its own error says why.
                    return Ok(indexes);
                }
            }
        }
        Ok(indexes)
    }
}

fn add(
    variants: &mut BTreeMap<String, VariantSummary>,
    variant: &str,
    split: Split,
    samples: u64,
    bytes: u64,
) {
    let summary = variants.entry(variant.to_owned()).or_default();
    summary.samples += samples;
    summary.bytes += bytes;
    *summary.splits.entry(split).or_default() += samples;
}
