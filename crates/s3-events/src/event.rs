//! What a notification says.

/// One message of a queue, or one body of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notification {
    /// What happened to objects: every record of the message, in its order; at least one.
    Objects(Vec<ObjectEvent>),
    /// The sender only says that it can reach us (`s3:TestEvent`).
    Test,
}

/// Something happened to an object.
///
/// Nothing else of a record is kept: `requestParameters`, `responseElements` and `userIdentity` name people and, with
/// some RustFS builds, hold the request's `Authorization` header (rustfs/rustfs#2292).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectEvent {
    /// What.
    pub kind: EventKind,
    /// The sender's own name for it, without a leading `s3:`.
    pub name: String,
    /// Who says so; decides how the key was encoded.
    pub sender: Sender,
    /// The bucket as sent; any text.
    pub bucket: String,
    /// The object's key, decoded.
    pub key: String,
    /// The key as sent, where decoding changed it: a server that sends keys raw, and that we do not know for one, can
    /// still be served by trying this key.
    pub raw_key: Option<String>,
    /// Size in bytes. MinIO leaves it out for empty objects, every sender does for removals.
    pub bytes: Option<u64>,
    /// The ETag without quotes.
    pub etag: Option<String>,
    /// The version id; `None` for unversioned objects (absent, empty or `null`).
    pub version_id: Option<String>,
    /// Orders the events of one key, see [`ObjectEvent::cmp_sequence`].
    pub sequencer: Option<String>,
    /// When, as sent: ISO 8601, but not always RFC 3339 (moto leaves out the time zone).
    pub time: Option<String>,
}

/// What happened to an object, as far as a pipeline cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// It has new content.
    Created,
    /// It was deleted, or hidden by a delete marker.
    Removed,
    /// Its content is as before (tags, retention, …), or we do not know such events.
    Other,
}

/// Who sent a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sender {
    /// Amazon S3, directly, through SNS, or an emulator that says it is S3.
    Aws,
    /// Amazon EventBridge.
    EventBridge,
    /// MinIO.
    Minio,
    /// RustFS.
    RustFs,
    /// Ceph RGW.
    Ceph,
    /// Anything else.
    Other,
}

/// Why a body is no notification. The texts never quote the body: it may be large, and it may hold secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Larger than [`MAX_BODY_BYTES`](crate::MAX_BODY_BYTES), and not looked at.
    #[error("a body of {bytes} bytes is too large")]
    TooLarge {
        /// The size of the body.
        bytes: usize,
    },
    /// Not JSON, nested too deeply, or with a name twice in one object.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// JSON, but nothing that we know.
    #[error("no notification of object events: {0}")]
    Unknown(String),
    /// A record without what it needs.
    #[error("record {index}: {problem}")]
    Record {
        /// Which, from 0.
        index: usize,
        /// What is wrong.
        problem: String,
    },
}
