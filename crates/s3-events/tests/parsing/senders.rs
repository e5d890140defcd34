//! One body of each sender.
//!
//! - `aws-2.1-put`, `aws-test-event`: the examples of the S3 user guide ("Event message structure"), the key in a
//!   folder. `aws-2.6-…`: the same shape with two records.
//! - `sns-…`: the example of the SNS developer guide around them.
//! - `eventbridge-…`: the examples of the S3 user guide; the first with a key that decoding would change.
//! - `minio-…`: a body quoted in minio/minio#7665, with the fields of `internal/event/event.go`.
//! - `rustfs-1.0.1-put`: sent by RustFS 1.0.1, authorization removed. `rustfs-before-1138-…`: the structs of
//!   `crates/notify/src/event.rs` and `crates/targets/src/lib.rs` before rustfs/rustfs#1138. `rustfs-without-key-1609`:
//!   quoted in rustfs/rustfs#1609.
//! - `ceph-…`: the example of `doc/radosgw/notifications.rst`, with a key that decoding would change.
//! - `moto-…`: the fields of moto 5.2.1's `s3/notifications.py`.

use anyhow::Result;
use s3_events::{EventKind, ObjectEvent, ParseError, Sender, parse};

use crate::{created, fixture, objects, only_of};

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn aws_put() -> Result<()> {
    let expected = ObjectEvent {
        bucket: "amzn-s3-demo-bucket".to_owned(),
        raw_key: some("raw/red+flower.jpg"),
        bytes: Some(1024),
        etag: some("d41d8cd98f00b204e9800998ecf8427e"),
        version_id: some("096fKKXTRTtl3on89fVO.nfljtsv6qko"),
        sequencer: some("0055AED6DCD90281E5"),
        time: some("1970-01-01T00:00:00.000Z"),
        ..created(Sender::Aws, "raw/red flower.jpg")
    };
    assert_eq!(only_of("aws-2.1-put")?, expected);
    // The topic of SNS changes nothing.
    assert_eq!(only_of("sns-aws-2.1-put")?, expected);
    Ok(())
}

#[test]
fn every_record_is_read_in_its_order() -> Result<()> {
    let events = objects(&fixture("aws-2.6-multipart-and-delete-marker")?)?;
    let multipart = ObjectEvent {
        name: "ObjectCreated:CompleteMultipartUpload".to_owned(),
        raw_key: some("raw/caf%C3%A9/big.tif"),
        bytes: Some(20_000_000),
        etag: some("7de83c0c85577e7d056ab988296fa706-3"),
        sequencer: some("0065A3"),
        time: some("2026-11-23T08:12:12.273Z"),
        ..created(Sender::Aws, "raw/café/big.tif")
    };
    let marker = ObjectEvent {
        kind: EventKind::Removed,
        name: "ObjectRemoved:DeleteMarkerCreated".to_owned(),
        bytes: None,
        etag: some("d41d8cd98f00b204e9800998ecf8427e"),
        sequencer: some("0065A4"),
        time: some("2026-11-23T08:12:12.966Z"),
        ..multipart.clone()
    };
    assert_eq!(events, [multipart, marker]);
    Ok(())
}

#[test]
fn eventbridge_created_keeps_its_key_as_it_is() -> Result<()> {
    let expected = ObjectEvent {
        name: "Object Created".to_owned(),
        bucket: "amzn-s3-demo-bucket1".to_owned(),
        bytes: Some(5),
        etag: some("b1946ac92492d2347c6235b4d2611184"),
        version_id: some("IYV3p45BT0ac8hjHg1houSdS1a.Mro8e"),
        sequencer: some("617f08299329d189"),
        time: some("2021-11-12T00:00:00Z"),
        ..created(Sender::EventBridge, "raw/a+b 100%2F:é.jpg")
    };
    assert_eq!(only_of("eventbridge-object-created")?, expected);
    Ok(())
}

#[test]
fn eventbridge_deleted_and_tagged() -> Result<()> {
    let deleted = only_of("eventbridge-object-deleted")?;
    assert_eq!((deleted.kind, deleted.name.as_str()), (EventKind::Removed, "Object Deleted"));
    assert_eq!((deleted.bytes, deleted.sequencer), (None, some("617f0837b476e463")));
    let tagged = only_of("eventbridge-object-tags-added")?;
    assert_eq!((tagged.kind, tagged.name.as_str()), (EventKind::Other, "Object Tags Added"));
    Ok(())
}

