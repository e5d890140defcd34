//! What is read of a body, under every name that senders use for it. Nothing is required here: what is missing is for
//! the reader to judge.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::json::Named;
use super::scalar::Scalar;

/// The outermost object: a notification of S3, MinIO, RustFS or Ceph, an S3 test event, an SNS message, or an event of
/// EventBridge.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Envelope<'a> {
    #[serde(borrow, rename = "Records", alias = "records")]
    pub(super) records: Option<Vec<&'a RawValue>>,
    #[serde(rename = "Event")]
    pub(super) event: Scalar,
    #[serde(rename = "Type")]
    pub(super) sns_type: Scalar,
    #[serde(rename = "Message")]
    pub(super) sns_message: Scalar,
    #[serde(rename = "detail-type")]
    pub(super) detail_type: Scalar,
    pub(super) source: Scalar,
    pub(super) time: Scalar,
    #[serde(borrow)]
    pub(super) detail: Option<&'a RawValue>,
}

/// One of `Records`. The names with underscores are of old RustFS builds.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    #[serde(rename = "eventVersion", alias = "event_version")]
    pub(super) version: Scalar,
    #[serde(rename = "eventSource", alias = "event_source")]
    pub(super) source: Scalar,
    #[serde(rename = "eventName", alias = "event_name")]
    pub(super) name: Scalar,
    #[serde(rename = "eventTime", alias = "event_time")]
    pub(super) time: Scalar,
    pub(super) s3: Named<S3>,
}

/// `s3` of a record, `detail` of EventBridge.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct S3 {
    pub(super) bucket: Named<Bucket>,
    pub(super) object: Named<Object>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Bucket {
    pub(super) name: Scalar,
}

/// The names with hyphens are EventBridge's.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Object {
    pub(super) key: Scalar,
    pub(super) size: Scalar,
    #[serde(rename = "eTag", alias = "etag")]
    pub(super) etag: Scalar,
    #[serde(rename = "versionId", alias = "version-id", alias = "version_id")]
    pub(super) version_id: Scalar,
    pub(super) sequencer: Scalar,
}
