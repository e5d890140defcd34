//! Annotations carried into a variant: what a sample's `.json` says.

use std::collections::BTreeMap;

use annotations::{
    Category, ClipPolicy, DropReason, Note, Record, Region, Registry, SELECTION_POLICY, Transformed,
    transform,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use types::{RejectCode, RejectReason};

use crate::PlannedSample;

/// How annotations are chosen and carried into variants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnnotationSettings {
    /// How one record is chosen among several.
    pub selection: String,
    /// Which objects are left out.
    #[serde(flatten)]
    pub clip: ClipPolicy,
    /// The categories of the dataset, by number.
    pub categories: Vec<Category>,
}

impl Default for AnnotationSettings {
    fn default() -> Self {
        Self::new(ClipPolicy::default(), &Registry::default())
    }
}

impl AnnotationSettings {
    /// The settings of a dataset with these categories.
    pub fn new(clip: ClipPolicy, categories: &Registry) -> Self {
        Self {
            selection: SELECTION_POLICY.to_owned(),
            clip,
            categories: categories.by_id().into_iter().cloned().collect(),
        }
    }

    /// As a version's manifest has them: `null` where the dataset has no categories.
    pub fn to_json(&self) -> Value {
        if self.categories.is_empty() { Value::Null } else { json!(self) }
    }

    /// From a version's manifest.
    ///
    /// # Errors
    /// It is not what [`to_json`](Self::to_json) writes.
    pub fn from_json(stored: &Value) -> Result<Self, RejectReason> {
        if stored.is_null() {
            return Ok(Self::default());
        }
        Self::deserialize(stored).map_err(|error| {
            RejectReason::new(RejectCode::Corrupt, format!("annotations of the manifest: {error}"))
        })
    }

    fn number_of(&self, label: &str) -> Option<u32> {
        self.categories.iter().find(|category| category.definition.name == label).map(|category| category.id)
    }
}

/// A record in the pixels of a variant.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Carried {
    /// What can be seen there, in order, and in what it differs from the record.
    pub regions: Vec<(Region, Vec<Note>)>,
    /// How many objects were left out, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
}

/// Carries a record, which is in pixels of the upright original, into a variant.
pub fn carry(record: &Record, sample: &PlannedSample, settings: &AnnotationSettings) -> Carried {
    let mut carried = Carried::default();
    for region in &record.regions {
        match transform(region, &sample.affine, (sample.width, sample.height), &settings.clip) {
            Transformed::Kept(region, notes) => carried.regions.push((region, notes)),
            Transformed::Dropped(reason) => *carried.dropped.entry(name(reason)).or_default() += 1,
        }
    }
    carried
}

fn name(reason: DropReason) -> &'static str {
    match reason {
        DropReason::Outside => "outside",
        DropReason::BelowMinimum { .. } => "below_minimum",
        DropReason::Vanished => "vanished",
        DropReason::TooLarge => "too_large",
    }
}

/// What the `.json` member of a sample says of annotations: `reviewed`, `annotations`, and where somebody has looked
/// `annotation` (which record it is) and `dropped`.
pub fn sample_annotations(sample: &PlannedSample, settings: &AnnotationSettings) -> Value {
    let Some(record) = &sample.annotation else {
        // Not "reviewed, nothing there": nobody has looked.
        return json!({ "reviewed": false, "annotations": [] });
    };
    let carried = carry(record, sample, settings);
    let regions: Vec<_> =
        carried.regions.iter().map(|(region, notes)| region_json(region, notes, settings)).collect();
    json!({
        "reviewed": true,
        "annotations": regions,
        "dropped": carried.dropped,
        "annotation": {
            "record": record.id,
            "image": record.image,
            "origin": record.origin,
            "source": record.provenance,
            "updated_at": record.updated_at,
            "ground_truth": record.ground_truth,
        },
    })
}

/// A region, with what trainers look for first: category, box, area.
fn region_json(region: &Region, notes: &[Note], settings: &AnnotationSettings) -> Value {
    let label = region.labels.first().map(String::as_str).unwrap_or_default();
    let mut fields = Map::new();
    fields.insert("category".to_owned(), json!(label));
    fields.insert("category_id".to_owned(), json!(settings.number_of(label)));
    if let Some(bounds) = region.bounds.or_else(|| region.shape.bounds()) {
        fields.insert("bbox".to_owned(), json!([bounds.x, bounds.y, bounds.width, bounds.height]));
        fields.insert("area".to_owned(), json!(region.area.or_else(|| region.shape.area())));
    }
    fields.insert("iscrowd".to_owned(), json!(u8::from(region.crowd)));
    if !notes.is_empty() {
        fields.insert("notes".to_owned(), json!(notes));
    }
    let Value::Object(rest) = json!(region) else { return Value::Object(fields) };
    for (name, value) in rest {
        if !matches!(name.as_str(), "bounds" | "crowd") {
            fields.entry(name).or_insert(value);
        }
    }
    Value::Object(fields)
}
