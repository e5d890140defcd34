//! GetObject into a file or memory.

use std::path::Path;
use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use bytes::{Bytes, BytesMut};
use sha2::Digest as _;
use types::{ObjectVersion, S3Uri, Sha256};

use super::errors::{body, classify, damaged};
use crate::{Downloaded, StorageError};

/// Tries of a download whose body breaks off. The SDK retries a request, but not a body.
const BODY_ATTEMPTS: u32 = 3;

/// What is collected in memory before it is written and digested on the blocking pool.
const CHUNK: usize = 1 << 20;

/// Downloads exactly this version to the new file `to`.
pub(super) async fn to_file(
    client: &Client,
    object: &ObjectVersion,
    to: &Path,
    max_bytes: u64,
) -> Result<Downloaded, StorageError> {
    let mut sink: Option<Sink> = None;
    let mut attempt = 1;
    loop {
        let (response, length) = get(client, &object.uri, Some(&object.version), max_bytes).await?;
        // The file is made once the server has promised the right object: a refused one leaves nothing behind.
        let empty = match sink.take() {
            Some(used) => used.emptied().await?,
            None => Sink::create(to).await?,
        };
        match receive(response, empty, &object.uri).await {
            Ok(sink) if sink.bytes == length => return Ok(sink.finish()),
            Ok(sink) => {
                let problem = format!("{} bytes came instead of {length}", sink.bytes);
                return Err(damaged(&object.uri, problem));
            }
            Err((error @ StorageError::Unavailable(_), used)) if attempt < BODY_ATTEMPTS => {
                tracing::debug!(error = %error, attempt, "download broken off, begun again");
                sink = used;
                attempt += 1;
            }
            Err((error, _)) => return Err(error),
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
    if length > max_bytes {
        return Err(StorageError::TooLarge { uri: uri.clone(), bytes: length, limit: max_bytes });
    }
    Ok((response, length))
}

/// On failure the sink comes back, if its file is still of use.
async fn receive(
    mut response: GetObjectOutput,
    mut sink: Sink,
    uri: &S3Uri,
) -> Result<Sink, (StorageError, Option<Sink>)> {
    let mut buffer = BytesMut::new();
    loop {
        match response.body.try_next().await {
            Ok(Some(chunk)) => buffer.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => return Err((body(error, uri), Some(sink))),
        }
        if buffer.len() >= CHUNK {
            sink = sink.write(buffer.split().freeze()).await.map_err(|error| (error, None))?;
        }
    }
    sink.write(buffer.freeze()).await.map_err(|error| (error, None))
}

/// The file that is written, and the digest of what is in it.
struct Sink {
    path: Arc<Path>,
    file: std::fs::File,
    sha256: sha2::Sha256,
    bytes: u64,
}

impl Sink {
    async fn create(path: &Path) -> Result<Self, StorageError> {
        let path: Arc<Path> = path.into();
        blocking(Arc::clone(&path), move || {
            let file = std::fs::File::create_new(&path)?;
            Ok(Self { path, file, sha256: sha2::Sha256::new(), bytes: 0 })
        })
        .await
    }

    async fn emptied(mut self) -> Result<Self, StorageError> {
        use std::io::Seek as _;
        blocking(Arc::clone(&self.path), move || {
            self.file.set_len(0)?;
            self.file.rewind()?;
            Ok(Self { sha256: sha2::Sha256::new(), bytes: 0, ..self })
        })
        .await
    }

    async fn write(mut self, chunk: Bytes) -> Result<Self, StorageError> {
        use std::io::Write as _;
        let first = self.bytes == 0;
        let written = blocking(Arc::clone(&self.path), move || {
            self.file.write_all(&chunk)?;
            self.sha256.update(&chunk);
            self.bytes += chunk.len() as u64;
            Ok(self)
        })
        .await?;
        if first {
            fail::fail_point!("download_middle");
        }
        Ok(written)
    }

    fn finish(self) -> Downloaded {
        Downloaded { bytes: self.bytes, sha256: Sha256::from_bytes(self.sha256.finalize().into()) }
    }
}

async fn blocking<T: Send + 'static>(
    path: Arc<Path>,
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> Result<T, StorageError> {
    let done = tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|panicked| Err(std::io::Error::other(panicked)));
    done.map_err(|source| StorageError::Local { path: path.display().to_string(), source })
}

#[cfg(test)]
mod tests;
