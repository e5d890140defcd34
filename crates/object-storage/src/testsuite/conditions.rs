//! Versions, limits, conditions and what is not there.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::join_all;
use types::{ObjectVersion, S3Uri, Sha256};

use super::Fixture;
use super::fixture::noise;
use crate::{Put, PutOptions, StorageError};

/// More than goes in one request.
const LARGE: usize = (16 << 20) + 1;

/// A version that is no more is `Changed`, and no file appears.
pub async fn download_of_another_version_is_refused(fixture: &Fixture) {
    let version = fixture.put("object", "first").await;
    fixture.put("object", "second").await;
    let old = ObjectVersion { uri: fixture.uri("object"), version };
    let refused = fixture.store.download(&old, &fixture.path("to"), 100).await;
    assert!(matches!(&refused, Err(StorageError::Changed(uri)) if *uri == old.uri), "{refused:?}");
    assert!(!fixture.path("to").try_exists().expect("the folder is readable"));
}

/// Whatever is asked of what is not there.
pub async fn missing_objects_and_buckets_are_not_found(fixture: &Fixture) {
    let store = &fixture.store;
    fixture.put("folder/object", "x").await;
    let elsewhere = S3Uri::new("no-such-bucket-here".parse().expect("valid"), "object");
    for uri in
        [fixture.uri("missing"), fixture.uri("folder"), fixture.uri("folder/object/below"), elsewhere.clone()]
    {
        let head = store.head(&uri).await;
        assert!(matches!(head, Err(StorageError::NotFound(_))), "{uri}: {head:?}");
        let read = store.read(&uri, 10).await;
        assert!(matches!(read, Err(StorageError::NotFound(_))), "{uri}: {read:?}");
        let object =
            ObjectVersion { uri: uri.clone(), version: "0123456789abcdef0123456789abcdef".to_owned() };
        let down = store.download(&object, &fixture.path("to"), 10).await;
        assert!(matches!(down, Err(StorageError::NotFound(_))), "{uri}: {down:?}");
        assert!(!fixture.path("to").try_exists().expect("the folder is readable"));
    }
    let listed = store.list(&elsewhere, None, 10).await;
    assert!(matches!(listed, Err(StorageError::NotFound(_))), "{listed:?}");
    let written = store.write("x".into(), &elsewhere, &PutOptions::default()).await;
    assert!(matches!(written, Err(StorageError::NotFound(_))), "{written:?}");
    assert!(store.check(&elsewhere).await.is_err());
    assert!(store.check(&fixture.uri("any/prefix/")).await.is_ok());
}

/// `TooLarge` comes before a byte is written.
pub async fn objects_above_the_limit_are_refused_before_anything_is_written(fixture: &Fixture) {
    let version = fixture.put("object", "12345").await;
    let object = ObjectVersion { uri: fixture.uri("object"), version };
    let refused = fixture.store.download(&object, &fixture.path("to"), 4).await;
    assert!(matches!(refused, Err(StorageError::TooLarge { bytes: 5, limit: 4, .. })), "{refused:?}");
    assert!(!fixture.path("to").try_exists().expect("the folder is readable"));
    let refused = fixture.store.read(&object.uri, 4).await;
    assert!(matches!(refused, Err(StorageError::TooLarge { bytes: 5, limit: 4, .. })), "{refused:?}");
    assert_eq!(fixture.store.read(&object.uri, 5).await.expect("it fits"), "12345");
}

/// `if_absent` on small and large objects.
pub async fn creates_keep_the_first_object(fixture: &Fixture) {
    let create = PutOptions { if_absent: true, ..PutOptions::default() };
    let uri = fixture.uri("object");
    let first = fixture.store.write("first".into(), &uri, &create).await;
    assert!(matches!(first, Ok(Put::Written(_))), "{first:?}");
    let second = fixture.store.write("second".into(), &uri, &create).await;
    assert!(matches!(second, Ok(Put::AlreadyThere)), "{second:?}");
    let large = fixture.file("large", &noise(LARGE, 1));
    let third = fixture.store.upload(&large, &uri, &create).await;
    assert!(matches!(third, Ok(Put::AlreadyThere)), "{third:?}");
    assert_eq!(fixture.get("object").await, "first");
    let elsewhere = fixture.store.upload(&large, &fixture.uri("other"), &create).await;
    assert!(matches!(elsewhere, Ok(Put::Written(_))), "{elsewhere:?}");
}

