//! The stores that a command looks into: a home's, or a cluster's.

use std::sync::Arc;

use anyhow::{Context, bail};
use bytes::Bytes;
use manifest_store::{ManifestStore, SqliteStore};
use object_storage::{BlobStore, S3Settings, S3Store};
use tempfile::TempDir;
use types::{DatasetName, S3Uri, Sha256, VersionNumber};

use service::Secret;

use crate::arguments::BackendArguments;
use crate::home::{Home, HomeLayout};

const MAX_MANIFEST_BYTES: u64 = 256 << 20;

/// The manifest store alone; a running `imageml run` does not mind.
pub(crate) async fn open_store(arguments: &BackendArguments) -> anyhow::Result<Arc<dyn ManifestStore>> {
    if let Some(url) = cluster(arguments) {
        return Ok(manifest_store::open(url.expose()).await?);
    }
    let layout = HomeLayout::new(arguments.home.clone())?;
    if !layout.database().is_file() {
        bail!("there is no dataset in {} yet: `imageml run` makes one", layout.root().display());
    }
    Ok(Arc::new(SqliteStore::open(&layout.database()).await?))
}

/// A home that is named beats a `DATABASE_URL` that happens to be in the environment.
fn cluster(arguments: &BackendArguments) -> Option<&Secret> {
    arguments.database_url.as_ref().filter(|_| arguments.home.is_none())
}

/// Manifest store and object store.
pub(crate) enum Backend {
    Home(Box<Home>),
    Cluster(Arc<dyn ManifestStore>, Arc<dyn BlobStore>),
}

impl Backend {
    pub(crate) async fn open(arguments: &BackendArguments) -> anyhow::Result<Self> {
        let store = open_store(arguments).await?;
        if cluster(arguments).is_some() {
            let blobs = S3Store::connect(&S3Settings::default()).await?;
            return Ok(Self::Cluster(store, Arc::new(blobs)));
        }
        let layout = HomeLayout::new(arguments.home.clone())?;
        Ok(Self::Home(Box::new(Home::open(layout, Vec::new()).await?)))
    }

    pub(crate) fn store(&self) -> &dyn ManifestStore {
        match self {
            Self::Home(home) => home.store.as_ref(),
            Self::Cluster(store, _) => store.as_ref(),
        }
    }

    pub(crate) fn blobs(&self) -> &Arc<dyn BlobStore> {
        match self {
            Self::Home(home) => &home.blobs,
            Self::Cluster(_, blobs) => blobs,
        }
    }

    /// The manifest of a published version as it is stored: where, its recorded digest, its bytes.
    pub(crate) async fn manifest(
        &self,
        dataset: &DatasetName,
        version: VersionNumber,
    ) -> anyhow::Result<(S3Uri, Sha256, Bytes)> {
        let record = self.store().version(dataset, version).await?;
        let (uri, sha256) = record.manifest.context("this version is not published")?;
        let bytes = self.blobs().read(&uri, MAX_MANIFEST_BYTES).await?;
        Ok((uri, sha256, bytes))
    }

    /// A folder for short-lived copies: the home, so that nothing big lands in a small /tmp.
    pub(crate) fn scratch(&self) -> std::io::Result<TempDir> {
        match self {
            Self::Home(home) => TempDir::with_prefix_in("verify-", home.layout.root()),
            Self::Cluster(..) => TempDir::new(),
        }
    }

    pub(crate) async fn close(self) {
        if let Self::Home(home) = self {
            home.close().await;
        }
    }
}
