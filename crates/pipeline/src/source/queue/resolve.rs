//! From an event to the object version that it tells of.

use object_storage::{BlobStore, ObjectSummary, StorageError};
use s3_events::{EventKind, ObjectEvent};
use types::{BucketName, Disposition, ObjectVersion, S3Uri};

use crate::source::Trail;
use crate::{IgnoreReason, SourceError};

/// What a record is.
#[derive(Debug)]
pub(super) enum Resolution {
    /// An object version.
    Work(ObjectSummary, Trail),
    /// Nothing to do.
    Ignore(IgnoreReason),
    /// It cannot be said now.
    Later(StorageError),
}

/// Which object version an event tells of. Versions are ETags here as in listings, so that both sources make the same
/// claims (docs/adr/0007).
pub(super) async fn resolve(
    event: &ObjectEvent,
    bucket: &BucketName,
    blobs: &dyn BlobStore,
) -> Result<Resolution, SourceError> {
    if event.bucket != bucket.as_str() {
        tracing::warn!(event.bucket, "an event of a bucket that is not ours");
        return Ok(Resolution::Ignore(IgnoreReason::ForeignBucket));
    }
    match event.kind {
        EventKind::Created => {}
        EventKind::Removed => return Ok(Resolution::Ignore(IgnoreReason::Removed)),
        EventKind::Other => return Ok(Resolution::Ignore(IgnoreReason::NotContent)),
    }
    let uri = S3Uri::new(bucket.clone(), event.key.as_str());
    let trail =
        Trail { undecoded: event.raw_key.as_ref().map(|raw| S3Uri::new(bucket.clone(), raw.as_str())) };
    if let (Some(etag), Some(bytes)) = (&event.etag, event.bytes) {
        let object = ObjectVersion { uri, version: etag.clone() };
        return Ok(Resolution::Work(ObjectSummary { object, bytes, modified: None }, trail));
    }
    match current(&uri, &trail, blobs).await {
        Ok(Some(object)) => Ok(Resolution::Work(object, trail)),
        Ok(None) => Ok(Resolution::Ignore(IgnoreReason::Superseded)),
        Err(error) if is_outage(&error) => Err(error.into()),
        Err(error) => Ok(Resolution::Later(error)),
    }
}

/// What is there now, under the key or else under the key as sent; `None` when nothing is.
pub(crate) async fn current(
    uri: &S3Uri,
    trail: &Trail,
    blobs: &dyn BlobStore,
) -> Result<Option<ObjectSummary>, StorageError> {
    for uri in [Some(uri), trail.undecoded.as_ref()].into_iter().flatten() {
        match blobs.head(uri).await {
            Ok(object) => return Ok(Some(object)),
            Err(StorageError::NotFound(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Access to one object may be denied while all others are fine.
fn is_outage(error: &StorageError) -> bool {
    !matches!(error, StorageError::Denied { .. }) && matches!(error.disposition(), Disposition::Outage { .. })
}
