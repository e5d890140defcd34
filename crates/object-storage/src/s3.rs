//! The adapter for S3 and everything that speaks it, over aws-sdk-s3.

mod connect;
mod download;
mod errors;
mod keys;
mod multipart;
mod open_uploads;
mod upload;

use std::path::Path;
use std::time::SystemTime;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::{EncodingType, Object};
use bytes::Bytes;
use types::{ObjectVersion, S3Uri, Sha256};

pub use connect::{S3Credentials, S3Settings};

use crate::{
    BlobStore, Downloaded, ObjectPage, ObjectSummary, OpenUpload, OpenUploadPage, Put, PutOptions,
    StorageError,
};
use errors::{classify, damaged};

/// An S3-compatible object store.
///
/// Versions are ETags. A call is tried four times with the SDK's standard back-off; a download broken in the middle is
/// begun again, three times in all.
#[derive(Debug, Clone)]
pub struct S3Store {
    client: Client,
}

impl S3Store {
    /// Sets the client up. Talks to no bucket: [`BlobStore::check`] does.
    ///
    /// Fails with `Unavailable` when there is neither a region nor an endpoint.
    pub async fn connect(settings: &S3Settings) -> Result<Self, StorageError> {
        connect::client(settings).await.map(|client| Self { client })
    }

    /// Creates a bucket; `Ok` when it is ours already. For tests and local set-ups: production buckets come from
    /// infrastructure code.
    pub async fn create_bucket(&self, bucket: &types::BucketName) -> Result<(), StorageError> {
        match self.client.create_bucket().bucket(bucket.as_str()).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_bucket_already_owned_by_you()) => {
                Ok(())
            }
            Err(error) => Err(classify(error, &S3Uri::new(bucket.clone(), ""))),
        }
    }

    /// Begins an upload by parts and sends none, as a process does that dies then; its id. For tests.
    pub async fn begin_upload(&self, to: &S3Uri) -> Result<String, StorageError> {
        multipart::begin(&self.client, to, &PutOptions::default()).await
    }
}

#[async_trait]
impl BlobStore for S3Store {
    async fn list(&self, prefix: &S3Uri, page: Option<&str>, limit: u16) -> Result<ObjectPage, StorageError> {
        let listed = self
            .client
            .list_objects_v2()
            .bucket(prefix.bucket().as_str())
            .prefix(prefix.key())
            .set_continuation_token(page.map(ToOwned::to_owned))
            .max_keys(i32::from(limit))
            // XML cannot carry every character that a key can.
            .encoding_type(EncodingType::Url)
            .send()
            .await
            .map_err(|error| classify(error, prefix))?;
        let encoded = listed.encoding_type() == Some(&EncodingType::Url);
        let next = listed.next_continuation_token().map(ToOwned::to_owned);
        let objects: Result<_, _> =
            listed.contents().iter().map(|object| summary(prefix, object, encoded)).collect();
        Ok(ObjectPage { objects: objects?, next })
    }

    async fn head(&self, uri: &S3Uri) -> Result<ObjectSummary, StorageError> {
        let sent = self.client.head_object().bucket(uri.bucket().as_str()).key(uri.key()).send().await;
        let head = sent.map_err(|error| classify(error, uri))?;
        let bytes = head.content_length().and_then(|length| u64::try_from(length).ok());
        match (head.e_tag(), bytes) {
            (Some(etag), Some(bytes)) => {
                let modified = system_time(head.last_modified());
                Ok(ObjectSummary { object: version(uri.clone(), etag), bytes, modified })
            }
            _ => Err(damaged(uri, "the server does not say its ETag and size")),
        }
    }

    async fn download(
        &self,
        object: &ObjectVersion,
        to: &Path,
        max_bytes: u64,
    ) -> Result<Downloaded, StorageError> {
        download::to_file(&self.client, object, to, max_bytes).await
    }

    async fn read(&self, uri: &S3Uri, max_bytes: u64) -> Result<Bytes, StorageError> {
        download::to_memory(&self.client, uri, max_bytes).await
    }

    async fn upload(&self, from: &Path, to: &S3Uri, options: &PutOptions) -> Result<Put, StorageError> {
        upload::from_file(&self.client, from, to, options).await
    }

    async fn upload_digested(
        &self,
        from: &Path,
        to: &S3Uri,
        content_type: &str,
    ) -> Result<Sha256, StorageError> {
        upload::digested(&self.client, from, to, content_type).await
    }

    async fn write(&self, bytes: Bytes, to: &S3Uri, options: &PutOptions) -> Result<Put, StorageError> {
        upload::single(&self.client, bytes.into(), to, options).await
    }

    async fn delete(&self, uri: &S3Uri) -> Result<(), StorageError> {
        let sent = self.client.delete_object().bucket(uri.bucket().as_str()).key(uri.key()).send().await;
        match sent {
            Ok(_) => Ok(()),
            // Some servers say so where S3 says nothing.
            Err(error) if errors::code(&error) == Some("NoSuchKey") => Ok(()),
            Err(error) => Err(classify(error, uri)),
        }
    }

    async fn open_uploads(&self, prefix: &S3Uri, page: Option<&str>) -> Result<OpenUploadPage, StorageError> {
        open_uploads::list(&self.client, prefix, page).await
    }

    async fn abort_upload(&self, upload: &OpenUpload) -> Result<(), StorageError> {
        multipart::abort(&self.client, &upload.uri, &upload.id).await
    }
}

fn summary(prefix: &S3Uri, object: &Object, encoded: bool) -> Result<ObjectSummary, StorageError> {
    let incomplete = || damaged(prefix, "the listing has an object without key, ETag or size");
    let key = object.key().ok_or_else(incomplete)?;
    let uri = S3Uri::new(prefix.bucket().clone(), listed_key(prefix, key, encoded)?);
    let etag = object.e_tag().ok_or_else(incomplete)?;
    let bytes = object.size().and_then(|size| u64::try_from(size).ok()).ok_or_else(incomplete)?;
    let modified = system_time(object.last_modified());
    Ok(ObjectSummary { object: version(uri, etag), bytes, modified })
}

fn listed_key(prefix: &S3Uri, key: &str, encoded: bool) -> Result<String, StorageError> {
    if !encoded {
        return Ok(key.to_owned());
    }
    keys::decode(key).ok_or_else(|| damaged(prefix, "the listing has a key that is not UTF-8"))
}

fn system_time(time: Option<&DateTime>) -> Option<SystemTime> {
    SystemTime::try_from(*time?).ok()
}

fn version(uri: S3Uri, etag: &str) -> ObjectVersion {
    ObjectVersion { uri, version: unquoted(etag) }
}

fn unquoted(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}
