//! Which events are new content, by the senders' lists of event types.

use anyhow::Result;
use s3_events::EventKind::{Created, Other, Removed};

use crate::{only, record};

#[test]
fn names_mean_the_same_with_and_without_prefix_and_colons() -> Result<()> {
    for (name, kind) in [
        // S3 user guide, "Event notification types and destinations".
        ("ObjectCreated:Put", Created),
        ("ObjectCreated:Post", Created),
        ("ObjectCreated:Copy", Created),
        ("ObjectCreated:CompleteMultipartUpload", Created),
        ("ObjectCreated:*", Created),
        ("ObjectRemoved:Delete", Removed),
        ("ObjectRemoved:DeleteMarkerCreated", Removed),
        ("LifecycleExpiration:Delete", Removed),
        ("LifecycleExpiration:DeleteMarkerCreated", Removed),
        ("LifecycleTransition", Other),
        ("IntelligentTiering", Other),
        ("ObjectTagging:Put", Other),
        ("ObjectTagging:Delete", Other),
        ("ObjectAcl:Put", Other),
        ("ObjectRestore:Post", Other),
        ("ObjectRestore:Completed", Other),
        ("ObjectRestore:Delete", Other),
        ("ReducedRedundancyLostObject", Other),
        ("Replication:OperationFailedReplication", Other),
        // minio/minio internal/event/name.go, and RustFS after it.
        ("ObjectCreated:PutRetention", Other),
        ("ObjectCreated:PutLegalHold", Other),
        ("ObjectCreated:PutTagging", Other),
        ("ObjectCreated:DeleteTagging", Other),
        ("ObjectRemoved:NoOP", Removed),
        ("ObjectRemoved:DeleteAllVersions", Removed),
        ("ObjectAccessed:Get", Other),
        ("BucketCreated:*", Other),
        ("BucketRemoved:*", Other),
        ("ObjectTransition:Complete", Other),
        ("Scanner:BigPrefix", Other),
        // ceph/ceph doc/radosgw/s3-notification-compatibility.rst.
        ("ObjectLifecycle:Expiration:Current", Removed),
        ("ObjectLifecycle:Expiration:NonCurrent", Removed),
        ("ObjectLifecycle:Expiration:DeleteMarker", Removed),
        ("ObjectLifecycle:Expiration:AbortMultipartUpload", Other),
        ("ObjectLifecycle:Transition:Current", Other),
        ("ObjectSynced:Create", Created),
        ("ObjectSynced:Delete", Other),
        // Not heard of.
        ("ObjectCreated:ByMagic", Created),
        ("ObjectForgotten:Put", Other),
        ("TestEvent", Other),
    ] {
        for sent in [name.to_owned(), format!("s3:{name}")] {
            let event = only(&record("minio:s3", &sent, r#"{"key":"a"}"#))?;
            assert_eq!((event.kind, event.name.as_str()), (kind, name), "{sent}");
        }
        let fused = name.replace(':', "");
        let event = only(&record("rustfs:s3", &fused, r#"{"key":"a"}"#))?;
        assert_eq!((event.kind, event.name), (kind, fused));
    }
    Ok(())
}
