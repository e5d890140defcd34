//! The reference adapter: objects in memory, for tests.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::io::AsyncWriteExt as _;
use types::{BucketName, ObjectVersion, S3Uri, Sha256};

use crate::{
    BlobStore, Downloaded, ObjectPage, ObjectSummary, OpenUpload, OpenUploadPage, Put, PutOptions,
    StorageError, check_key, check_size,
};

/// An object store in memory. Buckets exist once they are created; the ETag is the content's SHA-256, so rewriting the
/// same bytes keeps the version, as S3 does.
/// Its clock is the machine's; [`backdate`](Self::backdate) makes an object as old as a test needs it.
#[derive(Debug, Default)]
pub struct MemoryStore {
    buckets: Mutex<BTreeMap<BucketName, Bucket>>,
}

#[derive(Debug, Default)]
struct Bucket {
    objects: BTreeMap<String, Object>,
    /// By key and id: when each was begun. Only [`MemoryStore::begin_upload`] adds one.
    uploads: BTreeMap<(String, String), SystemTime>,
    /// How many there have been.
    begun: u64,
    /// Keys of objects that may not be read.
    denied: BTreeSet<String>,
}

#[derive(Debug, Clone)]
struct Object {
    bytes: Bytes,
    modified: SystemTime,
}

impl MemoryStore {
    /// A store without buckets.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates an empty bucket, unless it is there.
    pub fn create_bucket(&self, bucket: &BucketName) {
        self.lock().entry(bucket.clone()).or_default();
    }

    /// Makes an object `by` older than it is.
    ///
    /// # Errors
    /// `NotFound` when it is not there.
    pub fn backdate(&self, uri: &S3Uri, by: Duration) -> Result<(), StorageError> {
        let missing = || StorageError::NotFound(uri.clone());
        self.with_bucket(uri, |bucket| {
            let object = bucket.objects.get_mut(uri.key()).ok_or_else(missing)?;
            object.modified = object.modified.checked_sub(by).unwrap_or(SystemTime::UNIX_EPOCH);
            Ok(())
        })
    }

    /// Refuses whoever asks for an object or its content, or lets them have it again. Listings show it.
    ///
    /// # Errors
    /// `NotFound` when there is no such bucket.
    pub fn deny(&self, uri: &S3Uri, denied: bool) -> Result<(), StorageError> {
        self.with_bucket(uri, |bucket| {
            if denied {
                bucket.denied.insert(uri.key().to_owned());
            } else {
                bucket.denied.remove(uri.key());
            }
            Ok(())
        })
    }

    /// Leaves an upload by parts behind, as a process does that dies; its id.
    ///
    /// # Errors
    /// `NotFound` when there is no such bucket.
    pub fn begin_upload(&self, to: &S3Uri, begun: SystemTime) -> Result<String, StorageError> {
        self.with_bucket(to, |bucket| {
            bucket.begun += 1;
            let id = format!("upload-{}", bucket.begun);
            bucket.uploads.insert((to.key().to_owned(), id.clone()), begun);
            Ok(id)
        })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<BucketName, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_bucket<T>(
        &self,
        uri: &S3Uri,
        work: impl FnOnce(&mut Bucket) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let mut buckets = self.lock();
        let missing = || StorageError::NotFound(uri.clone());
        buckets.get_mut(uri.bucket()).ok_or_else(missing).and_then(work)
    }

    fn get(&self, uri: &S3Uri) -> Result<Object, StorageError> {
        let missing = || StorageError::NotFound(uri.clone());
        self.with_bucket(uri, |bucket| {
            if bucket.denied.contains(uri.key()) {
                return Err(StorageError::Denied { uri: uri.clone(), message: "as it was told".to_owned() });
            }
            bucket.objects.get(uri.key()).cloned().ok_or_else(missing)
        })
    }

    fn put(&self, bytes: Bytes, to: &S3Uri, options: &PutOptions) -> Result<Put, StorageError> {
        check_key(to)?;
        let sha256 = Sha256::of(&bytes);
        options.check_sha256(to, sha256)?;
        self.with_bucket(to, |bucket| {
            if options.if_absent && bucket.objects.contains_key(to.key()) {
                return Ok(Put::AlreadyThere);
            }
            let etag = sha256.to_hex();
            bucket.objects.insert(to.key().to_owned(), Object { bytes, modified: now() });
            Ok(Put::Written(etag))
        })
    }
}

#[async_trait]
impl BlobStore for MemoryStore {
    async fn list(&self, prefix: &S3Uri, page: Option<&str>, limit: u16) -> Result<ObjectPage, StorageError> {
        self.with_bucket(prefix, |bucket| {
            let start = match page {
                Some(last) => Bound::Excluded(last),
                None => Bound::Included(prefix.key()),
            };
            let mut found = bucket
                .objects
                .range::<str, _>((start, Bound::Unbounded))
                .take_while(|(key, _)| key.starts_with(prefix.key()))
                .peekable();
            let mut page = ObjectPage::default();
            for (key, object) in found.by_ref().take(usize::from(limit)) {
                page.objects.push(summary(S3Uri::new(prefix.bucket().clone(), key.as_str()), object));
            }
            if found.peek().is_some() {
                page.next = page.objects.last().map(|last| last.object.uri.key().to_owned());
            }
            Ok(page)
        })
    }

