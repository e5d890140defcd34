//! Uploads by parts that nobody completed.

use std::time::Duration;

use futures::future::join_all;

use super::Fixture;
use super::fixture::{noise, now};
use crate::{OpenUpload, Put, PutOptions, StorageError};

/// Clocks of one machine, and servers that give whole seconds.
const TOLERANCE: Duration = Duration::from_secs(10);

impl Fixture {
    async fn open_uploads(&self, prefix: &str) -> Vec<OpenUpload> {
        let (mut uploads, mut page) = (Vec::new(), None);
        loop {
            let listed =
                self.store.open_uploads(&self.uri(prefix), page.as_deref()).await.expect("a listing");
            uploads.extend(listed.uploads);
            match listed.next {
                Some(next) => page = Some(next),
                None => return uploads,
            }
        }
    }
}

/// Listed by prefix in key order, each with its id and time; no object; gone when it is aborted, also twice.
pub async fn interrupted_uploads_are_listed_until_they_are_aborted(fixture: &Fixture) {
    assert_eq!(fixture.open_uploads("").await, []);
    let before = now();
    let keys: Vec<_> = ["a/b", "a/b", "a/c d+e%ü", "b"].map(ToOwned::to_owned).into();
    let mut ids = Vec::new();
    for key in &keys {
        ids.push(fixture.store.begin_upload(&fixture.uri(key)).await.expect("begun"));
    }
    let open = fixture.open_uploads("").await;
    let listed: Vec<_> = open.iter().map(|upload| upload.uri.key().to_owned()).collect();
    assert_eq!(listed, keys);
    let mut known: Vec<_> = open.iter().map(|upload| upload.id.clone()).collect();
    known.sort_unstable();
    ids.sort_unstable();
    assert_eq!(known, ids);
    for upload in &open {
        let apart = upload.begun.duration_since(before).unwrap_or_else(|early| early.duration());
        assert_eq!(apart < TOLERANCE, !fixture.limits.forgets_when_uploads_began, "{upload:?}");
    }
    assert_eq!(fixture.open_uploads("a/").await, open[..3]);
    assert_eq!(fixture.open_uploads("a/b/").await, []);
    assert_eq!(fixture.list("", 10).await.0, Vec::<String>::new());
    let head = fixture.store.head(&fixture.uri("b")).await;
    assert!(matches!(head, Err(StorageError::NotFound(_))), "{head:?}");

    for upload in [&open[0], &open[0], &open[3]] {
        fixture.store.abort_upload(upload).await.expect("aborted, or gone already");
    }
    assert_eq!(fixture.open_uploads("").await, open[1..3]);
}

/// What was completed or refused is not open any more.
pub async fn finished_uploads_are_not_open(fixture: &Fixture) {
    let large = fixture.file("large", &noise((16 << 20) + 1, 1));
    let uri = fixture.uri("large");
    let put = fixture.store.upload(&large, &uri, &PutOptions::default()).await;
    assert!(matches!(put, Ok(Put::Written(_))), "{put:?}");
    let wrong = PutOptions { sha256: Some(types::Sha256::of("another")), ..PutOptions::default() };
    let refused = fixture.store.upload(&large, &fixture.uri("refused"), &wrong).await;
    assert!(matches!(refused, Err(StorageError::Damaged { .. })), "{refused:?}");
    fixture.put("small", "small").await;
    assert_eq!(fixture.open_uploads("").await, []);
}

/// More than one page of them.
pub async fn many_interrupted_uploads_are_listed_once_each(fixture: &Fixture) {
    // S3 lists at most 1,000 at once; the same key more than once across the page's edge.
    let keys: Vec<_> = (0..1_003).map(|n| format!("{:03}", n / 2)).collect();
    for some in keys.chunks(50) {
        let uris: Vec<_> = some.iter().map(|key| fixture.uri(key)).collect();
        for begun in join_all(uris.iter().map(|uri| fixture.store.begin_upload(uri))).await {
            begun.expect("begun");
        }
    }
    let open = fixture.open_uploads("").await;
    let mut listed: Vec<_> = open.iter().map(|upload| upload.uri.key().to_owned()).collect();
    // moto lists them as they were begun, which here is no order.
    listed.sort_unstable();
    assert_eq!(listed, keys);
    let mut ids: Vec<_> = open.into_iter().map(|upload| upload.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), keys.len(), "no upload is listed twice");
}
