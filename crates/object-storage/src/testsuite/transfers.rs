//! Bytes in, the same bytes out.

use types::{ObjectVersion, Sha256};

use super::Fixture;
use super::fixture::noise;
use crate::{Put, PutOptions, StorageError};

/// Empty and one-byte objects, and one with its type and digest declared.
pub async fn small_objects_round_trip(fixture: &Fixture) {
    for (key, bytes) in [("empty", &b""[..]), ("one", b"x"), ("folder/text", b"some text")] {
        let etag = fixture.put(key, bytes.to_vec()).await;
        assert_eq!(fixture.get(key).await, bytes);
        let head = fixture.store.head(&fixture.uri(key)).await.expect("it is there");
        assert_eq!((head.bytes, head.object.version), (bytes.len() as u64, etag));
        assert_eq!(head.object.uri, fixture.uri(key));
    }
    let options = PutOptions {
        content_type: Some("image/png".to_owned()),
        sha256: Some(Sha256::of(b"declared")),
        ..PutOptions::default()
    };
    let put = fixture.store.write("declared".into(), &fixture.uri("declared"), &options).await;
    assert!(matches!(put, Ok(Put::Written(_))), "{put:?}");
    assert_eq!(fixture.get("declared").await, "declared");
}

/// Files from empty to several parts, with their versions and digests.
pub async fn files_of_every_size_round_trip(fixture: &Fixture) {
    const MIB: usize = 1 << 20;
    for (index, size) in [0, 1, 5 * MIB, 16 * MIB, 16 * MIB + 1, 40 * MIB + 3].into_iter().enumerate() {
        let bytes = noise(size, index as u64);
        let digest = Sha256::of(&bytes);
        let (from, to) = (fixture.file(&format!("up-{size}"), &bytes), fixture.path(&format!("down-{size}")));
        let uri = fixture.uri(&format!("files/{size}"));
        let options = PutOptions { sha256: (index % 2 == 0).then_some(digest), ..PutOptions::default() };
        let version = match fixture.store.upload(&from, &uri, &options).await {
            Ok(Put::Written(etag)) => etag,
            other => panic!("uploading {size} bytes: {other:?}"),
        };
        let object = ObjectVersion { uri: uri.clone(), version };
        assert_eq!(fixture.store.head(&uri).await.expect("it is there").object, object);
        let down = fixture.store.download(&object, &to, size as u64).await.expect("it is there");
        assert_eq!((down.bytes, down.sha256), (size as u64, digest), "{size} bytes");
        assert_eq!(std::fs::read(&to).expect("it was written").len(), size);
        assert_eq!(Sha256::of(std::fs::read(&to).expect("it was written")), digest);
        let replaced = fixture.store.upload_digested(&from, &fixture.uri("files/again"), "image/png").await;
        assert_eq!(replaced.expect("it is uploaded"), digest, "{size} bytes");
        let head = fixture.store.head(&fixture.uri("files/again")).await.expect("it is there");
        assert_eq!(head.bytes, size as u64);
    }
}

/// `download` makes a new file or none.
pub async fn download_does_not_overwrite_a_file(fixture: &Fixture) {
    let version = fixture.put("object", "new").await;
    let to = fixture.file("taken", b"old");
    let object = ObjectVersion { uri: fixture.uri("object"), version };
    let refused = fixture.store.download(&object, &to, 10).await;
    assert!(matches!(refused, Err(StorageError::Local { .. })), "{refused:?}");
    assert_eq!(std::fs::read(&to).expect("it was there"), b"old");
}

/// Other bytes are another version, also when they are as many.
pub async fn rewriting_an_object_changes_its_version(fixture: &Fixture) {
    let first = fixture.put("object", "first").await;
    let again = fixture.put("object", "again").await;
    assert_ne!(first, again);
    assert_eq!(fixture.get("object").await, "again");
    let head = fixture.store.head(&fixture.uri("object")).await.expect("it is there");
    assert_eq!(head.object.version, again);
}
