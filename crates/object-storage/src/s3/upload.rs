//! PutObject, and the choice between it and a multipart upload.

use std::path::Path;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_types::base64;
use types::S3Uri;

use super::errors::{Refusal, classify, classify_write, refusal};
use super::{multipart, unquoted};
use crate::{Put, PutOptions, StorageError};

/// Files up to this go in one request.
const SINGLE_MAX: u64 = 16 << 20;

/// What is read from a file at once; the SDK's default of 4 KiB is a trip to another thread each.
pub(super) const BUFFER: usize = 256 << 10;

/// S3's limit, in bytes. Not every server keeps to it, but no key may pass here that another would refuse.
const MAX_KEY: usize = 1_024;

pub(super) const DEFAULT_CONTENT_TYPE: &str = "application/octet-stream";

/// Uploads a local file.
pub(super) async fn from_file(
    client: &Client,
    from: &Path,
    to: &S3Uri,
    options: &PutOptions,
) -> Result<Put, StorageError> {
    check_key(to)?;
    let local = |source| StorageError::Local { path: from.display().to_string(), source };
    let length = tokio::fs::metadata(from).await.map_err(local)?.len();
    if length > SINGLE_MAX {
        return multipart::upload(client, multipart::Source { path: from, length }, to, options).await;
    }
    let body = ByteStream::read_from().path(from).buffer_size(BUFFER).build().await;
    let body = body.map_err(|error| local(std::io::Error::other(error)))?;
    single(client, body, to, options).await
}

/// Writes an object in one request.
pub(super) async fn single(
    client: &Client,
    body: ByteStream,
    to: &S3Uri,
    options: &PutOptions,
) -> Result<Put, StorageError> {
    check_key(to)?;
    let request = client
        .put_object()
        .bucket(to.bucket().as_str())
        .key(to.key())
        .content_type(options.content_type.as_deref().unwrap_or(DEFAULT_CONTENT_TYPE))
        .set_checksum_sha256(options.sha256.map(|digest| base64::encode(digest.as_bytes())))
        .set_if_none_match(options.if_absent.then(|| "*".to_owned()))
        .body(body);
    fail::fail_point!("upload_part");
    match request.send().await {
        Ok(written) => match written.e_tag() {
            Some(etag) => Ok(done(etag)),
            None => Err(StorageError::Unavailable(format!("{to} was written, but the answer has no ETag"))),
        },
        Err(error) => match refusal(&error).filter(|_| options.if_absent) {
            Some(refusal) => refused(client, to, refusal).await,
            None => Err(classify_write(error, to)),
        },
    }
}

/// The outcome of a write.
pub(super) fn done(etag: &str) -> Put {
    fail::fail_point!("upload_done");
    Put::Written(unquoted(etag))
}

/// The outcome of a refused create. A conflict is with a write or with a delete, and only the former leaves an object.
pub(super) async fn refused(client: &Client, to: &S3Uri, refusal: Refusal) -> Result<Put, StorageError> {
    match refusal {
        Refusal::AlreadyThere => Ok(Put::AlreadyThere),
        Refusal::Conflict if exists(client, to).await? => Ok(Put::AlreadyThere),
        Refusal::Conflict => Err(StorageError::Unavailable("another write was under way".to_owned())),
    }
}

pub(super) async fn exists(client: &Client, uri: &S3Uri) -> Result<bool, StorageError> {
    match client.head_object().bucket(uri.bucket().as_str()).key(uri.key()).send().await {
        Ok(_) => Ok(true),
        Err(error) => match classify(error, uri) {
            StorageError::NotFound(_) => Ok(false),
            error => Err(error),
        },
    }
}

fn check_key(uri: &S3Uri) -> Result<(), StorageError> {
    if (1..=MAX_KEY).contains(&uri.key().len()) {
        return Ok(());
    }
    Err(StorageError::Invalid { uri: uri.clone(), message: "a key has 1 to 1,024 bytes".to_owned() })
}
