//! Senders by the name that they give themselves.

use crate::Sender;

/// What EventBridge calls Amazon S3. It has no `eventSource`; in records only `canonical` writes this.
pub(crate) const EVENT_BRIDGE: &str = "aws.s3";

impl Sender {
    /// By the `eventSource` of a record.
    pub(crate) fn of(event_source: Option<&str>) -> Self {
        match event_source {
            Some("aws:s3") => Self::Aws,
            Some(EVENT_BRIDGE) => Self::EventBridge,
            Some("minio:s3") => Self::Minio,
            Some("rustfs:s3") => Self::RustFs,
            Some("ceph:s3") => Self::Ceph,
            Some(_) | None => Self::Other,
        }
    }

    /// The `eventSource` that `of` knows this sender by.
    pub(crate) fn event_source(self) -> &'static str {
        match self {
            Self::Aws => "aws:s3",
            Self::EventBridge => EVENT_BRIDGE,
            Self::Minio => "minio:s3",
            Self::RustFs => "rustfs:s3",
            Self::Ceph => "ceph:s3",
            Self::Other => "other:s3",
        }
    }
}
