//! Stores with something to sweep, and trouble on demand.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use janitor::{Janitor, JanitorMetrics, JanitorSettings};
use manifest_store::{
    Claim, ClaimKey, ClaimOutcome, Leadership, ManifestStore, Publication, SqliteStore, StoreError,
};
use object_storage::{
    BlobStore, Downloaded, MemoryStore, ObjectPage, ObjectSummary, OpenUpload, OpenUploadPage, Put,
    PutOptions, StorageError,
};
use prometheus::Registry;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use types::{
    DatasetName, ImageId, ManifestEntry, ObjectVersion, PolicyHash, S3Uri, Sha256, StageManifest, StageName,
    layout,
};

pub(crate) const HOUR: Duration = Duration::from_secs(3600);
/// What is this much older than a test is older than the grace.
pub(crate) const OLD: Duration = Duration::from_secs(30 * 3600);
const LEASE: Duration = Duration::from_secs(3600);

/// Deletions that go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    None,
    /// The deletion never begins, and its caller hears nothing.
    HangsBefore,
    /// The deletion is done, and its caller hears nothing.
    HangsAfter,
    /// The deletion is done, and the answer is lost.
    AnswerLost,
    /// The server does not allow it.
    Refused,
}

/// The memory store, with trouble for who deletes a picture.
#[derive(Debug)]
pub(crate) struct Blobs {
    pub(crate) inner: MemoryStore,
    trouble: Mutex<Trouble>,
    /// A permit for each deletion that met with trouble.
    pub(crate) met: Semaphore,
}

impl Blobs {
    pub(crate) fn make(&self, trouble: Trouble) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

#[async_trait]
impl BlobStore for Blobs {
    async fn list(
        &self,
        prefix: &S3Uri,
        page: Option<&str>,
        _limit: u16,
    ) -> Result<ObjectPage, StorageError> {
        // Pages of a few, so that a handful of objects takes several.
        self.inner.list(prefix, page, 20).await
    }

    async fn head(&self, uri: &S3Uri) -> Result<ObjectSummary, StorageError> {
        self.inner.head(uri).await
    }

    async fn download(
        &self,
        object: &ObjectVersion,
        to: &Path,
        max_bytes: u64,
    ) -> Result<Downloaded, StorageError> {
        self.inner.download(object, to, max_bytes).await
    }

    async fn read(&self, uri: &S3Uri, max_bytes: u64) -> Result<Bytes, StorageError> {
        self.inner.read(uri, max_bytes).await
    }

    async fn upload(&self, from: &Path, to: &S3Uri, options: &PutOptions) -> Result<Put, StorageError> {
        self.inner.upload(from, to, options).await
    }

    async fn upload_digested(
        &self,
        from: &Path,
        to: &S3Uri,
        content_type: &str,
    ) -> Result<Sha256, StorageError> {
        self.inner.upload_digested(from, to, content_type).await
    }

    async fn write(&self, bytes: Bytes, to: &S3Uri, options: &PutOptions) -> Result<Put, StorageError> {
        self.inner.write(bytes, to, options).await
    }

    async fn delete(&self, uri: &S3Uri) -> Result<(), StorageError> {
        let trouble = *self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if trouble == Trouble::None || !uri.key().ends_with(".jpg") {
            return self.inner.delete(uri).await;
        }
        if matches!(trouble, Trouble::HangsAfter | Trouble::AnswerLost) {
            self.inner.delete(uri).await?;
        }
        self.met.add_permits(1);
        match trouble {
            Trouble::None | Trouble::HangsBefore | Trouble::HangsAfter => std::future::pending().await,
            Trouble::AnswerLost => Err(StorageError::Unavailable("expected in this test".to_owned())),
            Trouble::Refused => {
                let message = "expected in this test".to_owned();
                Err(StorageError::Denied { uri: uri.clone(), message })
            }
        }
    }

    async fn open_uploads(&self, prefix: &S3Uri, page: Option<&str>) -> Result<OpenUploadPage, StorageError> {
        self.inner.open_uploads(prefix, page).await
    }

    async fn abort_upload(&self, upload: &OpenUpload) -> Result<(), StorageError> {
        self.inner.abort_upload(upload).await
    }
}

/// A leadership that ends after it was asked so often.
#[derive(Debug)]
pub(crate) struct Fading(pub(crate) u32);

#[async_trait]
impl Leadership for Fading {
    async fn holds(&mut self) -> bool {
        let left = self.0.checked_sub(1);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }
}

/// A leadership that lasts, under which a stop is asked for after so many questions.
#[derive(Debug)]
pub(crate) struct Stopping(pub(crate) u32, pub(crate) CancellationToken);

#[async_trait]
impl Leadership for Stopping {
    async fn holds(&mut self) -> bool {
        match self.0.checked_sub(1) {
            Some(left) => self.0 = left,
            None => self.1.cancel(),
        }
        true
    }
}

/// Normalize with one dataset, in which the store published for the first time ten days ago.
pub(crate) struct Bench {
    pub(crate) blobs: Arc<Blobs>,
    pub(crate) store: Arc<dyn ManifestStore>,
    pub(crate) registry: Registry,
    pub(crate) metrics: Arc<JanitorMetrics>,
    _folder: TempDir,
}

impl Bench {
    pub(crate) async fn new() -> anyhow::Result<Self> {
        let bench = Self::empty().await?;
        bench.publish(0).await?;
        bench.blobs.inner.backdate(&manifest(0), 240 * HOUR)?;
        bench.blobs.inner.backdate(&variant(0), 240 * HOUR)?;
        Ok(bench)
    }

