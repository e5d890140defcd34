//! One annotation.

use serde_json::{Map, Value};

use super::carried::{CarriedRegion, Derived};
use super::fields::{Fields, Problem, as_integer, excerpt, malformed, numbers};
use super::form::Form;
use super::{CARRIED, EXTRA_KEYS, segmentation};
use crate::values::check_shape;
use crate::{CategoryDefinition, Frame, Keypoint, Point, RefusalCode, Region, Visibility};

/// What an annotation is read with.
pub(super) struct Context<'a> {
    pub(super) id: i64,
    pub(super) category: &'a CategoryDefinition,
    pub(super) frame: Frame,
    pub(super) max_points: usize,
}

/// The region of an annotation whose ids were taken out already.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn region(mut fields: Fields, context: &Context<'_>) -> Result<Region, Vec<Problem>> {
    let mut problems = Vec::new();
    let place = segmentation::shape(
        fields.take("bbox"),
        fields.take("segmentation"),
        context.frame,
        context.max_points,
    );
    let place = noted(place, &mut problems);
    let keypoints = noted(keypoints(&mut fields, context), &mut problems);
    let area = noted(area(&mut fields), &mut problems);
    let crowd = noted(crowd(&mut fields), &mut problems);
    let score = noted(score(&mut fields), &mut problems);
    let carried = noted(carried(&mut fields), &mut problems);
    // Worked out from the keypoints.
    fields.take("num_keypoints");
    let attributes = attributes(fields);
    let (Some((shape, bounds)), Some(keypoints), Some(area), Some(crowd), Some(score), Some(carried)) =
        (place, keypoints, area, crowd, score, carried)
    else {
        return Err(problems);
    };
    let region = Region {
        id: context.id.to_string(),
        labels: vec![context.category.name.clone()],
        shape,
        bounds,
        keypoints,
        area,
        crowd,
        score,
        drawn: None,
        parent: None,
        control: None,
        attributes,
    };
    Ok(match carried {
        Some(carried) => restored(region, carried, context.frame),
        None => region,
    })
}

fn noted<T>(result: Result<T, Problem>, problems: &mut Vec<Problem>) -> Option<T> {
    result.map_err(|problem| problems.push(problem)).ok()
}

/// The region with what was carried beside COCO's keys, as far as these still say what was written with it.
fn restored(region: Region, carried: CarriedRegion, frame: Frame) -> Region {
    let derived = |what: Derived| carried.derived.contains(&what);
    let mut region = Region {
        drawn: carried.drawn,
        parent: carried.parent.clone(),
        control: carried.control.clone(),
        area: region.area.filter(|_| !derived(Derived::Area)),
        ..region
    };
    if derived(Derived::RegionId) {
        region.attributes.remove("region_id");
    }
    if let Some(id) = &carried.region_id {
        region.id.clone_from(id);
    }
    if region.keypoints.is_empty() {
        region.keypoints.clone_from(&carried.keypoints);
    }
    let exact = carried.shape.as_ref().unwrap_or(&region.shape);
    let size = (frame.width, frame.height);
    let as_read = Form::of(exact, size).and_then(|form| form.as_read(size));
    let untouched = as_read.is_some_and(|(shape, bounds)| {
        shape == region.shape && (!derived(Derived::Bbox) || bounds == region.bounds)
    });
    if untouched {
        region.bounds = region.bounds.filter(|_| !derived(Derived::Bbox));
        region.shape = carried.shape.unwrap_or(region.shape);
    }
    region
}

fn keypoints(fields: &mut Fields, context: &Context<'_>) -> Result<Vec<Keypoint>, Problem> {
    let Some(value) = fields.take("keypoints") else { return Ok(Vec::new()) };
    let numbers = numbers(&value, "keypoints")?;
    let expected = context.category.keypoints.len();
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    if numbers.len() != expected * 3 {
        return malformed(format!(
            "`keypoints` has {} numbers; category {:?} has {expected} keypoints of three numbers each",
            numbers.len(),
            context.category.name
        ));
    }
    numbers.chunks(3).map(|triple| keypoint(triple, context.frame)).collect()
}

fn keypoint(triple: &[f64], frame: Frame) -> Result<Keypoint, Problem> {
    let &[x, y, flag] = triple else { return malformed("a keypoint is three numbers") };
    let visibility = [Visibility::Absent, Visibility::Hidden, Visibility::Visible]
        .into_iter()
        .find(|visibility| f64::from(u8::from(*visibility)) == flag);
    let Some(visibility) = visibility else {
        return malformed(format!("a keypoint's visibility is 0, 1 or 2, not {flag}"));
    };
    let at = match visibility {
        Visibility::Absent => Point { x, y },
        Visibility::Hidden | Visibility::Visible => Point {
            x: segmentation::within(x, frame.width, "keypoints")?,
            y: segmentation::within(y, frame.height, "keypoints")?,
        },
    };
    Ok(Keypoint { at, visibility })
}

fn area(fields: &mut Fields) -> Result<Option<f64>, Problem> {
    match fields.number("area")? {
        Some(area) if area < 0.0 => malformed(format!("`area` is {area}")),
        area => Ok(area),
    }
}

/// 0 or 1; COCO Annotator writes `"false"`.
fn crowd(fields: &mut Fields) -> Result<bool, Problem> {
    match fields.take("iscrowd") {
        None => Ok(false),
        Some(Value::Bool(crowd)) => Ok(crowd),
        Some(Value::String(text)) if text == "true" || text == "false" => Ok(text == "true"),
        Some(value) => match as_integer(&value, "iscrowd")? {
            0 => Ok(false),
            1 => Ok(true),
            _ => malformed(format!("`iscrowd` is 0 or 1, not {}", excerpt(&value))),
        },
    }
}

fn score(fields: &mut Fields) -> Result<Option<f64>, Problem> {
    match fields.number("score")? {
        Some(score) if !(0.0..=1.0).contains(&score) => {
            Err((RefusalCode::OutOfRange, format!("`score` is {score}; 0 to 1 is taken")))
        }
        score => Ok(score),
    }
}

fn carried(fields: &mut Fields) -> Result<Option<CarriedRegion>, Problem> {
    let Some(value) = fields.take(CARRIED) else { return Ok(None) };
    let carried: CarriedRegion = match serde_json::from_value(value) {
        Ok(carried) => carried,
        Err(error) => return malformed(format!("`{CARRIED}`: {error}")),
    };
    check_shape(carried.shape.as_ref())?;
    Ok(Some(carried))
}

/// `attributes`, and under [`EXTRA_KEYS`] the keys that COCO does not define.
fn attributes(mut fields: Fields) -> Map<String, Value> {
    let (mut attributes, other) = match fields.take("attributes") {
        Some(Value::Object(attributes)) => (attributes, None),
        other => (Map::new(), other),
    };
    let mut extra = fields.rest();
    extra.retain(|_, value| !value.is_null());
    extra.extend(other.map(|value| ("attributes".to_owned(), value)));
    if extra.is_empty() {
        return attributes;
    }
    match attributes.get_mut(EXTRA_KEYS) {
        Some(Value::Object(there)) => there.extend(extra),
        _ => drop(attributes.insert(EXTRA_KEYS.to_owned(), Value::Object(extra))),
    }
    attributes
}
