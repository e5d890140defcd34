//! The members of an item, taken out one by one, so that what is left is what nobody asked for.

use serde_json::{Map, Value};

use crate::json_items::parse_item;
pub(super) use crate::values::{Problem, as_integer, excerpt, malformed, salvage};
use crate::values::{as_number, no_text};

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
        self.take(name).map(|value| as_integer(&value, name)).transpose()
    }

    pub(super) fn number(&mut self, name: &str) -> Result<Option<f64>, Problem> {
        self.take(name).map(|value| as_number(&value, name)).transpose()
    }

    pub(super) fn text(&mut self, name: &str) -> Result<Option<String>, Problem> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => no_text(&other, name),
        }
    }

    /// What was not taken.
    pub(super) fn rest(self) -> Map<String, Value> {
        self.0
    }
}

pub(super) fn numbers(value: &Value, name: &str) -> Result<Vec<f64>, Problem> {
    match value {
        Value::Array(list) => list.iter().map(|value| as_number(value, name)).collect(),
        other => malformed(format!("`{name}` is no list of numbers: {}", excerpt(other))),
    }
}
