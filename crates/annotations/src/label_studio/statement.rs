//! What people say of a region or of the whole image beside labels: choices, texts, ratings.
//!
//! In a region's attributes, a statement stands under the name of its control: `{"colour": {"choices": ["red"]}}`.

use serde_json::{Map, Value};

use super::fields::{Problem, excerpt, malformed, texts, value};
use super::shape::Geometry;

/// The `type` of each kind of statement, and the key of `value` that it is under.
const KINDS: [(&str, &str); 7] = [
    ("choices", "choices"),
    ("textarea", "text"),
    ("rating", "rating"),
    ("number", "number"),
    ("taxonomy", "taxonomy"),
    ("datetime", "datetime"),
    ("labels", "labels"),
];

/// The key under which a statement in the attributes keeps how sure it is.
const SCORE: &str = "score";

/// A kind of statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    /// The `type` of its results.
    pub(super) name: &'static str,
    /// The key of `value` that it is under.
    pub(super) key: &'static str,
}

impl Kind {
    /// The kind of results with this `type`.
    pub(super) fn of(name: &str) -> Option<Self> {
        let (name, key) = KINDS.into_iter().find(|(known, _)| *known == name)?;
        Some(Self { name, key })
    }

    /// The kind that is under this key.
    pub(super) fn under(key: &str) -> Option<Self> {
        let (name, key) = KINDS.into_iter().find(|(_, known)| *known == key)?;
        Some(Self { name, key })
    }

    /// Whether it says what something is, rather than something about it.
    pub(super) fn names_labels(self) -> bool {
        matches!(self.name, "choices" | "labels")
    }

    fn fits(self, said: &Value) -> bool {
        let all_text = |list: &Vec<Value>| texts(list).is_some();
        match self.name {
            "rating" | "number" => said.is_number(),
            "textarea" => said.is_string() || said.as_array().is_some_and(all_text),
            "datetime" => said.is_string(),
            "taxonomy" => said.as_array().is_some_and(|list| !list.is_empty()),
            _ => said.as_array().is_some_and(|list| !list.is_empty() && all_text(list)),
        }
    }
}

/// The attribute that a result becomes: its `value` without the shape, and its score.
pub(super) fn attribute(
    kind: Kind,
    said: &Map<String, Value>,
    score: Option<&Value>,
) -> Result<Map<String, Value>, Problem> {
    let Some(statement) = value(said, kind.key) else {
        return malformed(format!("there is no `{}`", kind.key));
    };
    if !kind.fits(statement) {
        return malformed(format!("`{}` is not as it should be: {}", kind.key, excerpt(statement)));
    }
    let mut attribute = said.clone();
    attribute
        .retain(|key, _| !is_place(key) && key != SCORE && (key == kind.key || Kind::under(key).is_none()));
    attribute.extend(score.map(|score| (SCORE.to_owned(), score.clone())));
    Ok(attribute)
}

/// The result that an attribute came from: its kind, `value` and score; `None` if it came from none.
pub(super) fn of_attribute(attribute: &Value) -> Option<(Kind, Map<String, Value>, Option<Value>)> {
    let mut value = attribute.as_object()?.clone();
    let score = value.remove(SCORE);
    let mut kinds = value.keys().filter_map(|key| Kind::under(key));
    let kind = kinds.next().filter(|_| kinds.next().is_none())?;
    let sure = score.as_ref().is_none_or(Value::is_number);
    let own = value.keys().all(|key| !is_place(key));
    (sure && own && kind.fits(value.get(kind.key)?)).then_some((kind, value, score))
}

/// Whether a key of `value` belongs to a shape or to the labels of one.
pub(super) fn is_place(key: &str) -> bool {
    Geometry::ALL.iter().any(|geometry| geometry.keys().contains(&key) || geometry.labels_name() == key)
}
