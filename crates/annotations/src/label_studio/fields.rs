//! Members of objects, by name and type. What is `null` is not there.

use serde_json::{Map, Value};

pub(super) use crate::values::{Problem, as_number, excerpt, malformed, salvage};
use crate::values::{as_integer, no_text};

pub(super) fn value<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    map.get(name).filter(|value| !value.is_null())
}

pub(super) fn number(map: &Map<String, Value>, name: &str) -> Result<Option<f64>, Problem> {
    value(map, name).map(|value| as_number(value, name)).transpose()
}

pub(super) fn required_number(map: &Map<String, Value>, name: &str) -> Result<f64, Problem> {
    number(map, name)?.map_or_else(|| malformed(format!("there is no `{name}`")), Ok)
}

pub(super) fn integer(map: &Map<String, Value>, name: &str) -> Result<Option<i64>, Problem> {
    value(map, name).map(|value| as_integer(value, name)).transpose()
}

pub(super) fn text<'a>(map: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Problem> {
    match value(map, name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => no_text(other, name),
    }
}

pub(super) fn flag(map: &Map<String, Value>, name: &str) -> Result<Option<bool>, Problem> {
    match value(map, name) {
        None => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(other) => malformed(format!("`{name}` is neither true nor false: {}", excerpt(other))),
    }
}

pub(super) fn list<'a>(map: &'a Map<String, Value>, name: &str) -> Result<Option<&'a [Value]>, Problem> {
    match value(map, name) {
        None => Ok(None),
        Some(Value::Array(list)) => Ok(Some(list)),
        Some(other) => malformed(format!("`{name}` is no list: {}", excerpt(other))),
    }
}

/// The texts of a list that has nothing else.
pub(super) fn texts(list: &[Value]) -> Option<Vec<String>> {
    list.iter().map(|value| value.as_str().map(str::to_owned)).collect()
}
