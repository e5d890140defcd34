//! Members of objects, by name and type. What is `null` is not there.

use serde_json::{Map, Value};

use crate::RefusalCode;
use crate::json_items::{Root, parse_item, root};

/// What is wrong with something.
pub(super) type Problem = (RefusalCode, String);

pub(super) fn malformed<T>(detail: impl Into<String>) -> Result<T, Problem> {
    Err((RefusalCode::Malformed, detail.into()))
}

pub(super) fn value<'a>(map: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    map.get(name).filter(|value| !value.is_null())
}

pub(super) fn number(map: &Map<String, Value>, name: &str) -> Result<Option<f64>, Problem> {
    value(map, name).map(|value| as_number(value, name)).transpose()
}

pub(super) fn required_number(map: &Map<String, Value>, name: &str) -> Result<f64, Problem> {
    number(map, name)?.map_or_else(|| malformed(format!("there is no `{name}`")), Ok)
}

pub(super) fn as_number(value: &Value, name: &str) -> Result<f64, Problem> {
    match value.as_f64() {
        Some(number) if number.is_finite() => Ok(number),
        _ => malformed(format!("`{name}` is no number: {}", excerpt(value))),
    }
}

pub(super) fn integer(map: &Map<String, Value>, name: &str) -> Result<Option<i64>, Problem> {
    let Some(value) = value(map, name) else { return Ok(None) };
    let whole = |number: f64| (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64);
    match value.as_i64().or_else(|| value.as_f64().and_then(whole)) {
        Some(integer) => Ok(Some(integer)),
        None => malformed(format!("`{name}` is no integer: {}", excerpt(value))),
    }
}

pub(super) fn text<'a>(map: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Problem> {
    match value(map, name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => malformed(format!("`{name}` is no text: {}", excerpt(other))),
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
