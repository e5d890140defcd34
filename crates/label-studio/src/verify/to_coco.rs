//! Label Studio to COCO: the tasks that the SDK is given, and what it makes of them.

use std::collections::HashMap;

use annotations::Frame;
use serde::Deserialize;
use serde_json::{Value, json};

use super::compare::{Comparison, Disagreement, extent, ring_numbers, size};
use super::label_config::{BOX_CONTROL, POLYGON_CONTROL};
use super::select::{Planned, SdkShape, Selected};
use super::surrogate;

/// The same for all: the SDK sorts by it, and fails where some have it and some have not.
const CREATED_AT: &str = "2000-01-01T00:00:00Z";

/// One task with one annotation for each record.
pub(super) fn tasks(planned: &[Planned]) -> Value {
    planned.iter().enumerate().map(|(number, planned)| task(number, planned)).collect()
}

fn task(number: usize, planned: &Planned) -> Value {
    let result: Vec<_> = planned
        .frame
        .map(|frame| planned.regions.iter().map(|region| item(region, frame)).collect())
        .unwrap_or_default();
    json!({
        "id": number,
        "data": {"image": surrogate(number)},
        "annotations": [{"id": number, "created_at": CREATED_AT, "result": result}],
    })
}

fn item(region: &Selected, frame: Frame) -> Value {
    let original = region.original.as_ref();
    let stated =
        |name: &str| original.and_then(|original| original.get(name)).filter(|size| size.is_number());
    let width = stated("original_width").cloned().unwrap_or_else(|| frame.width.into());
    let height = stated("original_height").cloned().unwrap_or_else(|| frame.height.into());
    let mut value = original.and_then(|original| original_value(original, &region.shape));
    let value = value.take().unwrap_or_else(|| calculated_value(&region.shape, frame));
    let (kind, control) = match region.shape {
        SdkShape::Box(_) => ("rectanglelabels", BOX_CONTROL),
        SdkShape::Ring(_) => ("polygonlabels", POLYGON_CONTROL),
    };
    let mut item = json!({
        "id": region.region_id,
        "type": kind,
        "from_name": control,
        "to_name": "image",
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "value": value,
    });
    item["value"][kind] = json!([region.label]);
    item
}

/// The numbers as they are in the file, so that the SDK is a witness of how they were read too.
fn original_value(original: &Value, shape: &SdkShape) -> Option<Value> {
    let value = original.get("value")?;
    match shape {
        SdkShape::Box(_) => {
            let upright = value.get("rotation").is_none_or(|rotation| rotation.as_f64() == Some(0.0));
            let [x, y, width, height] = ["x", "y", "width", "height"].map(|name| value.get(name));
            upright.then_some(json!({"x": x?, "y": y?, "width": width?, "height": height?, "rotation": 0}))
        }
        SdkShape::Ring(_) => Some(json!({"points": value.get("points")?, "closed": true})),
    }
}

fn calculated_value(shape: &SdkShape, frame: Frame) -> Value {
    let (width, height) = size(frame);
    match shape {
        SdkShape::Box(bounds) => json!({
            "x": bounds.x / width * 100.0,
            "y": bounds.y / height * 100.0,
            "width": bounds.width / width * 100.0,
            "height": bounds.height / height * 100.0,
            "rotation": 0,
        }),
        SdkShape::Ring(ring) => {
            let points = ring.iter().map(|point| json!([point.x / width * 100.0, point.y / height * 100.0]));
            json!({"points": points.collect::<Vec<_>>(), "closed": true})
        }
    }
}

/// What the SDK writes, as far as it is compared.
#[derive(Debug, Deserialize)]
pub(super) struct CocoResult {
    images: Vec<Image>,
    categories: Vec<NamedCategory>,
    annotations: Vec<Annotation>,
}

#[derive(Debug, Deserialize)]
struct Image {
    id: u64,
    file_name: String,
    width: Option<f64>,
    height: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct NamedCategory {
    id: i64,
    name: String,
}

#[derive(Debug, Deserialize)]
struct Annotation {
    image_id: u64,
    category_id: i64,
    bbox: Vec<f64>,
    segmentation: Vec<Vec<f64>>,
}

/// The differences of each record.
///
/// # Errors
/// The SDK wrote about images that it was not given.
pub(super) fn compare(planned: &[Planned], result: &CocoResult) -> Result<Vec<Vec<Disagreement>>, String> {
    let mut images: HashMap<&str, Vec<&Image>> = HashMap::new();
    for image in &result.images {
        images.entry(&image.file_name).or_default().push(image);
    }
    let mut annotations: HashMap<u64, Vec<&Annotation>> = HashMap::new();
    for annotation in &result.annotations {
        annotations.entry(annotation.image_id).or_default().push(annotation);
    }
    let mut all = Vec::with_capacity(planned.len());
    for (number, planned) in planned.iter().enumerate() {
        let mut comparison = Comparison::of(planned);
        match images.remove(surrogate(number).as_str()).unwrap_or_default().as_slice() {
            [image] => {
                let made = annotations.remove(&image.id).unwrap_or_default();
                compare_record(&mut comparison, planned, (image, &made, &result.categories));
            }
            several => comparison.differs("images", 1, several.len()),
        }
        all.push(comparison.found);
    }
    let doubled = all.iter().flatten().any(|found| found.what == "images");
    match (images.keys().next(), annotations.keys().next()) {
        (Some(unknown), _) => Err(format!("the unknown image {unknown:?}")),
        (None, Some(unknown)) if !doubled => Err(format!("annotations of the unknown image {unknown}")),
        (None, _) => Ok(all),
    }
}

fn compare_record(
    comparison: &mut Comparison<'_>,
    planned: &Planned,
    (image, made, categories): (&Image, &[&Annotation], &[NamedCategory]),
) {
    // The SDK takes the size from the first region.
    let known = planned.frame.filter(|_| !planned.regions.is_empty()).map(size);
    let got = image.width.zip(image.height);
    comparison.equal(None, "size", (known, got.filter(|_| known.is_some())));
    if !comparison.equal(None, "annotations", (planned.regions.len(), made.len())) {
        return;
    }
    for (region, annotation) in grouped(&planned.regions).into_iter().zip(made) {
        let names = categories.iter().filter(|category| category.id == annotation.category_id);
        let names: Vec<_> = names.map(|category| category.name.as_str()).collect();
        let expected = (i64::from(region.category_id), vec![region.label.as_str()]);
        comparison.equal(Some(region), "category", (expected, (annotation.category_id, names)));
        comparison.coordinates(region, "bbox", (&extent(&region.shape), &annotation.bbox));
        let expected = match &region.shape {
            SdkShape::Box(_) => Vec::new(),
            SdkShape::Ring(ring) => vec![ring_numbers(ring)],
        };
        if comparison.equal(Some(region), "rings", (expected.len(), annotation.segmentation.len())) {
            for (expected, got) in expected.iter().zip(&annotation.segmentation) {
                comparison.coordinates(region, "polygon", (expected, got));
            }
        }
    }
}

/// The order in which the SDK writes regions: by control, the control of the first region first.
fn grouped(regions: &[Selected]) -> Vec<&Selected> {
    let is_box = |region: &Selected| matches!(region.shape, SdkShape::Box(_));
    let first = regions.first().map(is_box);
    let mut grouped: Vec<_> = regions.iter().collect();
    grouped.sort_by_key(|region| Some(is_box(region)) != first);
    grouped
}