    /// The same before anything was published.
    pub(crate) async fn empty() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let inner = MemoryStore::new();
        inner.create_bucket(prefix().bucket());
        let registry = Registry::new();
        Ok(Self {
            blobs: Arc::new(Blobs { inner, trouble: Mutex::new(Trouble::None), met: Semaphore::new(0) }),
            store: Arc::new(SqliteStore::open(&folder.path().join("manifest.db")).await?),
            metrics: Arc::new(JanitorMetrics::register(&registry, StageName::Normalize)?),
            registry,
            _folder: folder,
        })
    }

    pub(crate) fn janitor(&self) -> Janitor {
        self.janitor_with(JanitorSettings::new(StageName::Normalize, prefix()))
    }

    pub(crate) fn janitor_with(&self, settings: JanitorSettings) -> Janitor {
        let (store, blobs) = (Arc::clone(&self.store), Arc::clone(&self.blobs) as Arc<dyn BlobStore>);
        Janitor::new(settings, store, blobs, Arc::clone(&self.metrics))
    }

    /// Writes an object, `age` ago.
    pub(crate) async fn put(&self, uri: &S3Uri, age: Duration) -> anyhow::Result<()> {
        self.blobs.write("some bytes".into(), uri, &PutOptions::default()).await?;
        self.blobs.inner.backdate(uri, age)?;
        Ok(())
    }

    pub(crate) async fn is_there(&self, uri: &S3Uri) -> anyhow::Result<bool> {
        match self.blobs.head(uri).await {
            Ok(_) => Ok(true),
            Err(StorageError::NotFound(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Everything below the prefix, in key order.
    pub(crate) async fn keys(&self) -> anyhow::Result<Vec<String>> {
        let listed = self.blobs.inner.list(&prefix().as_folder(), None, 1_000).await?.objects;
        Ok(listed.into_iter().map(|object| object.object.uri.key().to_owned()).collect())
    }

    /// A worker claims the object behind variant `number`.
    pub(crate) async fn claim(&self, number: u32) -> anyhow::Result<Claim> {
        self.claim_for(number, LEASE).await
    }

    pub(crate) async fn claim_for(&self, number: u32, lease: Duration) -> anyhow::Result<Claim> {
        let uri: S3Uri = format!("s3://bronze/ds/{number}").parse()?;
        let key = ClaimKey {
            stage: StageName::Normalize,
            dataset: dataset(),
            object: ObjectVersion { uri, version: "1".to_owned() },
            policy: policy(),
        };
        let mut outcomes = self.store.claim(&[key], "worker", lease).await?;
        match outcomes.pop() {
            Some(ClaimOutcome::Owned(claim)) => Ok(claim),
            other => anyhow::bail!("not claimed: {other:?}"),
        }
    }

    /// The worker uploads, as the engine does: the output, then the manifest.
    pub(crate) async fn upload(&self, number: u32) -> anyhow::Result<()> {
        self.put(&variant(number), Duration::ZERO).await?;
        self.put(&manifest(number), Duration::ZERO).await
    }

    /// The worker publishes variant `number`.
    pub(crate) async fn commit(&self, claim: &Claim, number: u32) -> Result<(), StoreError> {
        let entry = ManifestEntry {
            source_uri: claim.key.object.uri.clone(),
            output_uri: variant(number),
            bytes: 10,
            sha256: Sha256::of("some bytes"),
            fields: serde_json::Map::new(),
        };
        let document = StageManifest {
            dataset: dataset(),
            stage: StageName::Normalize,
            policy_hash: policy(),
            source: claim.key.object.clone(),
            metadata: Value::Null,
            entries: vec![entry],
        };
        let publication = Publication {
            claim: claim.clone(),
            manifest: document,
            manifest_uri: manifest(number),
            lineage: Vec::new(),
            effects: Vec::new(),
        };
        self.store.publish(&publication).await
    }

    /// A worker's whole work.
    pub(crate) async fn publish(&self, number: u32) -> anyhow::Result<()> {
        let claim = self.claim(number).await?;
        self.upload(number).await?;
        Ok(self.commit(&claim, number).await?)
    }
}

/// The database's clock has passed the millisecond in which something was written.
pub(crate) async fn tick() {
    tokio::time::sleep(Duration::from_millis(3)).await;
}

pub(crate) fn prefix() -> S3Uri {
    "s3://silver/pre".parse().expect("valid")
}

pub(crate) fn dataset() -> DatasetName {
    "ds".parse().expect("valid")
}

fn policy() -> PolicyHash {
    PolicyHash::of("policy")
}

/// The output of work `number`.
pub(crate) fn variant(number: u32) -> S3Uri {
    layout::variant(&prefix(), &dataset(), "720p", &image(number), &policy(), "jpg")
}

/// The manifest object of work `number`.
pub(crate) fn manifest(number: u32) -> S3Uri {
    let folder = layout::manifest_folder(&prefix(), &dataset(), StageName::Normalize);
    folder.join(&format!("{}-{}.json", image(number), policy().short()))
}

fn image(number: u32) -> ImageId {
    ImageId::of(&Sha256::of(number.to_string()))
}
