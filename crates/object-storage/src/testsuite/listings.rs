//! Order, pages and prefixes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Fixture;
use super::fixture::now;
use crate::ObjectSummary;

/// Byte order of the keys, in full pages, each key once. `/` stands between `.` and `0`.
pub async fn listings_are_in_key_order_by_pages(fixture: &Fixture) {
    // In order by hand: - is 2D, . is 2E, / is 2F, digits follow, then upper case, _, lower case, ü (C3), 漢 (E6), 😀 (F0).
    let mut expected = vec![
        "B", "a", "a-", "a-b/c", "a.b", "a/-", "a/b", "a/b-/x", "a/b.x", "a/b/c", "a0", "aB", "a_", "ab",
    ];
    let numbered: Vec<_> = (0..30).map(|n| format!("n/{n:03}")).collect();
    expected.extend(numbered.iter().map(String::as_str));
    expected.extend(["z", "ü", "漢", "😀"]);
    for key in expected.iter().rev() {
        fixture.put(key, (*key).to_owned()).await;
    }
    let (keys, pages) = fixture.list("", 10).await;
    assert_eq!(keys, expected);
    assert_eq!(pages, [10, 10, 10, 10, 8]);
    for limit in [1, 7, 48, 1_000] {
        assert_eq!(fixture.list("", limit).await.0, expected, "pages of {limit}");
    }
    let page = fixture.store.list(&fixture.uri("n/00"), None, 1_000).await.expect("a listing");
    for object in &page.objects {
        let head = fixture.store.head(&object.object.uri).await.expect("it is there");
        assert_eq!(to_the_second(head), to_the_second(object.clone()), "the listing and the head agree");
    }
    assert_eq!(page.objects.len(), 10);
}

/// A prefix is the start of a key, not a folder.
pub async fn listings_hold_nothing_but_the_prefix(fixture: &Fixture) {
    for key in ["a", "a/b", "a/b/c", "a/bc", "ab", "b/a"] {
        fixture.put(key, "x").await;
    }
    for (prefix, expected) in [
        ("a", &["a", "a/b", "a/b/c", "a/bc", "ab"][..]),
        ("a/", &["a/b", "a/b/c", "a/bc"]),
        ("a/b", &["a/b", "a/b/c", "a/bc"]),
        ("a/b/", &["a/b/c"]),
        ("a/b/c", &["a/b/c"]),
        ("a/b/c/", &[]),
        ("c", &[]),
        ("/", &[]),
        ("../", &[]),
    ] {
        assert_eq!(fixture.list(prefix, 2).await.0, expected, "prefix {prefix:?}");
    }
}

/// A listing after a write or delete knows about it.
pub async fn listings_see_every_write_before_them(fixture: &Fixture) {
    for round in 0..20 {
        let key = format!("folder/{round:02}");
        fixture.put(&key, "x").await;
        assert_eq!(fixture.list("folder/", 1_000).await.0.len(), round + 1);
    }
    for round in 0..20 {
        fixture.store.delete(&fixture.uri(&format!("folder/{round:02}"))).await.expect("deleted");
        assert_eq!(fixture.list("folder/", 1_000).await.0.len(), 19 - round);
    }
}

/// HTTP dates have no fractions of a second.
fn to_the_second(summary: ObjectSummary) -> ObjectSummary {
    let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let modified = summary.modified.map(|time| UNIX_EPOCH + Duration::from_secs(seconds(time)));
    ObjectSummary { modified, ..summary }
}

/// Every object has a time, between before and after it was written, and again after it was rewritten.
pub async fn objects_say_when_they_were_written(fixture: &Fixture) {
    // The server and we have one clock here.
    const FRACTION: Duration = Duration::from_secs(1);
    let uri = fixture.uri("folder/object");
    for content in ["first", "second", "second"] {
        let before = now() - FRACTION;
        fixture.put("folder/object", content).await;
        let head = fixture.store.head(&uri).await.expect("it is there");
        let listed = fixture.store.list(&fixture.uri("folder/"), None, 10).await.expect("a listing").objects;
        for modified in [head.modified, listed.first().and_then(|object| object.modified)] {
            let modified = modified.expect("the server knows it");
            assert!((before..=now()).contains(&modified), "{content}: {modified:?}, begun at {before:?}");
        }
    }
}
