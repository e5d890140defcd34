use serde_json::{Map, Value, json};

use super::*;
use crate::{
    Bounds, Drawn, Frame, FrameKind, Mask, Origin, Point, Polygon, Provenance, RecordId, RefusalCode, Region,
    Shape,
};

mod malformed;
mod real_files;
mod regions;
mod round_trip;
mod sdk_differences;
mod writing;

/// An entry of `result` on an image of 1000x500.
fn entry(id: &str, kind: &str, value: Value) -> Value {
    json!({
        "id": id, "type": kind, "from_name": "tag", "to_name": "image", "value": value,
        "original_width": 1000, "original_height": 500, "image_rotation": 0,
    })
}

/// A car, 300x50 pixels at (100, 100).
fn car(id: &str) -> Value {
    entry(
        id,
        "rectanglelabels",
        json!({"x": 10, "y": 20, "width": 30, "height": 10, "rotation": 0, "rectanglelabels": ["car"]}),
    )
}

fn task(results: &[Value]) -> Value {
    json!({
        "id": 19,
        "data": {"image": "s3://imgs/dir a/img 1.jpg"},
        "annotations": [{"id": 4, "completed_by": 1, "result": results}],
        "predictions": [],
    })
}

fn read_with(document: &Value, options: &ReadOptions) -> Vec<ReadItem> {
    read(document.to_string().as_bytes(), options).collect()
}

fn read_all(document: &Value) -> Vec<ReadItem> {
    read_with(document, &ReadOptions::default())
}

fn records(items: Vec<ReadItem>) -> Vec<Record> {
    let record = |item| match item {
        ReadItem::Record(found) => Some(found.record),
        ReadItem::Refused(_) | ReadItem::Skipped(..) => None,
    };
    items.into_iter().filter_map(record).collect()
}

fn refusals(items: Vec<ReadItem>) -> Vec<Refusal> {
    let refusal = |item| match item {
        ReadItem::Refused(refusal) => Some(refusal),
        ReadItem::Record(_) | ReadItem::Skipped(..) => None,
    };
    items.into_iter().filter_map(refusal).collect()
}

/// The record of a document that has one, and nothing else.
fn record(document: &Value) -> Record {
    let mut items = read_all(document);
    assert_eq!(items.len(), 1, "{items:?}");
    match items.remove(0) {
        ReadItem::Record(found) => found.record,
        other => panic!("{other:?}"),
    }
}

/// The regions that a `result` says.
fn regions(results: &[Value]) -> Vec<Region> {
    record(&task(results)).regions
}

fn region(results: &[Value]) -> Region {
    let mut regions = regions(results);
    assert_eq!(regions.len(), 1);
    regions.remove(0)
}

/// Why a `result` is refused.
fn refused(results: &[Value]) -> RefusalCode {
    refused_with(results, &ReadOptions::default())
}

fn refused_with(results: &[Value], options: &ReadOptions) -> RefusalCode {
    let items = read_with(&task(results), options);
    assert_eq!(records(items.clone()), [], "{results:?}");
    let refusals = refusals(items);
    let [refusal] = refusals.as_slice() else { panic!("{refusals:?}") };
    assert_eq!((refusal.item.task_id, refusal.item.annotation_id), (Some(19), Some(4)));
    refusal.code
}

fn with_config(xml: &str) -> ReadOptions {
    let label_config = Some(LabelConfig::parse(xml).expect("a configuration"));
    ReadOptions { label_config, ..ReadOptions::default() }
}

fn map(value: Value) -> Map<String, Value> {
    value.as_object().cloned().expect("an object")
}

fn polygon(points: &[[f64; 2]]) -> Shape {
    let exterior = points.iter().copied().map(Point::from).collect();
    Shape::Polygon { polygons: vec![Polygon { exterior, holes: Vec::new() }], closed: true }
}

#[test]
fn a_document_is_recognized_by_its_first_item() {
    let text = json!([task(&[car("r")])]).to_string();
    assert!(looks_like(text.as_bytes()));
    let (start, _) = text.split_at(text.len() - 30);
    assert!(looks_like(start.as_bytes()), "cut off");
    for other in [
        json!({"id": 1, "result": [], "task": {"id": 2, "data": {}}}),
        json!([{"id": 1, "result": [], "task": 2}]),
        json!({"data": {"image": "a"}, "predictions": []}),
    ] {
        assert!(looks_like(other.to_string().as_bytes()), "{other}");
    }
    for other in [
        json!({"images": [], "annotations": [], "categories": []}),
        json!([{"image_id": 42, "category_id": 18, "bbox": [1, 2, 3, 4], "score": 0.2}]),
        json!([{"data": {"image": "a.jpg"}}]),
        json!([[{"data": {}, "annotations": []}]]),
        json!([]),
        json!("data"),
    ] {
        assert!(!looks_like(other.to_string().as_bytes()), "{other}");
    }
}

#[test]
fn what_is_chosen_for_a_region_is_no_category() {
    let colour = entry("r", "choices", json!({"choices": ["pink"]}));
    let options = ReadOptions::default();
    let document = task(&[car("r"), colour]).to_string();
    let mut reader = read(document.as_bytes(), &options);
    let Some(ReadItem::Record(found)) = reader.next() else { panic!("a record") };
    let names: Vec<_> = reader.categories().into_iter().map(|category| category.definition.name).collect();
    assert_eq!(names, ["car"]);
    // But a label configuration offers it.
    let config = LabelConfig::infer([&found.record]);
    assert!(config.controls.iter().any(|control| control.labels.iter().any(|label| label.name == "pink")));
}

#[test]
fn a_task_whose_number_is_none_has_no_records() {
    let mut unnumbered = task(&[car("r")]);
    unnumbered["id"] = json!("one");
    let items = read_all(&unnumbered);
    assert!(matches!(items.as_slice(), [ReadItem::Refused(_)]), "{items:?}");
}

