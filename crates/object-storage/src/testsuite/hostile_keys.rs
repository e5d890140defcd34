//! Keys that are no good as paths, URLs or XML.

use super::Fixture;
use crate::{PutOptions, StorageError};

fn hostile_keys() -> Vec<String> {
    let mut keys: Vec<String> = [
        "../x",
        "../../../../etc/passwd",
        "a/../b",
        "/abs",
        "//abs",
        "a//b",
        "a/./b",
        "./a",
        ".",
        "..",
        "folder/",
        "folder//",
        "a b",
        " a",
        "a ",
        "a+b",
        "a%2Fb",
        "a%2fb",
        "100%",
        "%",
        "%00",
        "a\\b",
        "a&b<c>\"d'",
        "a?b#c",
        "a;b=c",
        "a:b",
        "*",
        "~",
        "caf\u{e9}",
        "cafe\u{301}",
        "漢字/😀.jpg",
        "\u{202e}gpj.exe",
        "Case",
        "case",
        ".local-cloud",
        ".nv-meta/split.yaml",
        "CON",
        "tab\tkey",
        "line\nbreak",
        "return\rkey",
        "bell\u{7}",
        "nul\0byte",
        "delete\u{7f}",
        "c1\u{85}",
        "\u{feff}bom",
        "\u{fffd}",
        "%empty",
        "a/%empty/b",
    ]
    .map(ToOwned::to_owned)
    .into();
    keys.push("x".repeat(1_000));
    keys.push(format!("deep/{}end", "d/".repeat(490)));
    keys.push(format!("{}.jpg", "ü".repeat(150)));
    keys
}

/// Each is an object of its own: its bytes come back, and only its bytes.
pub async fn hostile_keys_round_trip(fixture: &Fixture) {
    let (refused, taken): (Vec<_>, Vec<_>) =
        hostile_keys().into_iter().partition(|key| (fixture.limits.refuses)(key));
    for key in &refused {
        let put = fixture.store.write("x".into(), &fixture.uri(key), &PutOptions::default()).await;
        assert!(matches!(put, Err(StorageError::Invalid { .. })), "{key:?} is known to be refused: {put:?}");
    }
    for key in &taken {
        fixture.put(key, key.clone()).await;
    }
    for key in &taken {
        assert_eq!(fixture.get(key).await, key, "{key:?}");
        let head = fixture.store.head(&fixture.uri(key)).await.expect("it is there");
        assert_eq!((head.bytes, head.object.uri.key()), (key.len() as u64, key.as_str()));
    }
    for key in &taken {
        fixture.store.delete(&fixture.uri(key)).await.expect("deleted");
        let head = fixture.store.head(&fixture.uri(key)).await;
        assert!(matches!(head, Err(StorageError::NotFound(_))), "{key:?}: {head:?}");
    }
    assert_eq!(fixture.list("", 1_000).await.0, Vec::<String>::new());
}

/// Listings give the raw keys, each once, in order, over pages too.
pub async fn hostile_keys_are_listed_as_they_are(fixture: &Fixture) {
    let mut taken: Vec<_> = hostile_keys().into_iter().filter(|key| !(fixture.limits.refuses)(key)).collect();
    for key in &taken {
        fixture.put(key, "x").await;
    }
    taken.sort_unstable();
    assert_eq!(fixture.list("", 1_000).await.0, taken);
    assert_eq!(fixture.list("", 3).await.0, taken);
    for key in &taken {
        assert!(fixture.list(key, 1_000).await.0.contains(key), "{key:?} is a prefix of itself");
    }
}

/// `a.jpg` and `a.jpg/b.jpg`, in either order of writing.
pub async fn file_and_folder_of_the_same_name_live_side_by_side(fixture: &Fixture) {
    let keys = [
        "1/a.jpg",
        "1/a.jpg/b.jpg",
        "1/a.jpg/b.jpg/c.jpg",
        "2/a.jpg",
        "2/a.jpg/b.jpg",
        "2/a.jpg/b.jpg/c.jpg",
    ];
    for key in [0, 1, 2, 5, 4, 3].map(|index: usize| keys[index]) {
        fixture.put(key, key).await;
    }
    for key in keys {
        assert_eq!(fixture.get(key).await, key);
        fixture.put(key, format!("again {key}")).await;
        assert_eq!(fixture.get(key).await, format!("again {key}"));
    }
    assert_eq!(fixture.list("", 1_000).await.0, keys);
    assert_eq!(fixture.list("", 1).await.0, keys);
    assert_eq!(fixture.list("2/a.jpg/", 10).await.0, keys[4..]);
    for key in ["1/a.jpg", "2/a.jpg/b.jpg/c.jpg"] {
        fixture.store.delete(&fixture.uri(key)).await.expect("deleted");
    }
    assert_eq!(
        fixture.list("", 10).await.0,
        ["1/a.jpg/b.jpg", "1/a.jpg/b.jpg/c.jpg", "2/a.jpg", "2/a.jpg/b.jpg"]
    );
    fixture.put("1/a.jpg", "back").await;
    assert_eq!(fixture.get("1/a.jpg").await, "back");
    assert_eq!(fixture.get("1/a.jpg/b.jpg").await, "again 1/a.jpg/b.jpg");
}

/// S3 keys have at most 1,024 bytes.
pub async fn overlong_keys_are_refused(fixture: &Fixture) {
    let longest = "x".repeat(1_024);
    fixture.put(&longest, "x").await;
    assert_eq!(fixture.get(&longest).await, "x");
    let put = fixture.store.write("x".into(), &fixture.uri(&"x".repeat(1_025)), &PutOptions::default()).await;
    assert!(matches!(put, Err(StorageError::Invalid { .. })), "{put:?}");
}
