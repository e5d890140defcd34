//! ListObjectsV2.

use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::*;
use s3s::{S3Result, s3_error};

use super::{Api, failure};
use crate::store::{ListQuery, Listed, Page};

/// The most that S3 lists at once.
const MAX_KEYS: i32 = 1_000;

/// What `encoding-type=url` leaves alone, as S3 does it; a space becomes `+`.
const FORM: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'/').remove(b' ');

impl Api {
    pub(super) async fn list(&self, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
        let bucket = self.bucket(&input.bucket)?;
        let url = is_url(input.encoding_type.as_ref())?;
        let max_keys = input.max_keys.unwrap_or(MAX_KEYS).min(MAX_KEYS);
        let query = ListQuery {
            bucket: input.bucket.clone(),
            prefix: input.prefix.clone().unwrap_or_default(),
            delimiter: input.delimiter.clone(),
            start_after: input.start_after.clone(),
            token: input.continuation_token.clone(),
            limit: usize::try_from(max_keys)
                .map_err(|_| s3_error!(InvalidArgument, "max-keys is negative"))?,
        };
        let cursors = Arc::clone(&self.cursors);
        let page =
            failure::blocking(move || cursors.list(&bucket, &query).map_or(Ok(None), |page| page.map(Some)));
        let page =
            page.await?.ok_or_else(|| s3_error!(InvalidArgument, "the continuation token is not ours"))?;
        Ok(output(input, page, max_keys, url))
    }
}

fn output(input: ListObjectsV2Input, page: Page, max_keys: i32, url: bool) -> ListObjectsV2Output {
    let text = |raw: String| if url { encode(&raw) } else { raw };
    let Page { objects, prefixes, next } = page;
    let count = objects.len() + prefixes.len();
    let objects = objects.into_iter().map(|Listed { key, size, etag, modified }| Object {
        key: Some(text(key)),
        size: i64::try_from(size).ok(),
        e_tag: Some(ETag::Strong(etag)),
        last_modified: Some(modified.into()),
        ..Default::default()
    });
    let prefixes = prefixes.into_iter().map(|prefix| CommonPrefix { prefix: Some(text(prefix)) });
    ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: input.prefix.map(text),
        delimiter: input.delimiter.map(text),
        start_after: input.start_after.map(text),
        encoding_type: input.encoding_type,
        continuation_token: input.continuation_token,
        max_keys: Some(max_keys),
        key_count: i32::try_from(count).ok(),
        is_truncated: Some(next.is_some()),
        next_continuation_token: next,
        contents: Some(objects.collect()),
        common_prefixes: Some(prefixes.collect()),
        ..Default::default()
    }
}

/// Whether the keys of a listing are to be encoded.
pub(super) fn is_url(encoding: Option<&EncodingType>) -> S3Result<bool> {
    match encoding.map(EncodingType::as_str) {
        None => Ok(false),
        Some("url") => Ok(true),
        Some(_) => Err(s3_error!(InvalidArgument, "unknown encoding-type")),
    }
}

pub(super) fn encode(raw: &str) -> String {
    utf8_percent_encode(raw, FORM).to_string().replace(' ', "+")
}

#[cfg(test)]
mod tests {
    #[test]
    fn keys_are_encoded_as_a_form_is() {
        // Python: urllib.parse.quote_plus(key, safe="/*")
        assert_eq!(super::encode("a b+c/ü%.jpg\0*"), "a+b%2Bc/%C3%BC%25.jpg%00*");
    }
}
