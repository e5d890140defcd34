//! One entry of `result`. Several may be about one region: its shape, its labels, choices and texts.

use serde_json::{Map, Value};

use super::fields::{self, Problem, excerpt, malformed};
use super::label_config::LabelConfig;
use super::shape::Geometry;
use super::statement::Kind;
use crate::RefusalCode;

/// What an entry says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// Where something is.
    Shape(Geometry),
    /// Where something is and what it is.
    Labelled(Geometry),
    /// What something is, or something about it.
    Statement(Kind),
}

impl What {
    fn of(name: &str) -> Option<Self> {
        let shapes = Geometry::ALL.into_iter().flat_map(|geometry| {
            [(geometry.name(), Self::Shape(geometry)), (geometry.labels_name(), Self::Labelled(geometry))]
        });
        let mut known = shapes.filter(|(known, _)| *known == name).map(|(_, what)| what);
        known.next().or_else(|| Kind::of(name).map(Self::Statement))
    }
}

/// An entry that is well-formed.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    pub(super) id: String,
    pub(super) what: What,
    pub(super) control: &'a str,
    pub(super) item: &'a Map<String, Value>,
    pub(super) value: &'a Map<String, Value>,
}

impl<'a> Piece<'a> {
    /// Entry number `index`, whose `type` and `id` are these.
    pub(super) fn read(
        item: &'a Map<String, Value>,
        kind: &str,
        id: String,
        config: Option<&LabelConfig>,
    ) -> Result<Self, Problem> {
        let Some(what) = What::of(kind) else {
            return Err((RefusalCode::UnsupportedShape, format!("`type` is {kind:?}")));
        };
        let Some(control) = fields::text(item, "from_name")? else {
            return malformed("there is no `from_name`");
        };
        if config.is_some_and(|config| config.control(control).is_none()) {
            let detail = format!("the label configuration has no control {control:?}");
            return Err((RefusalCode::UnknownLabel, detail));
        }
        match fields::value(item, "value") {
            Some(Value::Object(value)) => Ok(Self { id, what, control, item, value }),
            Some(other) => malformed(format!("`value` is no object: {}", excerpt(other))),
            None => malformed("there is no `value`"),
        }
    }

    /// The size of the image that it was drawn on, where it says one.
    pub(super) fn size(&self) -> Result<Option<(u32, u32)>, Problem> {
        let side = |name: &str| -> Result<Option<u32>, Problem> {
            let Some(side) = fields::integer(self.item, name)? else { return Ok(None) };
            let refuse = || (RefusalCode::NoSize, format!("`{name}` is {side}"));
            u32::try_from(side).ok().filter(|side| *side > 0).map(Some).ok_or_else(refuse)
        };
        match (side("original_width")?, side("original_height")?) {
            (Some(width), Some(height)) => Ok(Some((width, height))),
            (None, None) => Ok(None),
            (Some(_), None) => Err((RefusalCode::NoSize, "there is no `original_height`".to_owned())),
            (None, Some(_)) => Err((RefusalCode::NoSize, "there is no `original_width`".to_owned())),
        }
    }
}

/// The `id` of an entry; some importers write numbers, or none.
pub(super) fn id(item: &Map<String, Value>, index: usize) -> Result<String, Problem> {
    match fields::value(item, "id") {
        None => Ok(format!("#{index}")),
        Some(Value::String(id)) => Ok(id.clone()),
        Some(Value::Number(id)) if id.is_i64() => Ok(id.to_string()),
        Some(other) => malformed(format!("`id` is no text: {}", excerpt(other))),
    }
}
