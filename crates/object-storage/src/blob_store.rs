//! The seam: what the pipeline needs of an object store.

use std::fmt::Debug;
use std::path::Path;
use std::time::SystemTime;

use async_trait::async_trait;
use bytes::Bytes;
use types::{ObjectVersion, S3Uri, Sha256};

use crate::StorageError;

/// What a listing or a head says about an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectSummary {
    /// The object, with its ETag (or version id) as version.
    pub object: ObjectVersion,
    /// Its size.
    pub bytes: u64,
    /// When it was last written, by the server's clock, to the second; `None` when that is not known (an event). For
    /// an object uploaded by parts S3 gives the time at which the upload began.
    pub modified: Option<SystemTime>,
}

/// One page of a listing, in key order (UTF-8 bytes).
#[derive(Debug, Clone, Default)]
pub struct ObjectPage {
    /// The objects.
    pub objects: Vec<ObjectSummary>,
    /// Opaque; pass it to get the next page. `None` at the end.
    pub next: Option<String>,
}

/// An upload by parts that was begun and neither completed nor aborted: it is under way, or its process died. Its parts
/// take room and are paid for, and no listing of objects shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenUpload {
    /// The object that it would become.
    pub uri: S3Uri,
    /// The server's name for it.
    pub id: String,
    /// When it was begun, by the server's clock.
    pub begun: SystemTime,
}

/// One page of open uploads, in key order.
#[derive(Debug, Clone, Default)]
pub struct OpenUploadPage {
    /// The uploads.
    pub uploads: Vec<OpenUpload>,
    /// Opaque; pass it to get the next page. `None` at the end.
    pub next: Option<String>,
}

/// A finished download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Downloaded {
    /// Bytes written.
    pub bytes: u64,
    /// Their digest, computed on the way.
    pub sha256: Sha256,
}

/// How to write an object.
#[derive(Debug, Clone, Default)]
pub struct PutOptions {
    /// The MIME type; `application/octet-stream` when `None`.
    pub content_type: Option<String>,
    /// The digest of the content where the caller knows it: sent as the request's checksum, so that the
    /// server refuses damaged bytes.
    pub sha256: Option<Sha256>,
    /// Only create: an existing object is left alone and [`Put::AlreadyThere`] comes back.
    pub if_absent: bool,
    /// Nobody writes to the local file any more: a store on the same disk may keep that file itself instead of a copy, and
    /// take the caller's word for its digest.
    pub frozen: bool,
}

impl PutOptions {
    /// Refuses content with another digest than the declared one.
    ///
    /// # Errors
    /// [`StorageError::Damaged`].
    pub fn check_sha256(&self, to: &S3Uri, found: Sha256) -> Result<(), StorageError> {
        if self.sha256.is_some_and(|declared| declared != found) {
            let problem = "the content does not have the declared sha256".to_owned();
            return Err(StorageError::Damaged { uri: to.clone(), problem });
        }
        Ok(())
    }
}

/// What a write did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// The object is written; this is its ETag (or version id).
    Written(String),
    /// `if_absent` was asked for, and an object is there.
    AlreadyThere,
}

/// An S3-compatible object store.
///
/// Contract:
/// - **Who retries**: the adapter retries throttling and broken connections a few times within one call; what
///   it returns after that carries its [`types::Disposition`], and the engine decides.
/// - **Cancellation**: dropping a future cancels the call. A cancelled or failed `download` leaves at most a
///   partial file at `to`; the caller owns the path. A cancelled `upload` leaves no visible object (a multipart
///   upload may stay open: the janitor's).
/// - **Visibility**: after `Ok` from a write, every later read sees it (S3 is strongly consistent).
/// - **Keys** are raw UTF-8 (any characters, NUL included); the adapter encodes them on the wire.
#[async_trait]
pub trait BlobStore: Send + Sync + Debug {
    /// One page of at most `limit` (1 to 1000) objects whose keys start with the prefix `prefix.key()`.
    async fn list(&self, prefix: &S3Uri, page: Option<&str>, limit: u16) -> Result<ObjectPage, StorageError>;

    /// Size and version of one object; `NotFound` when it is not there.
    async fn head(&self, uri: &S3Uri) -> Result<ObjectSummary, StorageError>;

    /// Downloads exactly this version (`Changed` when the object is another by now) to the new file `to`,
    /// checking length and checksums. Fails when `to` exists. Objects above `max_bytes` are refused as
    /// `TooLarge` before anything is written.
    async fn download(
        &self,
        object: &ObjectVersion,
        to: &Path,
        max_bytes: u64,
    ) -> Result<Downloaded, StorageError>;

    /// A small object's bytes, refused as `TooLarge` above `max_bytes`.
    async fn read(&self, uri: &S3Uri, max_bytes: u64) -> Result<Bytes, StorageError>;

    /// Uploads a local file, by parts in parallel when it is large.
    async fn upload(&self, from: &Path, to: &S3Uri, options: &PutOptions) -> Result<Put, StorageError>;

    /// Uploads a local file over whatever is there, and gives its digest, which is taken on the way: for what was just made,
    /// by one who had no other reason to read it, and is [frozen](PutOptions::frozen).
    async fn upload_digested(
        &self,
        from: &Path,
        to: &S3Uri,
        content_type: &str,
    ) -> Result<Sha256, StorageError>;

    /// Writes a small object from memory.
    async fn write(&self, bytes: Bytes, to: &S3Uri, options: &PutOptions) -> Result<Put, StorageError>;

    /// Removes an object; `Ok` when it is not there.
    async fn delete(&self, uri: &S3Uri) -> Result<(), StorageError>;

    /// One page of the open uploads, in key order, whose keys start with the prefix `prefix.key()`. An upload that is begun or ends
    /// between two pages may or may not be listed.
    async fn open_uploads(&self, prefix: &S3Uri, page: Option<&str>) -> Result<OpenUploadPage, StorageError>;

    /// Gives an open upload up and frees its parts; `Ok` when there is no such upload (any more). A part that is on its
    /// way at this moment may keep it open: it is listed again then.
    async fn abort_upload(&self, upload: &OpenUpload) -> Result<(), StorageError>;

    /// Cheap proof that the bucket of `prefix` answers and may be read.
    async fn check(&self, prefix: &S3Uri) -> Result<(), StorageError> {
        self.list(prefix, None, 1).await.map(drop)
    }
}

/// Refuses what cannot be an object's key.
///
/// # Errors
/// [`StorageError::Invalid`].
pub fn check_key(uri: &S3Uri) -> Result<(), StorageError> {
    /// S3's limit, in bytes. Not every server keeps to it, but no key may pass here that another would refuse.
    const MAX_KEY: usize = 1_024;
    if (1..=MAX_KEY).contains(&uri.key().len()) {
        return Ok(());
    }
    Err(StorageError::Invalid { uri: uri.clone(), message: "a key has 1 to 1,024 bytes".to_owned() })
}

/// Refuses an object of `bytes` where at most `limit` are wanted.
///
/// # Errors
/// [`StorageError::TooLarge`].
pub fn check_size(uri: &S3Uri, bytes: u64, limit: u64) -> Result<(), StorageError> {
    if bytes > limit {
        return Err(StorageError::TooLarge { uri: uri.clone(), bytes, limit });
    }
    Ok(())
}
