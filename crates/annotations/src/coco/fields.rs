//! The members of an item, taken out one by one, so that what is left is what nobody asked for.

use serde_json::{Map, Value};

use crate::RefusalCode;
use crate::json_items::{Root, parse_item, root};

/// What is wrong with an item.
pub(super) type Problem = (RefusalCode, String);

pub(super) fn malformed<T>(detail: impl Into<String>) -> Result<T, Problem> {
    Err((RefusalCode::Malformed, detail.into()))
}

/// An item that is being read.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn parse(item: &[u8]) -> Result<Self, Problem> {
        parse_item(item).map(Self)
    }

    /// The value of a member; what is `null` is not there.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    pub(super) fn integer(&mut self, name: &str) -> Result<Option<i64>, Problem> {
        self.take(name).map(|value| integer(&value, name)).transpose()
    }

    pub(super) fn number(&mut self, name: &str) -> Result<Option<f64>, Problem> {
        self.take(name).map(|value| number(&value, name)).transpose()
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => malformed(format!("`{name}` is no text: {}", excerpt(&other))),
        }
    }

    /// What was not taken.
    pub(super) fn rest(self) -> Map<String, Value> {
        self.0
    }
}

pub(super) fn integer(value: &Value, name: &str) -> Result<i64, Problem> {
    let whole = |number: f64| (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64);
    match value.as_i64().or_else(|| value.as_f64().and_then(whole)) {
        Some(integer) => Ok(integer),
        None => malformed(format!("`{name}` is no integer: {}", excerpt(value))),
    }
}

pub(super) fn number(value: &Value, name: &str) -> Result<f64, Problem> {
    match value.as_f64() {
        Some(number) if number.is_finite() => Ok(number),
        _ => malformed(format!("`{name}` is no number: {}", excerpt(value))),
    }
}

pub(super) fn numbers(value: &Value, name: &str) -> Result<Vec<f64>, Problem> {
    match value {
        Value::Array(list) => list.iter().map(|value| number(value, name)).collect(),
        other => malformed(format!("`{name}` is no list of numbers: {}", excerpt(other))),
    }
}

/// The beginning of a value, for people.
pub(super) fn excerpt(value: &Value) -> String {
    const LENGTH: usize = 40;
    let text = value.to_string();
    let mut start: String = text.chars().take(LENGTH).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start
}

/// An integer member of an item that does not parse as a whole.
pub(super) fn salvage(item: &[u8], name: &str) -> Option<i64> {
    let Root::Object(members) = root(item) else { return None };
    let mut found = members.filter_map(Result::ok).filter(|(member, _)| member == name);
    found.next().and_then(|(_, value)| parse_item(value).ok())
}
