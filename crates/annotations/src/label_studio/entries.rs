//! A region as the entries of a `result`.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::carried::{CarriedRegion, Extra};
use super::fields::Problem;
use super::form::Form;
use super::label_config::{CHOICES, default_control};
use super::statement::{self, Kind};
use super::{CARRIED, EXTRA, IMAGE};
use crate::{Frame, RefusalCode, Region, Shape};

/// The entries of a region, and whether something had to be carried that Label Studio cannot say.
pub(super) struct Entries {
    pub(super) entries: Vec<Value>,
    pub(super) carried: bool,
}

/// Writes a region of a record in which the regions have these ids.
///
/// # Errors
/// It has no label, or its shape cannot be placed.
pub(super) fn entries(
    region: &Region,
    frame: Option<Frame>,
    ids: &HashSet<&str>,
) -> Result<Entries, Problem> {
    if region.labels.is_empty() {
        return Err((RefusalCode::NoLabel, "a region without a label".to_owned()));
    }
    let form = form(region, frame)?;
    let (extra, said, others) = split(region, ids);
    let about = about_image(region, &extra, &said);
    let mut written = Written { region, frame, form: form.as_ref(), extra: &extra, entries: Vec::new() };
    let no_control = written.main(about);
    let carried = CarriedRegion::of(region, form.as_ref(), frame, others, no_control);
    let is_carried = carried.is_some();
    written.describe(carried);
    if region.control.is_some() {
        written.labels();
    }
    for Said { control, kind, value, score } in &said {
        if about.is_none_or(|about| about.control != *control) {
            let entry = written.entry(kind.name, control, value, score.clone());
            written.entries.push(entry);
        }
    }
    let entries = written.entries.into_iter().map(Value::Object).collect();
    Ok(Entries { entries, carried: is_carried })
}

fn form(region: &Region, frame: Option<Frame>) -> Result<Option<Form>, Problem> {
    if region.shape == Shape::Image {
        return Ok(None);
    }
    let Some(frame) = frame else {
        return Err((RefusalCode::NoSize, "the record has no frame, and so no percentages".to_owned()));
    };
    let refuse =
        || (RefusalCode::SizeConflict, "the shape and the record's frame do not fit together".to_owned());
    Form::of(&region.shape, frame).map(Some).ok_or_else(refuse)
}

/// An attribute that is a statement of people.
struct Said<'a> {
    control: &'a str,
    kind: Kind,
    value: Map<String, Value>,
    score: Option<Value>,
}

/// The attributes: what Label Studio said, statements of people, and what is neither.
fn split<'a>(region: &'a Region, ids: &HashSet<&str>) -> (Extra, Vec<Said<'a>>, Map<String, Value>) {
    let extra = Extra::of(region, ids);
    let (mut said, mut others) = (Vec::new(), Map::new());
    for (control, attribute) in &region.attributes {
        if control == EXTRA {
            if extra.is_none() {
                others.insert(control.clone(), attribute.clone());
            }
        } else if let Some((kind, value, score)) = statement::of_attribute(attribute) {
            said.push(Said { control, kind, value, score });
        } else {
            others.insert(control.clone(), attribute.clone());
        }
    }
    (extra.unwrap_or_default(), said, others)
}

/// The statement about the whole image that the region is.
fn about_image<'a>(region: &Region, extra: &Extra, said: &'a [Said<'a>]) -> Option<&'a Said<'a>> {
    let control = region.control.as_deref()?;
    let about = said.iter().find(|said| said.control == control)?;
    let is = region.shape == Shape::Image
        && region.labels == [control]
        && extra.value.is_empty()
        && !about.kind.names_labels()
        && about.score.is_none();
    is.then_some(about)
}

struct Written<'a> {
    region: &'a Region,
    frame: Option<Frame>,
    form: Option<&'a Form>,
    extra: &'a Extra,
    entries: Vec<Map<String, Value>>,
}

