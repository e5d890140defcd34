//! Single values, whatever JSON type a sender gives them.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A field as sent. It can be read without knowing what it should be, so that problems can be named by field, and
/// without quoting the value.
#[derive(Default)]
pub(super) enum Scalar {
    /// Not there, or null.
    #[default]
    Absent,
    Text(String),
    Number(u64),
    Negative,
    /// Anything else.
    Wrong,
}

impl Scalar {
    /// A text; the empty one is as good as none.
    pub(super) fn text(self, name: &str) -> Result<Option<String>, String> {
        match self {
            Self::Absent => Ok(None),
            Self::Text(text) => Ok(Some(text).filter(|text| !text.is_empty())),
            Self::Number(_) | Self::Negative | Self::Wrong => Err(format!("{name} is not a text")),
        }
    }

    /// A count of bytes: a number, or a text of digits as in Ceph's documentation. MinIO sends -1 for what it could not
    /// find out (`GetActualSize`).
    pub(super) fn bytes(self, name: &str) -> Result<Option<u64>, String> {
        match self {
            Self::Absent | Self::Negative => Ok(None),
            Self::Number(bytes) => Ok(Some(bytes)),
            Self::Text(text) if text.is_empty() => Ok(None),
            Self::Text(text) => text.parse().map(Some).map_err(|_| format!("{name} is not a count of bytes")),
            Self::Wrong => Err(format!("{name} is not a count of bytes")),
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Absent)
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(text.to_owned()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
        Ok(Scalar::Number(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
        Ok(u64::try_from(number).map_or(Scalar::Negative, Scalar::Number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Scalar, E> {
        Ok(Scalar::Wrong)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Scalar, E> {
        Ok(Scalar::Wrong)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Scalar, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Wrong)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Scalar, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Wrong)
    }
}
