//! The buckets for the process that serves them: the same objects, without the way over HTTP.
//!
//! What it writes has its SHA-256 for an ETag, which is taken anyhow; the server's are MD5s, as S3's are, because clients
//! compare those with their own. Both say the same of the same bytes, so writing them again is no new version as long as it
//! goes the same way.

mod copy;

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use object_storage::{
    BlobStore, Downloaded, ObjectPage, ObjectSummary, OpenUpload, OpenUploadPage, Put, PutOptions,
    StorageError, check_key, check_size,
};
use tempfile::NamedTempFile;
use tokio_util::sync::CancellationToken;
use types::{ObjectVersion, S3Uri, Sha256};

use self::copy::{Copied, CopyError, copy};
use crate::store::{
    Bucket, Commit, Cursors, ListQuery, Listed, Object, Stamp, Store, UnderWay, Uploads, UploadsQuery,
    adopted, temporary,
};

/// Open uploads of a page, as S3 lists at once.
const UPLOADS_A_PAGE: usize = 1_000;

/// A [`BlobStore`] over the folder of a running [`LocalCloud`](crate::LocalCloud), in its process. Clones share everything.
#[derive(Debug, Clone)]
pub struct DirectStore {
    store: Arc<Store>,
    cursors: Arc<Cursors>,
    uploads: Arc<Uploads>,
}

impl DirectStore {
    pub(crate) fn new(store: Arc<Store>, cursors: Arc<Cursors>, uploads: Arc<Uploads>) -> Self {
        Self { store, cursors, uploads }
    }

    /// Where an object lies.
    pub(crate) fn path_of(&self, bucket: &str, key: &str) -> Option<PathBuf> {
        self.store.bucket(bucket)?.path_of(key).ok().flatten()
    }

    fn bucket(&self, uri: &S3Uri) -> Result<Arc<Bucket>, StorageError> {
        self.store.bucket(uri.bucket().as_str()).ok_or_else(|| StorageError::NotFound(uri.clone()))
    }

    fn open(&self, uri: &S3Uri) -> Result<Object, StorageError> {
        let found = self.bucket(uri)?.open(uri.key()).map_err(failed(uri))?;
        found.ok_or_else(|| StorageError::NotFound(uri.clone()))
    }

    fn receive(
        &self,
        object: &ObjectVersion,
        to: &Path,
        max_bytes: u64,
        stop: &CancellationToken,
    ) -> Result<Downloaded, StorageError> {
        let uri = &object.uri;
        let mut found = self.open(uri)?;
        if found.etag != object.version {
            return Err(StorageError::Changed(uri.clone()));
        }
        check_size(uri, found.stamp.size, max_bytes)?;
        let mut file = File::create_new(to).map_err(StorageError::local(to))?;
        let Copied { bytes, sha256 } = copy(&mut found.file, &mut file, stop)
            .map_err(|error| error.told(failed(uri), StorageError::local(to)))?;
        check_unchanged(&found, uri)?;
        Ok(Downloaded { bytes, sha256 })
    }

    /// Makes a file of the store's and that the object; its digest comes back with what was done.
    fn put(
        &self,
        to: &S3Uri,
        options: PutOptions,
        stop: &CancellationToken,
        make: impl FnOnce(&Path) -> Result<(NamedTempFile, Sha256), StorageError>,
    ) -> Result<(Put, Sha256), StorageError> {
        check_key(to)?;
        let bucket = self.bucket(to)?;
        let Bucket::Folder(folder) = bucket.as_ref() else { return Err(read_only(to)) };
        let (file, sha256) = make(&self.store.tmp_dir())?;
        options.check_sha256(to, sha256)?;
        if stop.is_cancelled() {
            return Err(cut_short());
        }
        let etag = sha256.to_hex();
        let PutOptions { content_type, if_absent, .. } = options;
        let commit = Commit { file, etag: etag.clone(), content_type, if_absent };
        let written = folder.commit(to.key(), commit).map_err(failed(to))?;
        Ok((if written { Put::Written(etag) } else { Put::AlreadyThere }, sha256))
    }

