//! What an event's name means.

use crate::EventKind;

/// What MinIO and RustFS call "created" although the content is as before (`ObjectCreated:PutTagging`, …).
const NOT_CONTENT: [&str; 4] = ["Retention", "LegalHold", "Tagging", "Acl"];

/// Removals by name: the S3 event types; then Ceph's own; then EventBridge's `detail-type`.
const REMOVED: [&str; 6] = [
    "ObjectRemoved",
    "LifecycleExpiration",
    "ObjectLifecycleExpirationCurrent",
    "ObjectLifecycleExpirationNonCurrent",
    "ObjectLifecycleExpirationDeleteMarker",
    "Object Deleted",
];

impl EventKind {
    /// By the sender's name, without `s3:`. What is created in a way that we have not heard of is created all the same:
    /// to look at an object once too often does no harm.
    pub(crate) fn of(name: &str) -> Self {
        // RustFS builds before rustfs/rustfs#1138 write no colons: `ObjectCreatedPut`.
        let name: String = name.chars().filter(|&c| c != ':').collect();
        if let Some(how) = name.strip_prefix("ObjectCreated") {
            return if NOT_CONTENT.iter().any(|end| how.ends_with(end)) {
                Self::Other
            } else {
                Self::Created
            };
        }
        // Ceph sends `ObjectSynced:Create` when an object has arrived from another zone.
        if name == "Object Created" || name == "ObjectSyncedCreate" {
            return Self::Created;
        }
        if REMOVED.iter().any(|start| name.starts_with(start)) { Self::Removed } else { Self::Other }
    }
}
