//! The names that reach the file system.

use std::fmt;
use std::str::FromStr;

use types::{ObjectVersion, Sha256, StageName};

/// The local name of one object version at one stage: 32 hex digits, whatever the key looks like.
///
/// Keys are up to 1,024 bytes of any UTF-8: `../`, NUL, 255+ bytes, `a` beside `a/b`, names that a file system
/// holds to be equal. Filters for these refuse legal keys (`a..jpg`) and miss others, so the key is hashed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ItemName(String);

impl ItemName {
    /// The name of `object` at `stage`.
    pub fn new(stage: StageName, object: &ObjectVersion) -> Self {
        // None of the fields before the key can hold a NUL, and the version is the last: no two tuples meet.
        let (bucket, key) = (object.uri.bucket(), object.uri.key());
        let digest = Sha256::of(format!("{stage}\0{bucket}\0{key}\0{}", object.version));
        Self(digest.to_hex().chars().take(32).collect())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ItemName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of an output file inside a workspace: 1–200 of `A-Z a-z 0-9 . _ -`, not starting with `.`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileName(String);

impl FileName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is not the name of an output file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a file name: use 1 to 200 of A-Z, a-z, 0-9, '.', '_' and '-', not starting with '.'")]
pub struct InvalidFileName(String);

impl FromStr for FileName {
    type Err = InvalidFileName;

    fn from_str(text: &str) -> Result<Self, InvalidFileName> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        if (1..=200).contains(&text.len()) && !text.starts_with('.') && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidFileName(text.chars().take(80).collect()))
        }
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use types::S3Uri;

    use super::*;

    fn item(key: &str, version: &str) -> ItemName {
        let uri = S3Uri::new("bucket".parse().expect("valid"), key);
        ItemName::new(StageName::Ingest, &ObjectVersion { uri, version: version.to_owned() })
    }

    #[test]
    fn a_name_is_the_digest_of_stage_bucket_key_and_version() {
        // printf 'ingest\0bucket\0a/b.jpg\0v1' | sha256sum | cut -c1-32
        assert_eq!(item("a/b.jpg", "v1").as_str(), "4d181712385a0a03e6189222711cb72b");
    }

    #[test]
    fn file_names_that_could_leave_the_directory_are_refused() {
        for good in ["a", "train-000000.tar", "train-000000.tar.idx", "-_.x", &"a".repeat(200)] {
            assert!(good.parse::<FileName>().is_ok(), "{good}");
        }
        for bad in ["", ".", "..", ".hidden", "a/b", "a\\b", "a\0b", "a b", "é", "a\n", &"a".repeat(201)] {
            assert!(bad.parse::<FileName>().is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn no_key_shows_in_a_name(key in "(\\.\\./|/|\\PC|\0){0,40}", version in ".*") {
            let name = item(&key, &version);
            prop_assert_eq!(name.as_str().len(), 32);
            prop_assert!(name.as_str().bytes().all(|b| b.is_ascii_hexdigit()));
        }

        #[test]
        fn different_objects_have_different_names(a in ".{0,8}", b in ".{0,8}", v in "[a-z]{0,3}", w in "[a-z]{0,3}") {
            prop_assume!((&a, &v) != (&b, &w));
            prop_assert_ne!(item(&a, &v), item(&b, &w));
        }
    }
}
