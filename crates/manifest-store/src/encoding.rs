//! How our values are written into columns, and read back with the doubts that a database deserves.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use types::{ImageId, PolicyHash, S3Uri, Sha256, Split, VersionNumber};

use crate::StoreError;

/// A stored value that this program does not understand.
pub(crate) fn unreadable(what: &str, why: impl Display) -> StoreError {
    StoreError::Invalid(format!("stored {what}: {why}"))
}

/// Text that people wrote or libraries reported. Postgres text cannot hold NUL.
pub(crate) fn prose(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\\u{0}")) } else { Cow::Borrowed(text) }
}

/// JSON as text.
pub(crate) fn json(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Invalid(format!("not JSON: {error}")))
}

/// JSON from text.
pub(crate) fn from_json<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| unreadable(what, error))
}

/// A count or size as the signed integer that SQL has.
pub(crate) fn integer(number: impl TryInto<i64>) -> Result<i64, StoreError> {
    number.try_into().map_err(|_| StoreError::Invalid("a number over 2^63".to_owned()))
}

/// A count or size from a signed integer.
pub(crate) fn number<T: TryFrom<i64>>(what: &str, stored: i64) -> Result<T, StoreError> {
    stored.try_into().map_err(|_| unreadable(what, format_args!("{stored} is out of range")))
}

/// Whole milliseconds, rounded up so that waiting that long is enough. Ten years are for ever: a longer time
/// would only overflow the database's.
pub(crate) fn milliseconds(duration: Duration) -> i64 {
    const LONGEST: u128 = 10 * 366 * 24 * 3600 * 1000;
    i64::try_from(duration.as_nanos().div_ceil(1_000_000).min(LONGEST)).unwrap_or(i64::MAX)
}

/// Milliseconds from the database; a time that has passed is no time.
pub(crate) fn duration(milliseconds: i64) -> Duration {
    Duration::from_millis(milliseconds.max(0).unsigned_abs())
}

/// Anything that parses from its stored text.
pub(crate) fn parsed<T: FromStr<Err: Display>>(what: &str, text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|error| unreadable(what, error))
}

/// A bucket and a key as one URI.
pub(crate) fn uri(bucket: &str, key: String) -> Result<S3Uri, StoreError> {
    Ok(S3Uri::new(parsed("bucket", bucket)?, key))
}

/// A digest from its 32 bytes.
pub(crate) fn sha256(bytes: &[u8]) -> Result<Sha256, StoreError> {
    let bytes = bytes.try_into().map_err(|_| unreadable("sha256", format_args!("{} bytes", bytes.len())))?;
    Ok(Sha256::from_bytes(bytes))
}

/// An image id from its 16 bytes.
pub(crate) fn image_id(bytes: &[u8]) -> Result<ImageId, StoreError> {
    let bytes =
        bytes.try_into().map_err(|_| unreadable("image id", format_args!("{} bytes", bytes.len())))?;
    Ok(ImageId::from_bytes(bytes))
}

/// A policy hash as its 32 bytes.
pub(crate) fn policy_bytes(policy: &PolicyHash) -> Vec<u8> {
    policy.sha256().as_bytes().to_vec()
}

/// A policy hash from its 32 bytes.
pub(crate) fn policy(bytes: &[u8]) -> Result<PolicyHash, StoreError> {
    parsed("policy hash", &sha256(bytes)?.to_hex())
}

/// A version number from its column.
pub(crate) fn version(stored: i64) -> Result<VersionNumber, StoreError> {
    let stored = number("version", stored)?;
    VersionNumber::new(stored).ok_or_else(|| unreadable("version", "0"))
}

/// A split as its place in `Split::ALL`, so that the database sorts splits as we do.
pub(crate) fn split_rank(split: Split) -> i64 {
    split as i64
}

/// A split from its place.
pub(crate) fn split(rank: i64) -> Result<Split, StoreError> {
    let place: usize = number("split", rank)?;
    Split::ALL.get(place).copied().ok_or_else(|| unreadable("split", rank))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_round_up_and_never_overflow() {
        assert_eq!(milliseconds(Duration::ZERO), 0);
        assert_eq!(milliseconds(Duration::from_micros(1)), 1);
        assert_eq!(milliseconds(Duration::from_millis(250)), 250);
        assert_eq!(milliseconds(Duration::MAX), 316_224_000_000);
    }

    #[test]
    fn split_ranks_follow_the_order_of_manifests() {
        for (rank, expected) in Split::ALL.into_iter().enumerate() {
            assert_eq!(split(rank as i64).expect("a known rank"), expected);
            assert_eq!(split_rank(expected), rank as i64);
        }
        assert!(split(3).is_err() && split(-1).is_err());
    }

    #[test]
    fn prose_keeps_everything_but_nul() {
        assert_eq!(prose("ünï\n\0"), "ünï\n\\u{0}");
    }
}
