//! What records look like in Label Studio.

use super::round_trip::{near, task_of};
use super::*;
use crate::{Keypoint, Visibility};

fn written(record: &Record) -> Value {
    serde_json::from_slice(&write(&[task_of(record)]).expect("percent can be said").json).expect("JSON")
}

/// A record from COCO with one region.
fn from_coco(shape: Shape) -> Record {
    let region = Region {
        id: "41".to_owned(),
        labels: vec!["person".to_owned()],
        shape,
        bounds: Some(Bounds { x: 1.0, y: 2.0, width: 30.0, height: 40.0 }),
        keypoints: vec![Keypoint { at: Point { x: 3.0, y: 4.0 }, visibility: Visibility::Hidden }],
        area: Some(600.25),
        crowd: true,
        score: None,
        drawn: None,
        parent: None,
        control: None,
        attributes: map(json!({"occluded": true})),
    };
    Record {
        id: RecordId::of("coco/a.jpg"),
        image: "a.jpg".to_owned(),
        frame: Some(Frame { width: 1000, height: 500, kind: FrameKind::Displayed }),
        origin: Origin::Human { annotator: None },
        provenance: Provenance::Coco { image_id: 7 },
        created_at: None,
        updated_at: None,
        ground_truth: false,
        score: None,
        regions: vec![region],
    }
}

fn square(from: f64, to: f64) -> Vec<Point> {
    [[from, from], [to, from], [to, to], [from, to]].map(Point::from).to_vec()
}

#[test]
fn tasks_are_what_label_studio_exports() {
    let mut region = region(&[car("r")]);
    region.score = Some(0.91);
    let model = Record {
        origin: Origin::Model { version: "yolo:7".to_owned() },
        provenance: Provenance::LabelStudio { task_id: 19, annotation_id: 6, unique_id: None },
        score: Some(0.83),
        ..record(&task(&[car("r")]))
    };
    let model = Record { id: RecordId::of("label_studio/prediction/19/6"), regions: vec![region], ..model };
    let human = record(&task(&[car("r")]));
    let data = map(json!({"dataset_id": "ds-1", "image": "taken"}));
    let task = Task { image: &human.image, records: vec![&human, &model], data };
    let file = write(&[task]).expect("percent can be said");
    assert_eq!((file.annotations, file.predictions, file.carried), (1, 1, 0));
    let mut scored = car("r");
    scored["score"] = json!(0.91);
    let expected = json!([{
        "id": 19,
        "data": {"image": "s3://imgs/dir a/img 1.jpg", "dataset_id": "ds-1"},
        "annotations": [{"id": 4, "completed_by": 1, "was_cancelled": false, "ground_truth": false, "result": [car("r")]}],
        "predictions": [{"id": 6, "model_version": "yolo:7", "score": 0.83, "result": [scored]}],
    }]);
    let found: Value = serde_json::from_slice(&file.json).expect("JSON");
    assert!(near(&found, &expected), "{found} is not {expected}");
}

#[test]
fn what_label_studio_has_no_place_for_is_carried_in_meta() {
    let record = from_coco(Shape::Box(Bounds { x: 100.0, y: 100.0, width: 300.0, height: 50.0 }));
    let file = written(&record);
    let entry = &file[0]["annotations"][0]["result"][0];
    assert_eq!((&entry["type"], &entry["from_name"]), (&json!("rectanglelabels"), &json!("rectangle")));
    assert_eq!(entry["value"]["rectanglelabels"], json!(["person"]));
    let carried = &entry["meta"][CARRIED];
    assert_eq!((&carried["area"], &carried["crowd"]), (&json!(600.25), &json!(true)));
    assert_eq!(carried["attributes"], json!({"occluded": true}));
    assert_eq!(carried.get("shape"), None, "percent say it exactly");
    assert_eq!(super::record(&file), record);
}

