//! Where objects are: buckets, URIs and object versions.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is not an S3 URI.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not an S3 URI: {rule}")]
pub struct InvalidUri {
    value: String,
    rule: &'static str,
}

/// The name of a bucket: 3–63 characters of `a-z 0-9 . -` (the S3 rules that every server shares).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BucketName(String);

impl BucketName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for BucketName {
    type Err = InvalidUri;

    fn from_str(text: &str) -> Result<Self, InvalidUri> {
        let edge = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-".contains(&b);
        let good = (3..=63).contains(&text.len())
            && text.bytes().all(allowed)
            && edge(text.bytes().next())
            && edge(text.bytes().last())
            && !text.contains("..");
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(invalid(text, "a bucket name is 3 to 63 of a-z, 0-9, '.' and '-'"))
        }
    }
}

/// A bucket and a key, or a bucket and a key prefix (possibly empty). Keys are raw UTF-8, never URL-encoded.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct S3Uri {
    bucket: BucketName,
    key: String,
}

impl S3Uri {
    /// The object (or prefix) `key` in `bucket`.
    pub fn new(bucket: BucketName, key: impl Into<String>) -> Self {
        Self { bucket, key: key.into() }
    }

    /// The bucket.
    pub fn bucket(&self) -> &BucketName {
        &self.bucket
    }

    /// The raw key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The URI one level below: exactly one `/` between this key and `name`, none when this is a bucket root.
    pub fn join(&self, name: &str) -> Self {
        let key = match self.key.as_str() {
            "" => name.to_owned(),
            prefix if prefix.ends_with('/') => format!("{prefix}{name}"),
            prefix => format!("{prefix}/{name}"),
        };
        Self { bucket: self.bucket.clone(), key }
    }

    /// The folder that this object is in; a bucket root for a key without `/`.
    pub fn parent(&self) -> Self {
        let folder = self.key.rsplit_once('/').map_or("", |(folder, _)| folder);
        Self { bucket: self.bucket.clone(), key: folder.to_owned() }
    }

    /// The part of `object`'s key below this prefix, if it lies there. A prefix is a folder: `a/b` holds
    /// `a/b/c` and not `a/bc`.
    pub fn relative<'k>(&self, object: &'k Self) -> Option<&'k str> {
        if self.bucket != object.bucket {
            return None;
        }
        let rest = object.key.strip_prefix(self.key.as_str())?;
        if self.key.is_empty() || self.key.ends_with('/') { Some(rest) } else { rest.strip_prefix('/') }
    }

    /// This prefix with a trailing `/`, so that listing it lists a folder; a bucket root stays empty.
    pub fn as_folder(&self) -> Self {
        if self.key.is_empty() || self.key.ends_with('/') {
            self.clone()
        } else {
            Self { bucket: self.bucket.clone(), key: format!("{}/", self.key) }
        }
    }
}

impl FromStr for S3Uri {
    type Err = InvalidUri;

    fn from_str(text: &str) -> Result<Self, InvalidUri> {
        let rest = text
            .strip_prefix("s3://")
            .ok_or_else(|| invalid(text, "expected s3://bucket or s3://bucket/key"))?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        Ok(Self { bucket: bucket.parse()?, key: key.to_owned() })
    }
}

impl fmt::Display for S3Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

/// One immutable state of an object: what a stage claims and processes, never a bare key.
///
/// `version` is the bucket's version id where there is one, else the ETag (opaque, without quotes).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectVersion {
    /// Where the object is.
    pub uri: S3Uri,
    /// Version id or ETag.
    pub version: String,
}

impl fmt::Display for ObjectVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", escape_key(&self.uri.to_string()), self.version)
    }
}

/// A key for logs, terminals and database text: control characters (NUL above all, which Postgres text
/// cannot hold) appear as `\u{..}`; everything else stays as it is.
pub fn escape_key(key: &str) -> String {
    let mut escaped = String::with_capacity(key.len());
    for c in key.chars() {
        if c.is_control() {
            escaped.extend(c.escape_unicode());
        } else {
            escaped.push(c);
        }
    }
    escaped
}

fn invalid(value: &str, rule: &'static str) -> InvalidUri {
    InvalidUri { value: value.chars().take(120).collect(), rule }
}

impl fmt::Display for BucketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for BucketName {
    type Error = InvalidUri;

    fn try_from(text: String) -> Result<Self, InvalidUri> {
        text.parse()
    }
}

impl From<BucketName> for String {
    fn from(bucket: BucketName) -> Self {
        bucket.0
    }
}

impl TryFrom<String> for S3Uri {
    type Error = InvalidUri;

    fn try_from(text: String) -> Result<Self, InvalidUri> {
        text.parse()
    }
}

impl From<S3Uri> for String {
    fn from(uri: S3Uri) -> Self {
        uri.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn uri(text: &str) -> S3Uri {
        text.parse().expect("a valid uri in a test")
    }

    #[test]
    fn a_prefix_is_a_folder() {
        assert_eq!(uri("s3://bucket/a/b").relative(&uri("s3://bucket/a/b/c")), Some("c"));
        assert_eq!(uri("s3://bucket/a/b").relative(&uri("s3://bucket/a/bc")), None);
        assert_eq!(uri("s3://bucket").relative(&uri("s3://bucket/a")), Some("a"));
        assert_eq!(uri("s3://bucket/a").relative(&uri("s3://other/a/b")), None);
        assert_eq!(uri("s3://bucket/a").join("b").join("c"), uri("s3://bucket/a/b/c"));
        assert_eq!(uri("s3://bucket/a/b").parent().join("b"), uri("s3://bucket/a/b"));
        assert_eq!(uri("s3://bucket/b").parent().join("b"), uri("s3://bucket/b"));
    }

    #[test]
    fn control_characters_are_escaped_for_people_and_databases() {
        assert_eq!(escape_key("a\0b\n"), "a\\u{0}b\\u{a}");
        assert_eq!(escape_key("ünï ✓%2F"), "ünï ✓%2F");
    }

    proptest! {
        #[test]
        fn any_key_survives_text(key in ".*") {
            let original = S3Uri::new("bucket".parse().expect("valid"), key);
            prop_assert_eq!(uri(&original.to_string()), original);
        }
    }
}
