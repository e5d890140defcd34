//! Uploads by parts, for what is too large to send again from the start when a connection breaks.

mod parts;

use std::io;
use std::path::Path;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::upload_part::UploadPartOutput;
use aws_sdk_s3::primitives::{ByteStream, Length};
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use aws_smithy_types::base64;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use tokio::sync::mpsc;
use types::{S3Uri, Sha256};

use self::parts::Part;
use super::errors::{self, classify, classify_write, damaged, refusal};
use super::upload;
use crate::{Put, PutOptions, StorageError};

/// Parts of one object on their way at once.
const PARALLEL: usize = 4;

/// The file to upload.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) path: &'a Path,
    pub(super) length: u64,
}

/// Uploads by parts, and takes the file's digest on the way. On failure the upload is aborted; on cancellation it stays open,
/// and is the janitor's.
pub(super) async fn upload(
    client: &Client,
    from: Source<'_>,
    to: &S3Uri,
    options: &PutOptions,
) -> Result<(Put, Sha256), StorageError> {
    let id = begin(client, to, options).await?;
    let outcome = send_and_complete(client, from, to, options, &id).await;
    if !matches!(outcome, Ok((Put::Written(_), _)))
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
) -> Result<(Put, Sha256), StorageError> {
    let (digested, ready) = mpsc::channel(1);
    let ready = stream::unfold(ready, |mut ready| async { ready.recv().await.map(|part| (part, ready)) });
    let sending =
        ready.map(|part| send_part(client, from.path, to, id, part)).buffered(PARALLEL).try_collect();
    let (sha256, parts) = futures::try_join!(parts::digest(from, digested), sending)?;
    // S3 has no SHA-256 of a whole multipart object, so the file is held against it here.
    if options.sha256.is_some_and(|declared| declared != sha256) {
        return Err(damaged(to, "the file to upload does not have the declared sha256"));
    }
    let completed = client
        .complete_multipart_upload()
        .bucket(to.bucket().as_str())
        .key(to.key())
        .upload_id(id)
        .set_if_none_match(options.if_absent.then(|| "*".to_owned()))
        .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build())
        .send()
        .await;
    let put = match completed {
        Ok(completed) => match completed.e_tag() {
            Some(etag) => Ok(upload::done(etag)),
            // A failure that comes after the server has begun to answer has status 200.
            None => Err(StorageError::Unavailable(format!("{to}: the completion's answer has no ETag"))),
        },
        Err(error) => match refusal(&error).filter(|_| options.if_absent) {
            Some(refusal) => upload::refused(client, to, refusal).await,
            None => Err(classify(error, to)),
        },
    };
    put.map(|put| (put, sha256))
}

async fn send_part(
    client: &Client,
    path: &Path,
    to: &S3Uri,
    id: &str,
    part: Part,
) -> Result<CompletedPart, StorageError> {
    let body = ByteStream::read_from()
        .path(path)
        .buffer_size(upload::BUFFER)
        .offset(part.offset)
        .length(Length::Exact(part.length))
        .build()
        .await;
    let sent = client
        .upload_part()
        .bucket(to.bucket().as_str())
        .key(to.key())
        .upload_id(id)
        .part_number(part.number)
        // With a checksum that is known before, the SDK sends the file as it is. Else it cuts the body into signed
        // chunks where there is no TLS, and digests it once more for that.
        .checksum_crc32(base64::encode(part.crc32.to_be_bytes()))
        .body(body.map_err(|error| StorageError::local(path)(io::Error::other(error)))?)
        .send()
        .await
        .map_err(|error| classify(error, to))?;
    fail::fail_point!("upload_part");
    let UploadPartOutput { e_tag, checksum_crc32, .. } = sent;
    Ok(CompletedPart::builder()
        .part_number(part.number)
        .set_e_tag(e_tag)
        .set_checksum_crc32(checksum_crc32)
        .build())
}
