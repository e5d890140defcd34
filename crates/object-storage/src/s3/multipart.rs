//! Uploads by parts, for what is too large to send again from the start when a connection breaks.

use std::fs::File;
use std::io;
use std::path::Path;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::upload_part::UploadPartOutput;
use aws_sdk_s3::primitives::{ByteStream, Length};
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use sha2::Digest as _;
use types::{S3Uri, Sha256};

use super::errors::{self, classify, classify_write, damaged, refusal};
use super::upload;
use crate::{Put, PutOptions, StorageError};

/// The size of a part, unless that makes too many.
const PART: u64 = 8 << 20;

/// S3's limit.
const MAX_PARTS: u64 = 10_000;

/// Parts of one object on their way at once.
const PARALLEL: usize = 4;

/// The file to upload.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) path: &'a Path,
    pub(super) length: u64,
}

/// Uploads by parts. On failure the upload is aborted; on cancellation it stays open, and is the janitor's.
pub(super) async fn upload(
    client: &Client,
    from: Source<'_>,
    to: &S3Uri,
    options: &PutOptions,
) -> Result<Put, StorageError> {
    // The condition is only judged at the end: better to ask before sending everything.
    if options.if_absent && upload::exists(client, to).await? {
        return Ok(Put::AlreadyThere);
    }
    let id = begin(client, to, options).await?;
    let outcome = send_and_complete(client, from, to, options, &id).await;
    if !matches!(outcome, Ok(Put::Written(_)))
        && let Err(error) = abort(client, to, &id).await
    {
        tracing::debug!(%error, "multipart upload stays open");
    }
    outcome
}

/// Begins an upload and names it.
pub(super) async fn begin(client: &Client, to: &S3Uri, options: &PutOptions) -> Result<String, StorageError> {
    let begun = client
        .create_multipart_upload()
        .bucket(to.bucket().as_str())
        .key(to.key())
        .content_type(options.content_type.as_deref().unwrap_or(upload::DEFAULT_CONTENT_TYPE))
        .checksum_algorithm(ChecksumAlgorithm::Crc32)
        .send()
        .await
        .map_err(|error| classify_write(error, to))?;
    let id = begun.upload_id().ok_or_else(|| damaged(to, "the server began an upload without an id"))?;
    Ok(id.to_owned())
}

/// Gives an upload up; `Ok` when there is none.
pub(super) async fn abort(client: &Client, to: &S3Uri, id: &str) -> Result<(), StorageError> {
    let request = client.abort_multipart_upload().bucket(to.bucket().as_str()).key(to.key()).upload_id(id);
    match request.send().await {
        Ok(_) => Ok(()),
        Err(error) if errors::code(&error) == Some("NoSuchUpload") => Ok(()),
        Err(error) => Err(classify(error, to)),
    }
}

async fn send_and_complete(
    client: &Client,
    from: Source<'_>,
    to: &S3Uri,
    options: &PutOptions,
    id: &str,
) -> Result<Put, StorageError> {
    let parts = stream::iter(ranges(from.length))
        .map(|(number, offset, length)| send_part(client, from.path, to, id, (number, offset, length)))
        .buffered(PARALLEL)
        .try_collect();
    // S3 has no SHA-256 of a whole multipart object, so the file is held against it here.
    let (parts, ()) = futures::try_join!(parts, check_digest(from.path, to, options.sha256))?;
    let completed = client
        .complete_multipart_upload()
        .bucket(to.bucket().as_str())
        .key(to.key())
        .upload_id(id)
        .set_if_none_match(options.if_absent.then(|| "*".to_owned()))
        .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build())
        .send()
        .await;
    match completed {
        Ok(completed) => match completed.e_tag() {
            Some(etag) => Ok(upload::done(etag)),
            // A failure that comes after the server has begun to answer has status 200.
            None => Err(StorageError::Unavailable(format!("{to}: the completion's answer has no ETag"))),
        },
        Err(error) => match refusal(&error).filter(|_| options.if_absent) {
            Some(refusal) => upload::refused(client, to, refusal).await,
            None => Err(classify(error, to)),
        },
    }
}

async fn send_part(
    client: &Client,
    path: &Path,
    to: &S3Uri,
    id: &str,
    (number, offset, length): (i32, u64, u64),
) -> Result<CompletedPart, StorageError> {
    let local = |source| StorageError::Local { path: path.display().to_string(), source };
    let body = ByteStream::read_from()
        .path(path)
        .buffer_size(upload::BUFFER)
        .offset(offset)
        .length(Length::Exact(length))
        .build()
        .await;
    let sent = client
        .upload_part()
        .bucket(to.bucket().as_str())
        .key(to.key())
        .upload_id(id)
        .part_number(number)
        .checksum_algorithm(ChecksumAlgorithm::Crc32)
        .body(body.map_err(|error| local(io::Error::other(error)))?)
        .send()
        .await
        .map_err(|error| classify(error, to))?;
    fail::fail_point!("upload_part");
    let UploadPartOutput { e_tag, checksum_crc32, .. } = sent;
    Ok(CompletedPart::builder()
        .part_number(number)
        .set_e_tag(e_tag)
        .set_checksum_crc32(checksum_crc32)
        .build())
}

async fn check_digest(path: &Path, to: &S3Uri, expected: Option<Sha256>) -> Result<(), StorageError> {
    let Some(expected) = expected else { return Ok(()) };
    let (file, name) = (path.to_owned(), path.display().to_string());
    let digest = tokio::task::spawn_blocking(move || {
        let mut digest = sha2::Sha256::new();
        io::copy(&mut File::open(file)?, &mut Hashing(&mut digest))?;
        Ok(Sha256::from_bytes(digest.finalize().into()))
    });
    let digest = digest.await.unwrap_or_else(|panicked| Err(io::Error::other(panicked)));
    if digest.map_err(|source| StorageError::Local { path: name, source })? == expected {
        Ok(())
    } else {
        Err(damaged(to, "the file to upload does not have the declared sha256"))
    }
}

struct Hashing<'a>(&'a mut sha2::Sha256);

impl io::Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Number, offset and length of each part.
fn ranges(length: u64) -> impl Iterator<Item = (i32, u64, u64)> {
    let part = PART.max(length.div_ceil(MAX_PARTS));
    (1..)
        .zip((0..length.div_ceil(part)).map(move |index| index * part))
        .map(move |(number, offset)| (number, offset, part.min(length - offset)))
}

#[cfg(test)]
mod tests {
    use super::ranges;

    const MIB: u64 = 1 << 20;

    #[test]
    fn parts_cover_the_file() {
        let parts: Vec<_> = ranges(20 * MIB + 1).collect();
        assert_eq!(parts, [(1, 0, 8 * MIB), (2, 8 * MIB, 8 * MIB), (3, 16 * MIB, 4 * MIB + 1)]);
    }

    #[test]
    fn huge_files_have_no_more_parts_than_allowed() {
        // 5 TiB, the largest object that S3 takes.
        let parts: Vec<_> = ranges(5 << 40).collect();
        assert!(parts.len() <= 10_000, "{}", parts.len());
        assert_eq!(parts.iter().map(|(_, _, length)| length).sum::<u64>(), 5 << 40);
    }
}
