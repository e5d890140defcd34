//! ListMultipartUploads.

use s3s::dto::*;
use s3s::{S3Result, s3_error};

use super::Api;
use super::listing::{encode, is_url};
use crate::store::{UnderWay, UploadsQuery};

/// The most that S3 lists at once.
const MAX_UPLOADS: i32 = 1_000;

impl Api {
    pub(super) fn list_uploads(
        &self,
        input: ListMultipartUploadsInput,
    ) -> S3Result<ListMultipartUploadsOutput> {
        self.bucket(&input.bucket)?;
        let url = is_url(input.encoding_type.as_ref())?;
        if input.delimiter.as_deref().is_some_and(|delimiter| !delimiter.is_empty()) {
            return Err(s3_error!(NotImplemented, "uploads are listed without a delimiter"));
        }
        let max_uploads = input.max_uploads.unwrap_or(MAX_UPLOADS).min(MAX_UPLOADS);
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let query = UploadsQuery {
            prefix: input.prefix.clone().unwrap_or_default(),
            after: given(&input.key_marker).map(|key| (key, given(&input.upload_id_marker))),
            limit: usize::try_from(max_uploads)
                .map_err(|_| s3_error!(InvalidArgument, "max-uploads is negative"))?,
        };
        let (uploads, more) = self.uploads.list(&input.bucket, &query);
        let text = |raw: String| if url { encode(&raw) } else { raw };
        let last = uploads.last().filter(|_| more).cloned();
        let uploads = uploads.into_iter().map(|UnderWay { key, begun, id }| MultipartUpload {
            key: Some(text(key)),
            upload_id: Some(id),
            initiated: Some(begun.into()),
            ..Default::default()
        });
        Ok(ListMultipartUploadsOutput {
            uploads: Some(uploads.collect()),
            is_truncated: Some(more),
            next_key_marker: last.as_ref().map(|last| text(last.key.clone())),
            next_upload_id_marker: last.map(|last| last.id),
            bucket: Some(input.bucket),
            prefix: input.prefix.map(text),
            key_marker: input.key_marker.map(text),
            upload_id_marker: input.upload_id_marker,
            encoding_type: input.encoding_type,
            max_uploads: Some(max_uploads),
            ..Default::default()
        })
    }
}
