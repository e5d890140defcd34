//! Identifiers: names that people choose and digests that content gives.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::Digest;

/// Why a text is not an identifier of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not a valid {kind}: {rule}")]
pub struct InvalidId {
    kind: &'static str,
    value: String,
    rule: &'static str,
}

impl InvalidId {
    fn new(kind: &'static str, value: &str, rule: &'static str) -> Self {
        Self { kind, value: value.chars().take(80).collect(), rule }
    }
}

/// The name of a dataset: 1–63 characters of `a-z 0-9 . _ -`, starting with a letter or digit.
///
/// It is one segment of object keys and a table key, so it must be safe in both without escaping.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DatasetName(String);

impl DatasetName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DatasetName {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b);
        let starts_well = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
        if starts_well && text.len() <= 63 && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId::new(
                "dataset name",
                text,
                "use 1 to 63 of a-z, 0-9, '.', '_' and '-', starting with a letter or digit",
            ))
        }
    }
}

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sha256([u8; 32]);

impl Sha256 {
    /// Wraps a digest that was computed elsewhere (a streaming hasher).
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest of `data`.
    pub fn of(data: impl AsRef<[u8]>) -> Self {
        Self(sha2::Sha256::digest(data.as_ref()).into())
    }

    /// The 32 raw bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 lowercase hex digits.
    pub fn to_hex(self) -> String {
        hex::encode(self.0)
    }
}

impl FromStr for Sha256 {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let mut bytes = [0; 32];
        let lowercase = !text.bytes().any(|b| b.is_ascii_uppercase());
        match hex::decode_to_slice(text, &mut bytes) {
            Ok(()) if lowercase => Ok(Self(bytes)),
            _ => Err(InvalidId::new("sha256", text, "expected 64 lowercase hex digits")),
        }
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

/// The identity of an image: the first 16 bytes (32 hex digits) of the SHA-256 of its original bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageId([u8; 16]);

impl ImageId {
    /// The id of the image whose original bytes have this digest.
    pub fn of(original: &Sha256) -> Self {
        let mut id = [0; 16];
        id.copy_from_slice(&original.as_bytes()[..16]);
        Self(id)
    }

    /// The 16 raw bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Wraps 16 raw bytes read back from a store.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl FromStr for ImageId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let mut bytes = [0; 16];
        let lowercase = !text.bytes().any(|b| b.is_ascii_uppercase());
        match hex::decode_to_slice(text, &mut bytes) {
            Ok(()) if lowercase => Ok(Self(bytes)),
            _ => Err(InvalidId::new("image id", text, "expected 32 lowercase hex digits")),
        }
    }
}

impl fmt::Debug for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ImageId({self})")
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// The hash of a stage's settings: work done under other settings is other work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PolicyHash(Sha256);

impl PolicyHash {
    /// The hash of a policy's canonical form.
    pub fn of(canonical: impl AsRef<[u8]>) -> Self {
        Self(Sha256::of(canonical))
    }

    /// The whole digest.
    pub fn sha256(&self) -> &Sha256 {
        &self.0
    }

    /// The first eight hex digits, as used in object keys.
    pub fn short(&self) -> String {
        hex::encode(&self.0.as_bytes()[..4])
    }
}

impl FromStr for PolicyHash {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        text.parse().map(Self)
    }
}

impl fmt::Display for PolicyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for DatasetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! text_conversions {
    ($($id:ty),*) => {$(
        impl TryFrom<String> for $id {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, InvalidId> {
                text.parse()
            }
        }

        impl From<$id> for String {
            fn from(id: $id) -> Self {
                id.to_string()
            }
        }
    )*};
}

text_conversions!(DatasetName, Sha256, ImageId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dataset_names_are_safe_key_segments() {
        for good in ["holiday", "a", "0-9._x", "raccoon.v2"] {
            assert!(good.parse::<DatasetName>().is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "-x", "A", "a/b", "a b", "ä", "a\0", &"x".repeat(64)] {
            assert!(bad.parse::<DatasetName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn image_id_is_the_head_of_the_sha256() {
        // FIPS 180-4's own example: SHA-256("abc").
        let digest = Sha256::of("abc");
        assert_eq!(digest.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(ImageId::of(&digest).to_string(), "ba7816bf8f01cfea414140de5dae2223");
        assert_eq!(PolicyHash::of("abc").short(), "ba7816bf");
    }

    #[test]
    fn digests_parse_only_what_they_print() {
        let digest = Sha256::of("x");
        assert_eq!(digest.to_string().parse::<Sha256>(), Ok(digest));
        assert!(digest.to_string().to_uppercase().parse::<Sha256>().is_err());
        assert!("abcd".parse::<ImageId>().is_err());
    }
}
