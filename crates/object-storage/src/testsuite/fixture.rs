//! What a behaviour is tested on.

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;
use tempfile::TempDir;
use types::{BucketName, S3Uri};

use crate::{BlobStore, MemoryStore, Put, PutOptions, S3Store, StorageError};

/// Where a server falls short of S3. The suite holds it to these too, so that they are noticed when they pass.
#[derive(Debug, Clone, Copy)]
pub struct KnownLimits {
    /// Keys that it does not take. Writing one must be refused as `Invalid`.
    pub refuses: fn(&str) -> bool,
    /// It stores bytes that do not have the SHA-256 sent with them.
    pub ignores_sha256: bool,
    /// It looks whether an object is there and writes in two steps, so that several creates at once may all write.
    pub creates_race: bool,
    /// It gives another time than the one at which an upload was begun.
    pub forgets_when_uploads_began: bool,
}

impl Default for KnownLimits {
    fn default() -> Self {
        Self {
            refuses: |_| false,
            ignores_sha256: false,
            creates_race: false,
            forgets_when_uploads_began: false,
        }
    }
}

/// An adapter that can be made to leave something unfinished.
#[async_trait]
pub trait Interruptible: BlobStore {
    /// Begins an upload by parts and goes no further, as a process does that dies; the upload's id.
    async fn begin_upload(&self, to: &S3Uri) -> Result<String, StorageError>;
}

#[async_trait]
impl Interruptible for S3Store {
    async fn begin_upload(&self, to: &S3Uri) -> Result<String, StorageError> {
        Self::begin_upload(self, to).await
    }
}

#[async_trait]
impl Interruptible for MemoryStore {
    async fn begin_upload(&self, to: &S3Uri) -> Result<String, StorageError> {
        Self::begin_upload(self, to, now())
    }
}

/// A store with an empty bucket of the test's own.
#[derive(Debug)]
pub struct Fixture {
    /// The adapter.
    pub store: Arc<dyn Interruptible>,
    /// The bucket.
    pub bucket: BucketName,
    /// Where the server behind the adapter is known to fall short of S3.
    pub limits: KnownLimits,
    files: TempDir,
    /// Kept until the test is over: the server.
    _server: Arc<dyn Any + Send + Sync>,
}

impl Fixture {
    /// A fixture without known limits. `server` is dropped after the test.
    pub fn new(
        store: Arc<dyn Interruptible>,
        bucket: BucketName,
        server: Arc<dyn Any + Send + Sync>,
    ) -> Self {
        let files = tempfile::tempdir().expect("a temporary folder");
        Self { store, bucket, limits: KnownLimits::default(), files, _server: server }
    }

    /// The same for a server that falls short of S3.
    pub fn with_limits(self, limits: KnownLimits) -> Self {
        Self { limits, ..self }
    }

    pub(super) fn uri(&self, key: &str) -> S3Uri {
        S3Uri::new(self.bucket.clone(), key)
    }

    /// A path in a folder that goes with the fixture.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// A file with these bytes.
    pub(super) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).expect("the temporary folder is writable");
        path
    }

    /// Writes an object and returns its ETag.
    pub(super) async fn put(&self, key: &str, bytes: impl Into<Bytes>) -> String {
        match self.store.write(bytes.into(), &self.uri(key), &PutOptions::default()).await {
            Ok(Put::Written(etag)) => etag,
            other => panic!("writing {key:?}: {other:?}"),
        }
    }

    /// The bytes of an object.
    pub(super) async fn get(&self, key: &str) -> Bytes {
        match self.store.read(&self.uri(key), 1 << 30).await {
            Ok(bytes) => bytes,
            Err(error) => panic!("reading {key:?}: {error}"),
        }
    }

    /// Every key with this prefix, by pages of `limit`, and the sizes of the pages.
    pub(super) async fn list(&self, prefix: &str, limit: u16) -> (Vec<String>, Vec<usize>) {
        let (mut keys, mut pages, mut page) = (Vec::new(), Vec::new(), None);
        loop {
            let listed = self.store.list(&self.uri(prefix), page.as_deref(), limit).await.expect("a listing");
            pages.push(listed.objects.len());
            keys.extend(listed.objects.into_iter().map(|summary| summary.object.uri.key().to_owned()));
            assert!(pages.len() < 1_000, "the listing does not end");
            match listed.next {
                Some(next) => page = Some(next),
                None => return (keys, pages),
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "compared with the clock of a server on this machine")]
pub(super) fn now() -> SystemTime {
    SystemTime::now()
}

/// Bytes without a pattern that compression or a repeated block could hide behind.
pub(super) fn noise(length: usize, seed: u64) -> Vec<u8> {
    // splitmix64, Steele, Lea and Flood 2014.
    let words = (1..=length.div_ceil(8) as u64).flat_map(|index| {
        let mut z = seed.wrapping_add(index.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)).to_le_bytes()
    });
    words.take(length).collect()
}
