//! A request's body into a temporary file, with everything verified that the client declared about it.

use std::io;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::{Bytes, BytesMut};
use futures::TryStreamExt as _;
use s3s::checksum::ChecksumHasher;
use s3s::dto::{Checksum, StreamingBlob};
use s3s::{S3Error, S3Request, S3Result, s3_error};

use super::failure::blocking;
use crate::store::{Content, Incoming};

/// How much is collected in memory, per upload, before it is written and digested on the blocking pool.
const CHUNK: usize = 1 << 20;

/// What the client declared about a body.
#[derive(Debug, Default)]
pub(super) struct Declared {
    pub(super) content_length: Option<i64>,
    /// Base64.
    pub(super) content_md5: Option<String>,
    /// Base64, from headers.
    pub(super) checksums: Checksum,
}

/// Writes the body to a file in `tmp` and verifies length, Content-MD5 and every checksum in headers or trailers.
pub(super) async fn receive<T>(
    request: &mut S3Request<T>,
    body: Option<StreamingBlob>,
    declared: Declared,
    tmp: PathBuf,
) -> S3Result<Content> {
    let trailer = request.headers.get("x-amz-trailer").and_then(|value| value.to_str().ok()).unwrap_or("");
    let hashers = hashers(&declared.checksums, trailer);
    let chunked_length = request.headers.get("x-amz-decoded-content-length");
    let chunked_length = chunked_length.and_then(|value| value.to_str().ok()?.parse().ok());
    let length = chunked_length.or_else(|| declared.content_length.and_then(|length| length.try_into().ok()));

    let incoming = blocking(move || Incoming::create(&tmp, hashers)).await?;
    let content = write(body, incoming).await?;
    if length.is_some_and(|length: u64| length != content.size) {
        return Err(s3_error!(IncompleteBody));
    }
    if let Some(md5) = declared.content_md5
        && BASE64.encode(content.md5) != md5
    {
        return Err(s3_error!(BadDigest, "Content-MD5 does not match the content"));
    }
    check(&declared.checksums, &content.checksums)?;
    if let Some(trailers) = request.trailing_headers.as_ref().and_then(s3s::TrailingHeaders::take) {
        let read =
            |name: &str| trailers.get(name).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
        check(&from_headers(read), &content.checksums)?;
    } else if !trailer.is_empty() {
        return Err(s3_error!(IncompleteBody, "the announced trailer is missing"));
    }
    Ok(content)
}

async fn write(body: Option<StreamingBlob>, mut incoming: Incoming) -> S3Result<Content> {
    let mut buffer = BytesMut::new();
    if let Some(mut body) = body {
        while let Some(chunk) = body.try_next().await.map_err(broken)? {
            buffer.extend_from_slice(&chunk);
            if buffer.len() >= CHUNK {
                incoming = write_chunk(incoming, buffer.split().freeze()).await?;
            }
        }
    }
    if !buffer.is_empty() {
        incoming = write_chunk(incoming, buffer.freeze()).await?;
    }
    Ok(incoming.finish())
}

async fn write_chunk(mut incoming: Incoming, chunk: Bytes) -> S3Result<Incoming> {
    blocking(move || {
        incoming.write(&chunk)?;
        Ok(incoming)
    })
    .await
}

/// The body ended early or its signature did not fit; only a full disk on our side would be ours.
fn broken(error: s3s::StdError) -> S3Error {
    match error.downcast::<io::Error>() {
        Ok(error) => super::failure::of_io(*error),
        Err(error) => S3Error::with_source(s3s::S3ErrorCode::IncompleteBody, error),
    }
}

fn hashers(declared: &Checksum, trailer: &str) -> ChecksumHasher {
    use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
    let wanted = |header: &Option<String>, name| header.is_some() || trailer.eq_ignore_ascii_case(name);
    ChecksumHasher {
        crc32: wanted(&declared.checksum_crc32, "x-amz-checksum-crc32").then(Crc32::new),
        crc32c: wanted(&declared.checksum_crc32c, "x-amz-checksum-crc32c").then(Crc32c::new),
        crc64nvme: wanted(&declared.checksum_crc64nvme, "x-amz-checksum-crc64nvme").then(Crc64Nvme::new),
        sha1: wanted(&declared.checksum_sha1, "x-amz-checksum-sha1").then(Sha1::new),
        sha256: wanted(&declared.checksum_sha256, "x-amz-checksum-sha256").then(Sha256::new),
    }
}

fn from_headers(read: impl Fn(&str) -> Option<String>) -> Checksum {
    Checksum {
        checksum_crc32: read("x-amz-checksum-crc32"),
        checksum_crc32c: read("x-amz-checksum-crc32c"),
        checksum_crc64nvme: read("x-amz-checksum-crc64nvme"),
        checksum_sha1: read("x-amz-checksum-sha1"),
        checksum_sha256: read("x-amz-checksum-sha256"),
        checksum_type: None,
    }
}

fn check(declared: &Checksum, computed: &Checksum) -> S3Result<()> {
    let pairs = [
        (&declared.checksum_crc32, &computed.checksum_crc32),
        (&declared.checksum_crc32c, &computed.checksum_crc32c),
        (&declared.checksum_crc64nvme, &computed.checksum_crc64nvme),
        (&declared.checksum_sha1, &computed.checksum_sha1),
        (&declared.checksum_sha256, &computed.checksum_sha256),
    ];
    if pairs.iter().all(|(declared, computed)| declared.is_none() || declared == computed) {
        Ok(())
    } else {
        Err(s3_error!(BadDigest, "the checksum does not match the content"))
    }
}