impl Written<'_> {
    /// The entry that says where it is. Returns whether the name of its control is ours.
    fn main(&mut self, about: Option<&Said<'_>>) -> bool {
        let (region, control) = (self.region, self.region.control.as_deref());
        let labels = json!(region.labels);
        let (name, from_name, key) = match (self.form, about, control, &self.extra.labels_control) {
            (None, Some(about), ..) => (about.kind.name, about.control, None),
            (None, None, ..) => ("choices", control.unwrap_or(CHOICES), Some("choices")),
            (Some(_), _, None, Some(labels)) => ("labels", labels.as_str(), Some("labels")),
            (Some(form), _, Some(control), Some(_)) => (form.geometry.name(), control, None),
            (Some(form), _, control, None) => {
                let key = form.geometry.labels_name();
                (key, control.unwrap_or(default_control(form.geometry)), Some(key))
            }
        };
        let mut said = about.map(|about| about.value.clone()).unwrap_or_default();
        said.extend(self.extra.value.clone());
        said.extend(key.map(|key| (key.to_owned(), labels)));
        let entry = self.entry(name, from_name, &said, region.score.map(Value::from));
        self.entries.push(entry);
        control.is_none() && !(self.form.is_some() && self.extra.labels_control.is_some())
    }

    /// What else is known of the region.
    fn describe(&mut self, carried: Option<CarriedRegion>) {
        let (region, extra) = (self.region, self.extra);
        let Some(main) = self.entries.first_mut() else { return };
        let mut meta = extra.meta.clone();
        if let Some(carried) = carried {
            meta.insert(CARRIED.to_owned(), serde_json::to_value(carried).expect("maps have text as keys"));
        }
        main.extend(extra.result.clone());
        let known = [
            ("origin", region.drawn.map(|drawn| json!(drawn))),
            ("parentID", region.parent.clone().map(Value::from)),
            ("meta", (!meta.is_empty()).then_some(Value::Object(meta))),
        ];
        main.extend(known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    }

    /// The labels, where they have a control of their own.
    fn labels(&mut self) {
        if let Some(control) = self.extra.labels_control.as_deref().filter(|_| self.form.is_some()) {
            let said = Map::from_iter([("labels".to_owned(), json!(self.region.labels))]);
            let entry = self.entry("labels", control, &said, None);
            self.entries.push(entry);
        }
    }

    fn entry(
        &self,
        name: &str,
        from_name: &str,
        said: &Map<String, Value>,
        score: Option<Value>,
    ) -> Map<String, Value> {
        let mut value = self.form.map(|form| form.value.clone()).unwrap_or_default();
        value.extend(said.clone());
        let mut entry = Map::from_iter([
            ("id".to_owned(), json!(self.region.id)),
            ("type".to_owned(), json!(name)),
            ("from_name".to_owned(), json!(from_name)),
            ("to_name".to_owned(), json!(self.extra.to_name.as_deref().unwrap_or(IMAGE))),
            ("value".to_owned(), Value::Object(value)),
        ]);
        if let Some(Frame { width, height, .. }) = self.frame {
            entry.insert("original_width".to_owned(), json!(width));
            entry.insert("original_height".to_owned(), json!(height));
            entry.insert("image_rotation".to_owned(), json!(0));
        }
        entry.extend(score.map(|score| ("score".to_owned(), score)));
        entry
    }
}

/// The relations that begin at a region.
pub(super) fn relations(region: &Region, ids: &HashSet<&str>) -> Vec<Value> {
    let relations = Extra::of(region, ids).map(|extra| extra.relations).unwrap_or_default();
    let relation = |relation: super::carried::Relation| {
        let mut entry = json!({"type": "relation", "from_id": region.id, "to_id": relation.to});
        if let Some(direction) = relation.direction {
            entry["direction"] = json!(direction);
        }
        if let Some(labels) = relation.labels {
            entry["labels"] = json!(labels);
        }
        entry
    };
    relations.into_iter().map(relation).collect()
}