#[test]
fn minio_put() -> Result<()> {
    let expected = ObjectEvent {
        bucket: "mybucket".to_owned(),
        raw_key: some("5cdfb588cea4de1db3034a87%2Fmy+colors%2B1.xml"),
        bytes: Some(2042),
        etag: some("f7e6d75dc742d108b9ea2d9a1ed57a4f"),
        sequencer: some("159FB6B233B61B6C"),
        time: some("2019-05-18T07:34:32.123Z"),
        ..created(Sender::Minio, "5cdfb588cea4de1db3034a87/my colors+1.xml")
    };
    assert_eq!(only_of("minio-2.0-put")?, expected);
    Ok(())
}

#[test]
fn minio_calls_tagging_created_but_it_is_not() -> Result<()> {
    let event = only_of("minio-2.0-put-tagging-of-an-empty-object")?;
    assert_eq!((event.kind, event.name.as_str()), (EventKind::Other, "ObjectCreated:PutTagging"));
    assert_eq!(event.bytes, None, "MinIO leaves out the size of empty objects");
    Ok(())
}

#[test]
fn rustfs_put() -> Result<()> {
    let expected = ObjectEvent {
        raw_key: some("raw%2Fa+b%2B%C3%A9.jpg"),
        bytes: Some(1000),
        etag: some("468f6c1cff2cdf9064668f60686bfef7"),
        sequencer: some("18EA9E5EB3E97D5E"),
        time: some("2026-11-23T08:12:11.047Z"),
        ..created(Sender::RustFs, "raw/a b+é.jpg")
    };
    assert_eq!(only_of("rustfs-1.0.1-put")?, expected);
    Ok(())
}

#[test]
fn rustfs_of_2025_has_other_names_for_the_same() -> Result<()> {
    let put = ObjectEvent {
        name: "ObjectCreatedPut".to_owned(),
        bucket: "mybucket".to_owned(),
        raw_key: some("folder%2Fsub+folder%2Ffile.ext"),
        bytes: Some(1000),
        etag: some("468f6c1cff2cdf9064668f60686bfef7"),
        sequencer: some("18809F1C3A5B7C15"),
        time: some("2025-12-13T09:30:01.123456789Z"),
        ..created(Sender::RustFs, "folder/sub folder/file.ext")
    };
    assert_eq!(only_of("rustfs-before-1138-put")?, put);
    let delete = ObjectEvent {
        kind: EventKind::Removed,
        name: "ObjectRemovedDelete".to_owned(),
        bytes: None,
        etag: None,
        version_id: some("3b1a9a6e-54f5-4d1c-9a2b-7f3f2c6f0d11"),
        ..put
    };
    assert_eq!(only_of("rustfs-before-1138-delete")?, delete);
    Ok(())
}

#[test]
fn rustfs_without_a_key_is_refused() -> Result<()> {
    let error = parse(&fixture("rustfs-without-key-1609")?);
    assert_eq!(error, Err(ParseError::Record { index: 0, problem: "no key".to_owned() }));
    Ok(())
}

#[test]
fn ceph_keeps_its_key_as_it_is_and_counts_in_text() -> Result<()> {
    let expected = ObjectEvent {
        bucket: "mybucket1".to_owned(),
        bytes: Some(1024),
        etag: some("37b51d194a7513e45b56f6524f2d51f2"),
        sequencer: some("F7E6D75DC742D108"),
        time: some("2019-11-22T13:47:35.124724Z"),
        ..created(Sender::Ceph, "photos/my+image 100%.jpg")
    };
    assert_eq!(only_of("ceph-2.1-put")?, expected);
    Ok(())
}

#[test]
fn moto_says_less_than_aws() -> Result<()> {
    let expected = ObjectEvent {
        bucket: "iml-in".to_owned(),
        raw_key: some("raw%2Fa+b%2B%C3%A9.jpg"),
        bytes: Some(1000),
        etag: some("69a3bd3a3a1f2f2f9ad4c1f1a5b6a2d1"),
        time: some("2026-11-23T06:21:23.666708"),
        ..created(Sender::Aws, "raw/a b+é.jpg")
    };
    assert_eq!(only_of("moto-5.2.1-put")?, expected);
    Ok(())
}
