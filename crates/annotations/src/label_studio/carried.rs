//! What the other side has no place for: Label Studio's in our attributes, ours in Label Studio's `meta`.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::fields::{Problem, malformed};
use super::form::{Form, fingerprint};
use super::shape::Geometry;
use super::statement::{self, Kind};
use super::{CARRIED, EXTRA, IMAGE};
use crate::values::check_shape;
use crate::{Bounds, Drawn, Frame, Keypoint, Region, Shape};

/// What Label Studio says of a region and the canonical one has no field for, in its attributes under [`EXTRA`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Extra {
    /// The control of the labels, where the shape has one of its own or none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) labels_control: Option<String>,
    /// The object that it is on, if that is not `image`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) to_name: Option<String>,
    /// The `meta` of the result.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(super) meta: Map<String, Value>,
    /// Relations that begin at the region.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) relations: Vec<Relation>,
    /// Other members of the result's `value`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(super) value: Map<String, Value>,
    /// Other members of the result.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub(super) result: Map<String, Value>,
}

/// An arrow between two regions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Relation {
    /// The region that it leads to.
    pub(super) to: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) direction: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) labels: Option<Vec<String>>,
}

/// Whether a member of a result's `value` is none that is read for what it is.
pub(super) fn is_extra_of_value(key: &str) -> bool {
    !statement::is_place(key) && Kind::under(key).is_none()
}

/// Whether a member of a result is none that is read for what it is.
pub(super) fn is_extra_of_result(key: &str, value: &Value) -> bool {
    match key {
        "origin" => value.is_string() && drawn(value).is_none(),
        _ => !value.is_null() && !RESULT_KEYS.contains(&key),
    }
}

/// What an `origin` means.
pub(super) fn drawn(origin: &Value) -> Option<Drawn> {
    serde_json::from_value(origin.clone()).ok()
}

/// Members of a result that are read for what they are.
const RESULT_KEYS: [&str; 11] = [
    "id",
    "type",
    "value",
    "from_name",
    "to_name",
    "original_width",
    "original_height",
    "image_rotation",
    "score",
    "parentID",
    "meta",
];

impl Extra {
    /// Puts it among the attributes, if there is anything.
    pub(super) fn put(&self, attributes: &mut Map<String, Value>) {
        if *self != Self::default() {
            attributes.insert(EXTRA.to_owned(), serde_json::to_value(self).expect("maps have text as keys"));
        }
    }

    /// What is among the attributes, if Label Studio can say all of it in a record with these regions.
    pub(super) fn of(region: &Region, regions: &HashSet<&str>) -> Option<Self> {
        let written = region.attributes.get(EXTRA)?;
        let extra: Self = serde_json::from_value(written.clone()).ok()?;
        let sayable = (extra.labels_control.is_none() || region.shape != Shape::Image)
            && extra.to_name.as_deref() != Some(IMAGE)
            && !extra.meta.contains_key(CARRIED)
            && extra.relations.iter().all(|relation| regions.contains(relation.to.as_str()))
            && extra.value.keys().all(|key| is_extra_of_value(key))
            && extra.result.iter().all(|(key, value)| is_extra_of_result(key, value))
            && !(region.drawn.is_some() && extra.result.contains_key("origin"))
            && extra != Self::default();
        (sayable && serde_json::to_value(&extra).ok().as_ref() == Some(written)).then_some(extra)
    }
}

/// What Label Studio has no place for in a region, in the `meta` of its result under [`CARRIED`].
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct CarriedRegion {
    /// Which numbers in `value` the next four belong to; others mean that somebody moved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    geometry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shape: Option<Shape>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bounds: Option<Bounds>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    keypoints: Vec<Keypoint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    area: Option<f64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    crowd: bool,
    /// The control's name is ours.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    no_control: bool,
    /// Attributes that are no statements of people.
    #[serde(skip_serializing_if = "Map::is_empty")]
    attributes: Map<String, Value>,
}

impl CarriedRegion {
    /// What has to be carried beside `form`; `None` if nothing.
    pub(super) fn of(
        region: &Region,
        form: Option<&Form>,
        frame: Option<Frame>,
        attributes: Map<String, Value>,
        no_control: bool,
    ) -> Option<Self> {
        let exact = match (form, frame) {
            (Some(form), Some(frame)) => form.says(&region.shape, frame),
            _ => true,
        };
        let mut carried = Self {
            geometry: None,
            shape: (!exact).then(|| region.shape.clone()),
            bounds: region.bounds,
            keypoints: region.keypoints.clone(),
            area: region.area,
            crowd: region.crowd,
            no_control,
            attributes,
        };
        let placed =
            !exact || carried.bounds.is_some() || carried.area.is_some() || !carried.keypoints.is_empty();
        carried.geometry = form.filter(|_| placed).map(|form| fingerprint(form.geometry, &form.value));
        (carried != Self::default()).then_some(carried)
    }

    /// Takes it out of a `meta`.
    pub(super) fn take(meta: &mut Map<String, Value>) -> Result<Option<Self>, Problem> {
        let Some(value) = meta.remove(CARRIED) else { return Ok(None) };
        let carried: Self = match serde_json::from_value(value) {
            Ok(carried) => carried,
            Err(error) => return malformed(format!("`meta.{CARRIED}`: {error}")),
        };
        check_shape(carried.shape.as_ref())?;
        Ok(Some(carried))
    }

    /// The region with it, as far as it still says what was written with it.
    pub(super) fn restore(
        self,
        mut region: Region,
        place: Option<(Geometry, &Map<String, Value>)>,
    ) -> Region {
        if self.geometry == place.map(|(geometry, value)| fingerprint(geometry, value))
            || self.geometry.is_none()
        {
            region.shape = self.shape.unwrap_or(region.shape);
            (region.bounds, region.keypoints, region.area) = (self.bounds, self.keypoints, self.area);
        }
        region.crowd = self.crowd;
        region.control = region.control.filter(|_| !self.no_control);
        region.attributes.extend(self.attributes);
        region
    }
}