    async fn send(
        &self,
        from: &Path,
        to: &S3Uri,
        options: PutOptions,
    ) -> Result<(Put, Sha256), StorageError> {
        let (this, from, to) = (self.clone(), from.to_owned(), to.clone());
        let PutOptions { frozen, sha256: declared, .. } = options;
        blocking(move |stop| {
            this.put(&to, options, stop, |tmp| {
                let told = |error: CopyError| error.told(StorageError::local(&from), failed(&to));
                // Where it is refused, copying goes on to say why, if there is a reason.
                if frozen && let Ok(mut file) = adopted(&from, tmp) {
                    // No byte moves on which harm could come.
                    let sha256 = match declared {
                        Some(sha256) => sha256,
                        None => copy(file.as_file_mut(), &mut io::sink(), stop).map_err(told)?.sha256,
                    };
                    return Ok((file, sha256));
                }
                let mut content = File::open(&from).map_err(StorageError::local(&from))?;
                let mut file = temporary(tmp).map_err(failed(&to))?;
                let copied = copy(&mut content, file.as_file_mut(), stop).map_err(told)?;
                Ok((file, copied.sha256))
            })
        })
        .await
    }
}

#[async_trait]
impl BlobStore for DirectStore {
    async fn list(&self, prefix: &S3Uri, page: Option<&str>, limit: u16) -> Result<ObjectPage, StorageError> {
        let query = ListQuery {
            bucket: prefix.bucket().as_str().to_owned(),
            prefix: prefix.key().to_owned(),
            delimiter: None,
            start_after: None,
            token: page.map(ToOwned::to_owned),
            limit: usize::from(limit),
        };
        let (this, prefix) = (self.clone(), prefix.clone());
        blocking(move |_| {
            let bucket = this.bucket(&prefix)?;
            let listed = this.cursors.list(&bucket, &query).map_err(|_| StorageError::Invalid {
                uri: prefix.clone(),
                message: "the page is not one of this store".to_owned(),
            })?;
            let page = listed.map_err(failed(&prefix))?;
            let summary = |Listed { key, size, etag, modified }| ObjectSummary {
                object: ObjectVersion { uri: S3Uri::new(prefix.bucket().clone(), key), version: etag },
                bytes: size,
                modified: Some(modified),
            };
            Ok(ObjectPage { objects: page.objects.into_iter().map(summary).collect(), next: page.next })
        })
        .await
    }

    async fn head(&self, uri: &S3Uri) -> Result<ObjectSummary, StorageError> {
        let (this, uri) = (self.clone(), uri.clone());
        blocking(move |_| {
            let Object { stamp, etag, .. } = this.open(&uri)?;
            let object = ObjectVersion { uri, version: etag };
            Ok(ObjectSummary { object, bytes: stamp.size, modified: Some(stamp.modified()) })
        })
        .await
    }

    async fn download(
        &self,
        object: &ObjectVersion,
        to: &Path,
        max_bytes: u64,
    ) -> Result<Downloaded, StorageError> {
        let (this, object, to) = (self.clone(), object.clone(), to.to_owned());
        blocking(move |stop| this.receive(&object, &to, max_bytes, stop)).await
    }

    async fn read(&self, uri: &S3Uri, max_bytes: u64) -> Result<Bytes, StorageError> {
        let (this, uri) = (self.clone(), uri.clone());
        blocking(move |_| {
            let object = this.open(&uri)?;
            check_size(&uri, object.stamp.size, max_bytes)?;
            let mut bytes = Vec::with_capacity(usize::try_from(object.stamp.size).unwrap_or(0));
            // No more than was found, also where somebody is just writing to the file.
            (&object.file).take(object.stamp.size).read_to_end(&mut bytes).map_err(failed(&uri))?;
            check_unchanged(&object, &uri)?;
            Ok(bytes.into())
        })
        .await
    }

    async fn upload(&self, from: &Path, to: &S3Uri, options: &PutOptions) -> Result<Put, StorageError> {
        self.send(from, to, options.clone()).await.map(|(put, _)| put)
    }

