//! The samples of a published version, with their annotations.

use std::fs::File;

use anyhow::{Context, bail};
use dataset_builder::{AnnotationSettings, PlannedSample};
use object_storage::StorageError;
use types::{DatasetName, DatasetVersionManifest, Split, VersionNumber};

use crate::backend::Backend;

const MAX_TABLE_BYTES: u64 = 16 << 30;

/// A sample of one variant.
pub(crate) struct PublishedSample {
    pub(crate) variant: String,
    pub(crate) split: Split,
    pub(crate) sample: PlannedSample,
}

/// A published version.
pub(crate) struct Published {
    pub(crate) manifest: DatasetVersionManifest,
    pub(crate) settings: AnnotationSettings,
    table: File,
}

impl Published {
    /// Fetches the manifest and the sample table.
    ///
    /// # Errors
    /// There is no such version, or it is not published.
    pub(crate) async fn open(
        backend: &Backend,
        dataset: &DatasetName,
        version: VersionNumber,
    ) -> anyhow::Result<Self> {
        let (uri, _, manifest) = backend.manifest(dataset, version).await?;
        let manifest: DatasetVersionManifest = serde_json::from_slice(&manifest).context("manifest.json")?;
        let settings = AnnotationSettings::from_json(&manifest.annotations)
            .map_err(|reason| anyhow::anyhow!("manifest.json: {reason}"))?;
        let folder = uri.parent();
        let object = match backend.blobs().head(&folder.join("samples.parquet")).await {
            Err(StorageError::NotFound(_)) => {
                bail!("{dataset} {version} has no sample table: it is laid out as files");
            }
            found => found?.object,
        };
        let scratch = backend.scratch()?;
        let path = scratch.path().join("samples.parquet");
        backend.blobs().download(&object, &path, MAX_TABLE_BYTES).await?;
        // Open, it outlives the folder.
        let table = File::open(&path)?;
        Ok(Self { manifest, settings, table })
    }

    /// Refuses a variant that the version does not have.
    ///
    /// # Errors
    /// What it has.
    pub(crate) fn check_variant(&self, variant: &str) -> anyhow::Result<()> {
        if self.manifest.variants.contains_key(variant) {
            return Ok(());
        }
        let known: Vec<_> = self.manifest.variants.keys().map(String::as_str).collect();
        bail!("the version has no variant {variant}: it has {}", known.join(", "));
    }

    /// Every sample of every variant, in the order of the table; read once.
    ///
    /// # Errors
    /// The table is damaged.
    pub(crate) fn samples(self) -> anyhow::Result<impl Iterator<Item = anyhow::Result<PublishedSample>>> {
        let rows = shards::read_samples_parquet(self.table)?;
        Ok(rows.map(|row| {
            let row = row?;
            let sample = PlannedSample::try_from(&row)?;
            Ok(PublishedSample { variant: row.variant, split: row.split, sample })
        }))
    }
}
