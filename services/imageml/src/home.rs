//! The home: one folder that holds an embedded S3 server, a SQLite manifest store and a staging area.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use local_cloud::{LocalCloud, LocalCloudConfig, Mount};
use manifest_store::{ManifestStore, SqliteStore};
use object_storage::BlobStore;
use types::{BucketName, S3Uri};

/// The buckets of the embedded S3 server.
const BUCKETS: [&str; 7] = [
    "imageml-annotations",
    "imageml-bronze",
    "imageml-silver",
    "imageml-gold",
    "imageml-training",
    "imageml-plans",
    "imageml-requests",
];

/// Where things are in a home.
#[derive(Debug, Clone)]
pub(crate) struct HomeLayout {
    root: PathBuf,
}

impl HomeLayout {
    /// The given folder, or the default one.
    pub(crate) fn new(given: Option<PathBuf>) -> anyhow::Result<Self> {
        let root = match given {
            Some(root) => root,
            None => dirs::data_dir().context("no user data directory here: give --home DIR")?.join("imageml"),
        };
        Ok(Self { root: std::path::absolute(root)? })
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.root.join("manifest.db")
    }

    pub(crate) fn nvme(&self) -> PathBuf {
        self.root.join("nvme")
    }

    fn buckets(&self) -> PathBuf {
        self.root.join("s3")
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }
}

/// An open home: locked, its servers running.
#[derive(Debug)]
pub(crate) struct Home {
    pub(crate) layout: HomeLayout,
    pub(crate) store: Arc<dyn ManifestStore>,
    pub(crate) blobs: Arc<dyn BlobStore>,
    cloud: LocalCloud,
    _lock: File,
}

impl Home {
    /// Opens a home for one process at a time; `mounts` are folders served read-only as buckets.
    pub(crate) async fn open(layout: HomeLayout, mounts: Vec<Mount>) -> anyhow::Result<Self> {
        let root = layout.root.clone();
        std::fs::create_dir_all(&root).with_context(|| format!("cannot make {}", root.display()))?;
        let lock = lock(&root)?;
        let store = Arc::new(SqliteStore::open(&layout.database()).await?);
        let buckets = BUCKETS.map(str::to_owned).to_vec();
        let config = LocalCloudConfig { root: layout.buckets(), buckets, mounts, port: None };
        let cloud = LocalCloud::start(config).await?;
        let blobs = Arc::new(cloud.direct().clone());
        Ok(Self { layout, store, blobs, cloud, _lock: lock })
    }

    /// Where an object lies on this disk.
    pub(crate) fn path_of(&self, uri: &S3Uri) -> Option<PathBuf> {
        self.cloud.path_of(uri.bucket().as_str(), uri.key())
    }

    pub(crate) async fn close(self) {
        self.cloud.stop().await;
    }
}

/// A bucket of the embedded server.
pub(crate) fn bucket(stage: &str) -> S3Uri {
    let name: BucketName = format!("imageml-{stage}").parse().expect("our bucket names are valid");
    S3Uri::new(name, "")
}

fn lock(root: &Path) -> anyhow::Result<File> {
    let path = root.join("LOCK");
    let file = File::options().create(true).truncate(false).write(true).open(&path)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!("another imageml process is using {}: wait for it, or give another --home", root.display())
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}