    async fn upload_digested(
        &self,
        from: &Path,
        to: &S3Uri,
        content_type: &str,
    ) -> Result<Sha256, StorageError> {
        let content_type = Some(content_type.to_owned());
        let options = PutOptions { content_type, frozen: true, ..PutOptions::default() };
        self.send(from, to, options).await.map(|(_, sha256)| sha256)
    }

    async fn write(&self, bytes: Bytes, to: &S3Uri, options: &PutOptions) -> Result<Put, StorageError> {
        let (this, to, options) = (self.clone(), to.clone(), options.clone());
        let put = blocking(move |stop| {
            this.put(&to, options, stop, |tmp| {
                let mut file = temporary(tmp).map_err(failed(&to))?;
                file.write_all(&bytes).map_err(failed(&to))?;
                Ok((file, Sha256::of(&bytes)))
            })
        });
        put.await.map(|(put, _)| put)
    }

    async fn delete(&self, uri: &S3Uri) -> Result<(), StorageError> {
        let (this, uri) = (self.clone(), uri.clone());
        blocking(move |_| match this.bucket(&uri)?.as_ref() {
            Bucket::Folder(folder) => folder.delete(uri.key()).map_err(failed(&uri)),
            Bucket::Mounted(_) => Err(read_only(&uri)),
        })
        .await
    }

    /// Those that clients of the server have begun: this store has none of its own.
    async fn open_uploads(&self, prefix: &S3Uri, page: Option<&str>) -> Result<OpenUploadPage, StorageError> {
        self.bucket(prefix)?;
        let after = page.and_then(|page| page.split_once('/'));
        let query = UploadsQuery {
            prefix: prefix.key().to_owned(),
            after: after.map(|(id, key)| (key.to_owned(), Some(id.to_owned()))),
            limit: UPLOADS_A_PAGE,
        };
        let (found, more) = self.uploads.list(prefix.bucket().as_str(), &query);
        let next = found.last().filter(|_| more).map(|last| format!("{}/{}", last.id, last.key));
        let open = |UnderWay { key, id, begun }| OpenUpload {
            uri: S3Uri::new(prefix.bucket().clone(), key),
            id,
            begun,
        };
        Ok(OpenUploadPage { uploads: found.into_iter().map(open).collect(), next })
    }

    async fn abort_upload(&self, upload: &OpenUpload) -> Result<(), StorageError> {
        self.uploads.end(&upload.id, (upload.uri.bucket().as_str(), upload.uri.key()));
        Ok(())
    }
}

/// Runs file work on the blocking pool. It is told to stop when nobody waits for it any more.
async fn blocking<T, F>(work: F) -> Result<T, StorageError>
where
    T: Send + 'static,
    F: FnOnce(&CancellationToken) -> Result<T, StorageError> + Send + 'static,
{
    let stop = CancellationToken::new();
    let _stopped_when_dropped = stop.clone().drop_guard();
    let done = tokio::task::spawn_blocking(move || work(&stop)).await;
    done.unwrap_or_else(|panicked| Err(StorageError::Unavailable(panicked.to_string())))
}

/// A failure of the store's own files.
fn failed(uri: &S3Uri) -> impl Fn(std::io::Error) -> StorageError {
    |error| match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            StorageError::Denied { uri: uri.clone(), message: error.to_string() }
        }
        _ => StorageError::Unavailable(error.to_string()),
    }
}

/// After reading: a user's own file may have been edited under our eyes.
fn check_unchanged(object: &Object, uri: &S3Uri) -> Result<(), StorageError> {
    if Stamp::of(&object.file).map_err(failed(uri))? == object.stamp {
        return Ok(());
    }
    Err(StorageError::Changed(uri.clone()))
}

/// Nobody waits for it any more.
fn cut_short() -> StorageError {
    StorageError::Unavailable("the call was cut short".to_owned())
}

fn read_only(uri: &S3Uri) -> StorageError {
    let message = "this bucket is a mounted folder and read-only".to_owned();
    StorageError::Denied { uri: uri.clone(), message }
}

#[cfg(test)]
mod tests;