/// Of eight creates at once one writes, and its bytes stay.
pub async fn racing_creates_write_exactly_once(fixture: &Fixture) {
    let uri = fixture.uri("folder/contested");
    let create = PutOptions { if_absent: true, ..PutOptions::default() };
    let attempts = (0..8_u64).map(|writer| {
        let (store, uri, create) = (Arc::clone(&fixture.store), uri.clone(), create.clone());
        let bytes = Bytes::from(noise(100_000, writer));
        tokio::spawn(async move { store.write(bytes, &uri, &create).await })
    });
    check_race(fixture, &uri, join_all(attempts).await, 100_000).await;
}

/// The same with objects that go by parts, where the condition is judged at the end.
pub async fn large_racing_creates_write_exactly_once(fixture: &Fixture) {
    let uri = fixture.uri("folder/contested");
    let create = PutOptions { if_absent: true, ..PutOptions::default() };
    let attempts = (0..3_u64).map(|writer| {
        let (store, uri, create) = (Arc::clone(&fixture.store), uri.clone(), create.clone());
        let from = fixture.file(&format!("writer-{writer}"), &noise(LARGE, writer));
        tokio::spawn(async move { store.upload(&from, &uri, &create).await })
    });
    check_race(fixture, &uri, join_all(attempts).await, LARGE).await;
}

type Attempt = Result<Result<Put, StorageError>, tokio::task::JoinError>;

async fn check_race(fixture: &Fixture, uri: &S3Uri, attempts: Vec<Attempt>, size: usize) {
    let (mut winners, mut versions) = (Vec::new(), Vec::new());
    for (writer, attempt) in (0_u64..).zip(attempts) {
        match attempt.expect("no panic") {
            Ok(Put::Written(etag)) => {
                winners.push(writer);
                versions.push(etag);
            }
            Ok(Put::AlreadyThere) => {}
            Err(error) => panic!("writer {writer}: {error}"),
        }
    }
    let version = fixture.store.head(uri).await.expect("it is there").object.version;
    let stored =
        versions.iter().position(|written| *written == version).expect("one of the winners is stored");
    assert_eq!(Sha256::of(fixture.get(uri.key()).await), Sha256::of(noise(size, winners[stored])));
    if !fixture.limits.creates_race {
        assert_eq!(winners.len(), 1, "writers {winners:?} all say that they wrote");
    }
}

/// Deleting what is not there is no error.
pub async fn deletes_can_be_repeated(fixture: &Fixture) {
    fixture.put("a/b/object", "x").await;
    fixture.put("a/b/other", "y").await;
    for _ in 0..2 {
        fixture.store.delete(&fixture.uri("a/b/object")).await.expect("deleted");
        let head = fixture.store.head(&fixture.uri("a/b/object")).await;
        assert!(matches!(head, Err(StorageError::NotFound(_))), "{head:?}");
    }
    assert_eq!(fixture.list("", 10).await.0, ["a/b/other"]);
    fixture.store.delete(&fixture.uri("never/was")).await.expect("nothing to do");
    fixture.put("a/b/object", "again").await;
    assert_eq!(fixture.get("a/b/object").await, "again");
}

/// Bytes that do not have their declared digest are refused, and nothing is stored.
pub async fn wrong_sha256_is_refused(fixture: &Fixture) {
    let uri = fixture.uri("object");
    let wrong = PutOptions { sha256: Some(Sha256::of("what was meant")), ..PutOptions::default() };
    let refused = fixture.store.write("what was sent".into(), &uri, &wrong).await;
    if fixture.limits.ignores_sha256 {
        assert!(matches!(refused, Ok(Put::Written(_))), "no longer a limit of this server: {refused:?}");
        return;
    }
    assert!(matches!(refused, Err(StorageError::Damaged { .. })), "{refused:?}");
    let from = fixture.file("from", b"what was sent");
    let refused = fixture.store.upload(&from, &uri, &wrong).await;
    assert!(matches!(refused, Err(StorageError::Damaged { .. })), "{refused:?}");
    let head = fixture.store.head(&uri).await;
    assert!(matches!(head, Err(StorageError::NotFound(_))), "{head:?}");
}

/// The same for a file that goes by parts.
pub async fn wrong_sha256_of_a_large_file_is_refused(fixture: &Fixture) {
    let uri = fixture.uri("object");
    let wrong = PutOptions { sha256: Some(Sha256::of("what was meant")), ..PutOptions::default() };
    let from = fixture.file("from", &noise(LARGE, 1));
    let refused = fixture.store.upload(&from, &uri, &wrong).await;
    assert!(matches!(refused, Err(StorageError::Damaged { .. })), "{refused:?}");
    let head = fixture.store.head(&uri).await;
    assert!(matches!(head, Err(StorageError::NotFound(_))), "{head:?}");
}
