//! COCO to Label Studio: the document that the SDK is given, and what it makes of it.

use std::collections::HashMap;

use annotations::{Frame, Registry};
use serde::Deserialize;
use serde_json::{Value, json};

use super::compare::{Comparison, Disagreement, box_numbers, ring_numbers, size};
use super::select::{Planned, SdkShape, Selected};
use super::{surrogate, surrogate_file};

/// A document in which each record is an image. An annotation has a box or a polygon, never both: the SDK would make
/// two regions of it, and nothing that says that they belong together.
pub(super) fn document(planned: &[Planned], categories: &Registry) -> Value {
    let mut images = Vec::with_capacity(planned.len());
    let mut annotations = Vec::new();
    for (number, planned) in planned.iter().enumerate() {
        // Without regions the size is not used, and the SDK wants none.
        let (width, height) = planned.frame.map(|frame| (frame.width, frame.height)).unzip();
        images.push(
            json!({"id": number, "file_name": surrogate_file(number), "width": width, "height": height}),
        );
        for region in &planned.regions {
            let mut annotation =
                json!({"id": annotations.len(), "image_id": number, "category_id": region.category_id});
            match &region.shape {
                SdkShape::Box(bounds) => annotation["bbox"] = json!(box_numbers(bounds)),
                SdkShape::Ring(ring) => annotation["segmentation"] = json!([ring_numbers(ring)]),
            }
            annotations.push(annotation);
        }
    }
    let categories = categories.by_id();
    let categories: Vec<_> = categories
        .iter()
        .map(|category| json!({"id": category.id, "name": category.definition.name}))
        .collect();
    json!({"images": images, "categories": categories, "annotations": annotations})
}

/// A task that the SDK writes, as far as it is compared.
#[derive(Debug, Deserialize)]
pub(super) struct Task {
    data: TaskData,
    annotations: Vec<Annotation>,
}

#[derive(Debug, Deserialize)]
struct TaskData {
    image: String,
}

#[derive(Debug, Deserialize)]
struct Annotation {
    result: Vec<Item>,
}

#[derive(Debug, Deserialize)]
struct Item {
    original_width: f64,
    original_height: f64,
    value: Geometry,
}

/// In percent of the image.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Geometry {
    Box { x: f64, y: f64, width: f64, height: f64, rotation: f64, rectanglelabels: Vec<String> },
    Ring { points: Vec<[f64; 2]>, polygonlabels: Vec<String> },
}

/// The differences of each record.
///
/// # Errors
/// The SDK wrote about images that it was not given.
pub(super) fn compare(planned: &[Planned], tasks: &[Task]) -> Result<Vec<Vec<Disagreement>>, String> {
    let mut by_image: HashMap<&str, Vec<&Task>> = HashMap::new();
    for task in tasks {
        by_image.entry(&task.data.image).or_default().push(task);
    }
    let mut all = Vec::with_capacity(planned.len());
    for (number, planned) in planned.iter().enumerate() {
        let mut comparison = Comparison::of(planned);
        let found = by_image.remove(surrogate(number).as_str()).unwrap_or_default();
        let annotations: Vec<_> = found.iter().flat_map(|task| &task.annotations).collect();
        match annotations.as_slice() {
            [annotation] => compare_record(&mut comparison, planned, &annotation.result),
            several => comparison.differs("annotations", 1, several.len()),
        }
        all.push(comparison.found);
    }
    match by_image.keys().next() {
        Some(unknown) => Err(format!("a task for the unknown image {unknown:?}")),
        None => Ok(all),
    }
}

fn compare_record(comparison: &mut Comparison<'_>, planned: &Planned, result: &[Item]) {
    if !comparison.equal(None, "regions", (planned.regions.len(), result.len())) {
        return;
    }
    let Some(frame) = planned.frame else { return };
    // Regions come in the order of COCO's annotations.
    for (region, item) in planned.regions.iter().zip(result) {
        let got = (item.original_width, item.original_height);
        comparison.equal(Some(region), "size", (size(frame), got));
        compare_region(comparison, region, (&item.value, frame));
    }
}

fn compare_region(comparison: &mut Comparison<'_>, region: &Selected, (value, frame): (&Geometry, Frame)) {
    let (across, down) = size(frame);
    let labels = match (&region.shape, value) {
        (SdkShape::Box(bounds), Geometry::Box { x, y, width, height, rotation, rectanglelabels }) => {
            let got = [x * across / 100.0, y * down / 100.0, width * across / 100.0, height * down / 100.0];
            comparison.coordinates(region, "box", (&box_numbers(bounds), &got));
            comparison.equal(Some(region), "rotation", (0.0, *rotation));
            rectanglelabels
        }
        (SdkShape::Ring(ring), Geometry::Ring { points, polygonlabels }) => {
            let got: Vec<_> =
                points.iter().flat_map(|[x, y]| [x * across / 100.0, y * down / 100.0]).collect();
            comparison.coordinates(region, "polygon", (&ring_numbers(ring), &got));
            polygonlabels
        }
        (SdkShape::Box(_), Geometry::Ring { .. }) | (SdkShape::Ring(_), Geometry::Box { .. }) => {
            comparison.differs("kind", "another kind of shape", format!("{value:?}"));
            return;
        }
    };
    comparison.equal(Some(region), "labels", (&[region.label.clone()][..], labels.as_slice()));
}