    async fn head(&self, uri: &S3Uri) -> Result<ObjectSummary, StorageError> {
        self.get(uri).map(|object| summary(uri.clone(), &object))
    }

    async fn download(
        &self,
        object: &ObjectVersion,
        to: &Path,
        max_bytes: u64,
    ) -> Result<Downloaded, StorageError> {
        let Object { bytes, .. } = self.get(&object.uri)?;
        if etag(&bytes) != object.version {
            return Err(StorageError::Changed(object.uri.clone()));
        }
        check_size(&object.uri, bytes.len() as u64, max_bytes)?;
        let local = StorageError::local(to);
        let mut file = tokio::fs::File::create_new(to).await.map_err(&local)?;
        file.write_all(&bytes).await.map_err(&local)?;
        file.flush().await.map_err(&local)?;
        Ok(Downloaded { bytes: bytes.len() as u64, sha256: Sha256::of(&bytes) })
    }

    async fn read(&self, uri: &S3Uri, max_bytes: u64) -> Result<Bytes, StorageError> {
        let Object { bytes, .. } = self.get(uri)?;
        check_size(uri, bytes.len() as u64, max_bytes)?;
        Ok(bytes)
    }

    async fn upload(&self, from: &Path, to: &S3Uri, options: &PutOptions) -> Result<Put, StorageError> {
        let bytes = tokio::fs::read(from).await.map_err(StorageError::local(from))?;
        self.put(bytes.into(), to, options)
    }

    async fn upload_digested(
        &self,
        from: &Path,
        to: &S3Uri,
        _content_type: &str,
    ) -> Result<Sha256, StorageError> {
        self.upload(from, to, &PutOptions::default()).await?;
        Ok(Sha256::of(self.get(to)?.bytes))
    }

    async fn write(&self, bytes: Bytes, to: &S3Uri, options: &PutOptions) -> Result<Put, StorageError> {
        self.put(bytes, to, options)
    }

    async fn delete(&self, uri: &S3Uri) -> Result<(), StorageError> {
        self.with_bucket(uri, |bucket| {
            bucket.objects.remove(uri.key());
            Ok(())
        })
    }

    async fn open_uploads(
        &self,
        prefix: &S3Uri,
        _page: Option<&str>,
    ) -> Result<OpenUploadPage, StorageError> {
        self.with_bucket(prefix, |bucket| {
            let below = bucket.uploads.iter().filter(|((key, _), _)| key.starts_with(prefix.key()));
            let open = |((key, id), begun): (&(String, String), &SystemTime)| OpenUpload {
                uri: S3Uri::new(prefix.bucket().clone(), key.as_str()),
                id: id.clone(),
                begun: *begun,
            };
            Ok(OpenUploadPage { uploads: below.map(open).collect(), next: None })
        })
    }

    async fn abort_upload(&self, upload: &OpenUpload) -> Result<(), StorageError> {
        self.with_bucket(&upload.uri, |bucket| {
            bucket.uploads.remove(&(upload.uri.key().to_owned(), upload.id.clone()));
            Ok(())
        })
    }
}

fn summary(uri: S3Uri, object: &Object) -> ObjectSummary {
    let Object { bytes, modified } = object;
    ObjectSummary {
        object: ObjectVersion { uri, version: etag(bytes) },
        bytes: bytes.len() as u64,
        modified: Some(*modified),
    }
}

#[expect(clippy::disallowed_methods, reason = "the server's clock, and here the server is this process")]
fn now() -> SystemTime {
    SystemTime::now()
}

fn etag(bytes: &Bytes) -> String {
    Sha256::of(bytes).to_hex()
}