#[test]
fn a_record_says_where_it_comes_from() {
    let mut task = task(&[]);
    task["annotations"][0] = json!({
        "id": 4, "unique_id": "e2aaa535-acc0-47ab-91ea-f3c1b74842ea", "result": [], "ground_truth": true,
        "completed_by": {"id": 1, "email": "a@b.test"}, "was_cancelled": false,
        "created_at": "2026-11-23T06:36:06.557261Z", "updated_at": "2026-11-23T06:36:06.557285Z", "lead_time": 3.5,
    });
    let expected = Record {
        // SHA-256 of "label_studio/annotation/e2aaa535-acc0-47ab-91ea-f3c1b74842ea".
        id: RecordId::from_stored("9920fae948a41b15db534da30b7d896d".to_owned()),
        image: "s3://imgs/dir a/img 1.jpg".to_owned(),
        frame: None,
        origin: Origin::Human { annotator: Some("a@b.test".to_owned()) },
        provenance: Provenance::LabelStudio {
            task_id: 19,
            annotation_id: 4,
            unique_id: Some("e2aaa535-acc0-47ab-91ea-f3c1b74842ea".to_owned()),
        },
        created_at: Some("2026-11-23T06:36:06.557261Z".to_owned()),
        updated_at: Some("2026-11-23T06:36:06.557285Z".to_owned()),
        ground_truth: true,
        score: None,
        regions: Vec::new(),
    };
    assert_eq!(record(&task), expected);
    for (who, annotator) in [
        (json!(7), Some("7")),
        (json!({"id": 7, "email": ""}), Some("7")),
        (json!("someone"), Some("someone")),
        (json!(null), None),
    ] {
        task["annotations"][0]["completed_by"] = who;
        assert_eq!(record(&task).origin, Origin::Human { annotator: annotator.map(str::to_owned) });
    }
}

#[test]
fn every_kind_of_document_is_read() {
    let body = &task(&[car("r")])["annotations"][0];
    let (mut annotation, mut inner) = (body.clone(), task(&[]));
    inner.as_object_mut().expect("an object").retain(|key, _| key == "id" || key == "data");
    annotation["task"] = inner;
    let expected = record(&task(&[car("r")]));
    assert_eq!(expected.frame, Some(Frame { width: 1000, height: 500, kind: FrameKind::Displayed }));
    for document in [task(&[car("r")]), json!([task(&[car("r")])]), annotation.clone(), json!([annotation])] {
        assert_eq!(record(&document), expected);
    }
    let with_mark = format!("\u{FEFF}{}", task(&[car("r")]));
    let options = ReadOptions::default();
    assert_eq!(records(read(with_mark.as_bytes(), &options).collect()), [expected]);
}

#[test]
fn predictions_with_bodies_are_records_of_models() {
    let document = json!([{
        "data": {"image": "s3://imgs/1.jpg"},
        "predictions": [
            {"model_version": "yolo:7", "score": 0.83, "result": [car("r")]},
            {"model_version": "yolo:8", "result": []},
        ],
    }]);
    let found = records(read_all(&document));
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].origin, Origin::Model { version: "yolo:7".to_owned() });
    assert_eq!((found[0].score, found[0].regions.len()), (Some(0.83), 1));
    // Without numbers, image and model are the identity, also in a later file and at another place.
    let nothing = Provenance::LabelStudio { task_id: 0, annotation_id: 0, unique_id: None };
    assert_eq!(found[0].provenance, nothing);
    assert_eq!(found[0].id, RecordId::of("label_studio/prediction/of/s3://imgs/1.jpg/by/yolo:7"));
    assert_ne!(found[0].id, found[1].id);
}

#[test]
fn what_is_no_record_is_counted_and_no_mistake() {
    let mut document = task(&[car("r")]);
    document["annotations"][0]["was_cancelled"] = json!(true);
    document["drafts"] = json!([{"id": 5, "result": [car("r")]}]);
    document["predictions"] = json!([13, 14]);
    let empty = json!({"id": 20, "data": {"image": "a.jpg"}, "annotations": [], "predictions": []});
    let skipped: Vec<_> = read_all(&json!([document, empty]))
        .into_iter()
        .map(|item| match item {
            ReadItem::Skipped(item, why) => (item.task_id, item.annotation_id, why),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        (Some(19), Some(4), Skipped::Cancelled),
        (Some(19), Some(13), Skipped::PredictionId),
        (Some(19), Some(14), Skipped::PredictionId),
        (Some(19), Some(5), Skipped::Draft),
        (Some(20), None, Skipped::NotAnnotated),
    ];
    assert_eq!(skipped, expected);
    let texts: Vec<_> = Skipped::ALL.iter().map(|why| why.as_str()).collect();
    assert_eq!(texts, ["cancelled", "draft", "prediction_id", "not_annotated"]);
}

#[test]
fn categories_are_those_of_the_configuration_and_then_what_is_seen() {
    let options = with_config(
        r#"<View><Image name="image" value="$image"/><RectangleLabels name="tag" toName="image" value="$more">
           <Label value="raccoons" category="0"/><Label value="raccoon" category="1"/></RectangleLabels></View>"#,
    );
    let document = task(&[car("r")]).to_string();
    let mut reader = read(document.as_bytes(), &options);
    assert_eq!(reader.by_ref().count(), 1);
    let categories: Vec<_> =
        reader.categories().into_iter().map(|wanted| (wanted.id, wanted.definition.name)).collect();
    let expected = [(Some(0), "raccoons"), (Some(1), "raccoon"), (None, "car")];
    assert_eq!(categories, expected.map(|(id, name)| (id, name.to_owned())));
}
