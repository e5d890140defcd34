//! Values of members, by type, with words for what is wrong with them.

use serde_json::Value;

use crate::json_items::{Root, parse_item, root};
use crate::{MAX_REGION_POINTS, RefusalCode, Shape};

/// What is wrong with something.
pub(crate) type Problem = (RefusalCode, String);

pub(crate) fn malformed<T>(detail: impl Into<String>) -> Result<T, Problem> {
    Err((RefusalCode::Malformed, detail.into()))
}

/// A whole number, also one that is written with a fraction of zero.
pub(crate) fn as_integer(value: &Value, name: &str) -> Result<i64, Problem> {
    let whole = |number: f64| (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64);
    match value.as_i64().or_else(|| value.as_f64().and_then(whole)) {
        Some(integer) => Ok(integer),
        None => malformed(format!("`{name}` is no integer: {}", excerpt(value))),
    }
}

pub(crate) fn as_number(value: &Value, name: &str) -> Result<f64, Problem> {
    match value.as_f64() {
        Some(number) if number.is_finite() => Ok(number),
        _ => malformed(format!("`{name}` is no number: {}", excerpt(value))),
    }
}

pub(crate) fn no_text<T>(value: &Value, name: &str) -> Result<T, Problem> {
    malformed(format!("`{name}` is no text: {}", excerpt(value)))
}

/// Refuses more points than a region may have.
pub(crate) fn check_points(points: usize, limit: usize) -> Result<(), Problem> {
    if points <= limit {
        return Ok(());
    }
    Err((RefusalCode::LimitExceeded, format!("{points} points; the limit is {limit}")))
}

/// The same of a shape that was written down as it is; masks have no points.
pub(crate) fn check_shape(shape: Option<&Shape>) -> Result<(), Problem> {
    match shape {
        Some(shape @ Shape::Polygon { .. }) => check_points(shape.elements(), MAX_REGION_POINTS),
        _ => Ok(()),
    }
}

/// The beginning of a value, for people.
pub(crate) fn excerpt(value: &Value) -> String {
    const LENGTH: usize = 40;
    let text = value.to_string();
    let mut start: String = text.chars().take(LENGTH).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start
}

/// An integer member of an item that does not parse as a whole.
pub(crate) fn salvage(item: &[u8], name: &str) -> Option<i64> {
    let Root::Object(members) = root(item) else { return None };
    let mut found = members.filter_map(Result::ok).filter(|(member, _)| member == name);
    found.next().and_then(|(_, value)| parse_item(value).ok())
}
