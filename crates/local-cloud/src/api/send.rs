//! HeadObject and GetObject.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;
use futures::Stream;
use s3s::dto::*;
use s3s::{S3Result, s3_error};

use super::{Api, failure};
use crate::store::Object as Opened;

/// How much of a file is in memory at once, per download.
const CHUNK: u64 = 256 * 1024;

impl Api {
    pub(super) async fn head(&self, input: HeadObjectInput) -> S3Result<HeadObjectOutput> {
        if input.range.is_some() {
            return Err(s3_error!(NotImplemented, "HeadObject with a range is not served"));
        }
        let object = self.open(&input.bucket, input.key).await?;
        check_conditions(&object, input.if_match.as_ref(), input.if_none_match.as_ref())?;
        Ok(HeadObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: i64::try_from(object.stamp.size).ok(),
            content_type: object.content_type,
            e_tag: Some(ETag::Strong(object.etag)),
            last_modified: Some(object.stamp.modified().into()),
            ..Default::default()
        })
    }

    pub(super) async fn get(&self, input: GetObjectInput) -> S3Result<GetObjectOutput> {
        let object = self.open(&input.bucket, input.key).await?;
        check_conditions(&object, input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let size = object.stamp.size;
        let range = input.range.map_or(Ok(0..size), |range| range.check(size))?;
        let content_range =
            input.range.map(|_| format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1)));
        let content_length = i64::try_from(range.end - range.start).ok();
        let (e_tag, content_type) = (ETag::Strong(object.etag.clone()), object.content_type.clone());
        Ok(GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length,
            content_range,
            content_type,
            e_tag: Some(e_tag),
            last_modified: Some(object.stamp.modified().into()),
            body: Some(StreamingBlob::wrap(body(object, range))),
            ..Default::default()
        })
    }

    async fn open(&self, bucket: &str, key: String) -> S3Result<Opened> {
        let bucket = self.bucket(bucket)?;
        let opened = failure::blocking(move || bucket.open(&key)).await?;
        opened.ok_or_else(|| s3_error!(NoSuchKey))
    }
}

fn check_conditions(
    object: &Opened,
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<()> {
    let is_it =
        |condition: &ETagCondition| condition.as_etag().is_none_or(|etag| etag.value() == object.etag);
    if if_match.is_some_and(|condition| !is_it(condition)) {
        return Err(s3_error!(PreconditionFailed));
    }
    if if_none_match.is_some_and(is_it) {
        return Err(s3_error!(NotModified));
    }
    Ok(())
}

/// The bytes of the opened file. Ours never change once opened; a mounted file may be edited in place, so before the
/// last chunk leaves the file is looked at again, and the download is broken off when it is another by then.
fn body(object: Opened, range: Range<u64>) -> impl Stream<Item = io::Result<Bytes>> + Send + Sync {
    let Opened { file, stamp, .. } = object;
    futures::stream::try_unfold((Arc::new(file), range), move |(file, range)| async move {
        if range.is_empty() {
            return Ok(None);
        }
        let end = range.end.min(range.start + CHUNK);
        let reader = Arc::clone(&file);
        let read = tokio::task::spawn_blocking(move || {
            let chunk = read_at(&reader, range.start..end)?;
            if end == range.end && crate::store::Stamp::of(&reader)? != stamp {
                return Err(io::Error::other("the file changed while it was read"));
            }
            Ok(chunk)
        });
        let chunk = read.await.map_err(io::Error::other)??;
        Ok(Some((chunk, (file, end..range.end))))
    })
}

fn read_at(file: &File, range: Range<u64>) -> io::Result<Bytes> {
    let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
    let mut chunk = vec![0; length];
    file.read_exact_at(&mut chunk, range.start)?;
    Ok(chunk.into())
}
