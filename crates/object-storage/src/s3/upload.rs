//! PutObject, and the choice between it and a multipart upload.

use std::io;
use std::path::Path;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_types::base64;
use types::{S3Uri, Sha256};

use super::errors::{Refusal, classify, classify_write, refusal};
use super::{multipart, unquoted};
use crate::{Put, PutOptions, StorageError, check_key};

/// Files up to this go in one request.
const SINGLE_MAX: u64 = 16 << 20;

/// Files up to this are read whole before their request: so much memory does an upload take.
const WHOLE_MAX: u64 = 1 << 20;

/// What is read from a file at once; the SDK's default of 4 KiB is a trip to another thread each.
pub(super) const BUFFER: usize = 256 << 10;

pub(super) const DEFAULT_CONTENT_TYPE: &str = "application/octet-stream";

/// Uploads a local file.
pub(super) async fn from_file(
    client: &Client,
    from: &Path,
    to: &S3Uri,
    options: &PutOptions,
) -> Result<Put, StorageError> {
    check_key(to)?;
    let length = match open(from, WHOLE_MAX, |_| ()).await? {
        Opened::Small { bytes, .. } => return single(client, bytes.into(), to, options).await,
        Opened::Large { length } => length,
    };
    if length > SINGLE_MAX {
        // The condition is only judged at the end: better to ask before sending everything.
        if options.if_absent && exists(client, to).await? {
            return Ok(Put::AlreadyThere);
        }
        let source = multipart::Source { path: from, length };
        return multipart::upload(client, source, to, options).await.map(|(put, _)| put);
    }
    let body = ByteStream::read_from().path(from).buffer_size(BUFFER).build().await;
    let body = body.map_err(|error| StorageError::local(from)(io::Error::other(error)))?;
    single(client, body, to, options).await
}

/// Uploads a local file, and takes its digest.
pub(super) async fn digested(
    client: &Client,
    from: &Path,
    to: &S3Uri,
    content_type: &str,
) -> Result<Sha256, StorageError> {
    check_key(to)?;
    let options = PutOptions { content_type: Some(content_type.to_owned()), ..PutOptions::default() };
    match open(from, SINGLE_MAX, |bytes| Sha256::of(bytes)).await? {
        Opened::Small { bytes, made: sha256 } => {
            single(client, bytes.into(), to, &PutOptions { sha256: Some(sha256), ..options }).await?;
            Ok(sha256)
        }
        Opened::Large { length } => {
            let source = multipart::Source { path: from, length };
            multipart::upload(client, source, to, &options).await.map(|(_, sha256)| sha256)
        }
    }
}

/// A file to upload.
enum Opened<T> {
    /// All of it, and what was made of it.
    Small {
        bytes: Vec<u8>,
        made: T,
    },
    Large {
        length: u64,
    },
}

/// Looks at a file and reads it if it has no more than `most` bytes, in one trip to a thread that may wait.
async fn open<T: Send + 'static>(
    path: &Path,
    most: u64,
    make: impl FnOnce(&[u8]) -> T + Send + 'static,
) -> Result<Opened<T>, StorageError> {
    let file = path.to_owned();
    let opened = tokio::task::spawn_blocking(move || {
        let length = std::fs::metadata(&file)?.len();
        if length > most {
            return Ok(Opened::Large { length });
        }
        let bytes = std::fs::read(&file)?;
        let made = make(&bytes);
        Ok(Opened::Small { bytes, made })
    });
    opened.await.unwrap_or_else(|panicked| Err(io::Error::other(panicked))).map_err(StorageError::local(path))
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
    // A digest that is known is among the signed headers, so the SDK need not digest the body once more to sign it.
    let sent = match options.sha256 {
        Some(_) => request.customize().disable_payload_signing().send().await,
        None => request.send().await,
    };
    match sent {
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
