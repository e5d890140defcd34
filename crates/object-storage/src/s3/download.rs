//! GetObject into a file or memory.

mod sink;

use std::path::Path;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use futures::FutureExt as _;
use tokio::sync::mpsc;
use types::{ObjectVersion, S3Uri};

use self::sink::{Sink, fill};
use super::errors::{body, classify, damaged};
use crate::{Downloaded, StorageError, check_size};

/// Tries of a download whose body breaks off. The SDK retries a request, but not a body.
const BODY_ATTEMPTS: u32 = 3;

/// What is received before it goes to the thread that writes: over TLS, bytes come 16 KiB at a time.
const BATCH: usize = 256 << 10;

/// Batches that wait for the thread that writes. With the one that is written and the one that is received, this bounds
/// the memory of a download.
const WAITING: usize = 1;

/// Bytes as they came.
type Batch = Vec<Bytes>;

/// Downloads exactly this version to the new file `to`.
pub(super) async fn to_file(
    client: &Client,
    object: &ObjectVersion,
    to: &Path,
    max_bytes: u64,
) -> Result<Downloaded, StorageError> {
    let mut used: Option<Sink> = None;
    let mut attempt = 1;
    loop {
        let (response, length) = get(client, &object.uri, Some(&object.version), max_bytes).await?;
        // The file is made once the server has promised the right object: a refused one leaves nothing behind.
        let (batches, received) = mpsc::channel(WAITING);
        let writing = fill(used.take(), to, received);
        let receiving = receive(response.body, batches, &object.uri).map(Ok);
        let (sink, arrived) = futures::try_join!(writing, receiving)?;
        match arrived {
            Ok(()) if sink.bytes == length => return Ok(sink.finish()),
            Ok(()) => {
                let problem = format!("{} bytes came instead of {length}", sink.bytes);
                return Err(damaged(&object.uri, problem));
            }
            Err(error @ StorageError::Unavailable(_)) if attempt < BODY_ATTEMPTS => {
                tracing::debug!(error = %error, attempt, "download broken off, begun again");
                used = Some(sink);
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// A small object's bytes.
pub(super) async fn to_memory(client: &Client, uri: &S3Uri, max_bytes: u64) -> Result<Bytes, StorageError> {
    let mut attempt = 1;
    loop {
        let (response, length) = get(client, uri, None, max_bytes).await?;
        match response.body.collect().await {
            Ok(collected) => {
                let bytes = collected.into_bytes();
                if bytes.len() as u64 == length {
                    return Ok(bytes);
                }
                return Err(damaged(uri, format!("{} bytes came instead of {length}", bytes.len())));
            }
            Err(error) => match body(error, uri) {
                StorageError::Unavailable(_) if attempt < BODY_ATTEMPTS => attempt += 1,
                error => return Err(error),
            },
        }
    }
}

async fn get(
    client: &Client,
    uri: &S3Uri,
    etag: Option<&str>,
    max_bytes: u64,
) -> Result<(GetObjectOutput, u64), StorageError> {
    let request = client
        .get_object()
        .bucket(uri.bucket().as_str())
        .key(uri.key())
        .set_if_match(etag.map(|etag| format!("\"{etag}\"")));
    let response = request.send().await.map_err(|error| classify(error, uri))?;
    let length = response.content_length().and_then(|length| u64::try_from(length).ok());
    let length = length.ok_or_else(|| damaged(uri, "the server does not say its size"))?;
    check_size(uri, length, max_bytes)?;
    Ok((response, length))
}

/// Passes a body on to the thread that writes it.
async fn receive(
    mut from: ByteStream,
    batches: mpsc::Sender<Batch>,
    uri: &S3Uri,
) -> Result<(), StorageError> {
    let (mut batch, mut bytes) = (Batch::new(), 0);
    while let Some(chunk) = from.try_next().await.map_err(|error| body(error, uri))? {
        bytes += chunk.len();
        batch.push(chunk);
        if bytes >= BATCH {
            bytes = 0;
            // It fails when the writing has, and that says why.
            batches.send(std::mem::take(&mut batch)).await.ok();
        }
    }
    batches.send(batch).await.ok();
    Ok(())
}

#[cfg(test)]
mod tests;