#[test]
fn a_region_that_was_moved_in_label_studio_loses_what_was_measured_of_it() {
    let record = from_coco(Shape::Polygon {
        polygons: vec![Polygon { exterior: square(10.0, 20.0), holes: vec![square(13.0, 16.0)] }],
        closed: true,
    });
    let mut file = written(&record);
    assert_eq!(super::record(&file), record);
    let moved = car("41");
    let meta = file[0]["annotations"][0]["result"][0]["meta"].clone();
    file[0]["annotations"][0]["result"][0] = moved;
    file[0]["annotations"][0]["result"][0]["meta"] = meta;
    let found = &super::record(&file).regions[0];
    assert_eq!(found.shape, Shape::Box(Bounds { x: 100.0, y: 100.0, width: 300.0, height: 50.0 }));
    assert_eq!((found.bounds, found.area, found.keypoints.len()), (None, None, 0));
    assert!(found.crowd && found.attributes["occluded"] == json!(true), "these are not about its place");
    assert_eq!(found.labels, ["car"]);
}

#[test]
fn several_polygons_and_holes_look_like_strokes() {
    let holed = Polygon { exterior: square(10.0, 20.0), holes: vec![square(13.0, 16.0)] };
    let other = Polygon { exterior: square(30.0, 31.0), holes: Vec::new() };
    let file = written(&from_coco(Shape::Polygon { polygons: vec![holed, other], closed: true }));
    let value = &file[0]["annotations"][0]["result"][0]["value"];
    let rle: Vec<u8> = serde_json::from_value(value["rle"].clone()).expect("bytes");
    let mask = brush::decode(&rle, 1000, 500).expect("strokes");
    // 10x10 without 3x3, and one.
    assert_eq!((mask.area(), mask.is_set(14, 14), mask.is_set(30, 30)), (92, false, true));
}

#[test]
fn what_cannot_be_said_in_percent_is_refused() {
    let bounds = Bounds { x: 1.0, y: 1.0, width: 2.0, height: 2.0 };
    let refused = |record: &Record| write(&[task_of(record)]).expect_err("no percent").code;
    let fine = from_coco(Shape::Box(bounds));
    assert_eq!(refused(&Record { frame: None, ..fine.clone() }), RefusalCode::NoSize);
    let stored = Frame { width: 1000, height: 500, kind: FrameKind::Stored };
    assert_eq!(refused(&Record { frame: Some(stored), ..fine.clone() }), RefusalCode::SizeMismatch);
    let mask = Mask::from_fn(10, 10, |x, _| x == 1).expect("small");
    assert_eq!(refused(&from_coco(Shape::Mask(mask))), RefusalCode::SizeConflict);
    let mut bare = fine;
    bare.regions[0].labels.clear();
    assert_eq!(refused(&bare), RefusalCode::NoLabel);
}

#[test]
fn an_inferred_configuration_knows_all_that_is_written() {
    let mut labels = car("g");
    (labels["type"], labels["from_name"]) = (json!("labels"), json!("what"));
    labels["value"] = json!({"labels": ["red"]});
    let mut shape = car("g");
    (shape["type"], shape["from_name"]) = (json!("rectangle"), json!("box"));
    let quality = json!({"id": "c", "type": "choices", "from_name": "quality", "to_name": "image", "value": {"choices": ["good"]}});
    let mut stars = quality.clone();
    (stars["id"], stars["type"], stars["from_name"]) = (json!("s"), json!("rating"), json!("stars"));
    stars["value"] = json!({"rating": 4});
    let found = record(&task(&[car("r"), shape, labels, quality, stars]));
    let coco = from_coco(Shape::Box(Bounds { x: 1.0, y: 1.0, width: 2.0, height: 2.0 }));
    let config = LabelConfig::infer([&found, &coco]);
    let tags: Vec<_> =
        config.controls.iter().map(|control| (control.tag.as_str(), control.name.as_str())).collect();
    assert_eq!(
        tags,
        [
            ("RectangleLabels", "tag"),
            ("Rectangle", "box"),
            ("Labels", "what"),
            ("Choices", "quality"),
            ("Rating", "stars"),
            ("RectangleLabels", "rectangle"),
        ]
    );
    let xml = config.to_xml(&crate::Registry::default());
    let options = with_config(&xml);
    assert_eq!(options.label_config.as_ref(), Some(&config));
    let file = write(&[task_of(&found), task_of(&coco)]).expect("percent can be said");
    assert_eq!(records(read(&file.json, &options).collect()), [found, coco]);
}
