//! Object keys as paths: readable for ordinary keys, inside the folder for every key, and never two for one.

use std::borrow::Cow;
use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};

/// File systems take names of 255 bytes; the rest is left for the suffixes of backup tools and editors.
const MAX_NAME: usize = 200;

/// Linux takes paths of 4,095 bytes; the rest is left for the root.
const MAX_PATH: usize = 2_048;

/// Stands for the empty component (`a//b`, `/abs`, `folder/`). Not a valid escape, so nothing else encodes to it.
const EMPTY: &str = "%empty";

/// The relative path of `key`, or `None` when the key is too long to be one: then it goes by [`digest`].
pub(crate) fn plain_path(key: &str) -> Option<PathBuf> {
    let mut path = PathBuf::new();
    for component in key.split('/') {
        let name = encode(component);
        if name.len() > MAX_NAME {
            return None;
        }
        path.push(name.as_ref());
    }
    (path.as_os_str().len() <= MAX_PATH).then_some(path)
}

/// The file name of one component.
pub(crate) fn encode(component: &str) -> Cow<'_, str> {
    match component {
        "" => EMPTY.into(),
        "." => "%2E".into(),
        ".." => "%2E%2E".into(),
        other if !other.contains(is_unsafe) => other.into(),
        other => other.chars().map(|c| if is_unsafe(c) { escape(c) } else { c.to_string() }).collect(),
    }
}

/// `%` escapes, so it must be escaped; the others are control bytes and the separator of other systems. Everything
/// beyond ASCII stays readable.
fn is_unsafe(c: char) -> bool {
    c.is_ascii_control() || matches!(c, '%' | '\\')
}

fn escape(c: char) -> String {
    format!("%{:02X}", u32::from(c))
}

/// The component behind a file name; `None` when no key leads to that name.
pub(crate) fn decode(name: &str) -> Option<String> {
    if name == EMPTY {
        return Some(String::new());
    }
    let component = percent_decode_str(name).decode_utf8().ok()?.into_owned();
    (encode(&component) == name).then_some(component)
}

/// The name of a key that cannot be a path.
pub(crate) fn digest(key: &str) -> String {
    hex::encode(Sha256::digest(key.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::path::Component;

    use proptest::prelude::*;

    use super::*;

    fn path(key: &str) -> String {
        plain_path(key).expect("short").into_os_string().into_string().expect("UTF-8")
    }

    #[test]
    fn ordinary_keys_are_their_own_paths() {
        for key in ["v1/720p/train-000000.tar", ".nv-meta/split.yaml", "a b+c/ü.jpg", "…/x"] {
            assert_eq!(path(key), key);
        }
    }

    #[test]
    fn hostile_keys_are_escaped() {
        for (key, expected) in [
            ("../x", "%2E%2E/x"),
            ("/abs", "%empty/abs"),
            ("a//b", "a/%empty/b"),
            ("a/./b", "a/%2E/b"),
            ("folder/", "folder/%empty"),
            ("%empty", "%25empty"),
            ("100%2F.jpg", "100%252F.jpg"),
            ("a\\b\0c\n", "a%5Cb%00c%0A"),
        ] {
            assert_eq!(path(key), expected);
        }
    }

    #[test]
    fn overlong_names_are_no_paths() {
        assert!(plain_path(&"x".repeat(200)).is_some());
        assert!(plain_path(&"x".repeat(201)).is_none());
        assert!(plain_path(&"\\/".repeat(500)).is_some());
        assert!(plain_path(&"%%%%%%%/".repeat(128)).is_none());
    }

    #[test]
    fn file_names_without_a_key_are_not_decoded() {
        for name in ["100%.jpg", "%2e", "%41", "%2F", "%FF", "a\\b", ".", ".."] {
            assert_eq!(decode(name), None, "{name}");
        }
    }

    fn keys() -> impl Strategy<Value = String> {
        let piece = prop_oneof!["[./%\\\\]{1,3}", "[a-b]{1,2}", "(?s).", Just("%empty".to_owned())];
        prop::collection::vec(piece, 1..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn every_key_maps_inside_and_back(key in keys()) {
            let path = plain_path(&key).expect("short");
            prop_assert!(path.components().all(|part| matches!(part, Component::Normal(_))));
            let names = path.to_str().expect("UTF-8").split('/');
            let back: Option<Vec<_>> = names.map(decode).collect();
            prop_assert_eq!(back.expect("canonical").join("/"), key);
        }

        #[test]
        fn different_keys_have_different_paths(a in keys(), b in keys()) {
            prop_assert_eq!(a == b, plain_path(&a) == plain_path(&b));
        }
    }
}
