//! ListMultipartUploads.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::list_multipart_uploads::ListMultipartUploadsOutput;
use aws_sdk_s3::types::{EncodingType, MultipartUpload};
use types::S3Uri;

use super::errors::{classify, damaged};
use super::{listed_key, system_time};
use crate::{OpenUpload, OpenUploadPage, StorageError};

/// One page. MinIO lists the uploads of one object only, when its whole key is the prefix, and none of a folder.
pub(super) async fn list(
    client: &Client,
    prefix: &S3Uri,
    page: Option<&str>,
) -> Result<OpenUploadPage, StorageError> {
    let foreign =
        || StorageError::Invalid { uri: prefix.clone(), message: "the page is not ours".to_owned() };
    let marker = page.map(|token| Marker::parse(token).ok_or_else(foreign)).transpose()?;
    let (key, id) = marker.map_or((None, None), |Marker { key, id }| (Some(key), Some(id)));
    let listed = client
        .list_multipart_uploads()
        .bucket(prefix.bucket().as_str())
        .prefix(prefix.key())
        .set_key_marker(key)
        .set_upload_id_marker(id)
        // XML cannot carry every character that a key can.
        .encoding_type(EncodingType::Url)
        .send()
        .await
        .map_err(|error| classify(error, prefix))?;
    let encoded = listed.encoding_type() == Some(&EncodingType::Url);
    let uploads: Result<_, _> =
        listed.uploads().iter().map(|upload| open_upload(prefix, upload, encoded)).collect();
    Ok(OpenUploadPage { uploads: uploads?, next: next(prefix, &listed, encoded)? })
}

fn open_upload(prefix: &S3Uri, upload: &MultipartUpload, encoded: bool) -> Result<OpenUpload, StorageError> {
    match (upload.key(), upload.upload_id(), system_time(upload.initiated())) {
        (Some(key), Some(id), Some(begun)) => {
            let uri = S3Uri::new(prefix.bucket().clone(), listed_key(prefix, key, encoded)?);
            Ok(OpenUpload { uri, id: id.to_owned(), begun })
        }
        _ => Err(damaged(prefix, "the listing has an upload without key, id or time")),
    }
}

fn next(
    prefix: &S3Uri,
    listed: &ListMultipartUploadsOutput,
    encoded: bool,
) -> Result<Option<String>, StorageError> {
    if listed.is_truncated() != Some(true) {
        return Ok(None);
    }
    match (listed.next_key_marker(), listed.next_upload_id_marker()) {
        (Some(key), Some(id)) => {
            let marker = Marker { key: listed_key(prefix, key, encoded)?, id: id.to_owned() };
            Ok(Some(marker.token()))
        }
        _ => Err(damaged(prefix, "the listing is not complete and does not say how to go on")),
    }
}

/// The last upload of a page.
#[derive(Debug, PartialEq, Eq)]
struct Marker {
    key: String,
    id: String,
}

impl Marker {
    /// The key's length in bytes, a colon, the key, the id.
    fn token(&self) -> String {
        format!("{}:{}{}", self.key.len(), self.key, self.id)
    }

    fn parse(token: &str) -> Option<Self> {
        let (length, rest) = token.split_once(':')?;
        let (key, id) = rest.split_at_checked(length.parse().ok()?)?;
        Some(Self { key: key.to_owned(), id: id.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::Marker;

    #[test]
    fn markers_survive_as_tokens() {
        for (key, id) in [("a/b.jpg", "id"), ("7:ü:\0", "2:x.y-z"), ("", "id"), ("key", "")] {
            let (key, id) = (key.to_owned(), id.to_owned());
            let marker = Marker { key, id };
            assert_eq!(Marker::parse(&marker.token()), Some(marker));
        }
        for foreign in ["", "a/b", "9:short", "1:ü", "-1:x"] {
            assert_eq!(Marker::parse(foreign), None, "{foreign:?}");
        }
    }
}
