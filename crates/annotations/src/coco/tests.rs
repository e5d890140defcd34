use serde_json::{Value, json};

use super::*;
use crate::{
    Bounds, CategoryDefinition, Frame, Keypoint, Mask, Origin, Point, Polygon, Provenance, RecordId,
    RefusalCode, Region, Registry, Shape, Visibility,
};

mod malformed;
mod round_trip;
mod sdk_differences;

/// A file with one image of 1000x500 and two categories, of which one has a skeleton.
fn file(annotations: &Value) -> Value {
    json!({
        "images": [{"id": 7, "file_name": "dir a/b.jpg", "width": 1000, "height": 500}],
        "annotations": annotations,
        "categories": [
            {"id": 0, "name": "raccoons"},
            {"id": 1, "name": "person", "keypoints": ["nose", "tail"], "skeleton": [[1, 2]]},
        ],
    })
}

fn import(file: &Value) -> Import {
    read(file.to_string().as_bytes(), &ReadOptions::default()).expect("a dataset")
}

/// The region of the only annotation of the only image.
fn region(annotation: Value) -> Region {
    let mut annotation = annotation;
    for (key, value) in [("id", 3), ("image_id", 7), ("category_id", 0)] {
        if annotation[key].is_null() {
            annotation[key] = json!(value);
        }
    }
    let import = import(&file(&json!([annotation])));
    assert_eq!(import.refusals, []);
    import.records[0].regions[0].clone()
}

/// Why an annotation is refused, and with it its image.
fn refused(annotation: Value) -> (RefusalCode, String) {
    let mut annotation = annotation;
    for (key, value) in [("id", 3), ("image_id", 7), ("category_id", 0)] {
        if annotation.get(key).is_none() {
            annotation[key] = json!(value);
        }
    }
    let import = import(&file(&json!([annotation])));
    assert_eq!(import.records, [], "{annotation}");
    let [refusal] = import.refusals.as_slice() else { panic!("{:?}", import.refusals) };
    assert_eq!((refusal.item.image_id, refusal.item.index), (Some(7), Some(0)));
    assert_eq!(refusal.item.image.as_deref(), Some("dir a/b.jpg"));
    (refusal.code, refusal.detail.clone())
}

fn bounds(x: f64, y: f64, width: f64, height: f64) -> Bounds {
    Bounds { x, y, width, height }
}

fn polygon(rings: &[&[[f64; 2]]]) -> Shape {
    let ring = |ring: &&[[f64; 2]]| ring.iter().copied().map(Point::from).collect();
    let polygon = |exterior| Polygon { exterior, holes: Vec::new() };
    Shape::Polygon { polygons: rings.iter().map(ring).map(polygon).collect(), closed: true }
}

#[test]
fn a_dataset_is_recognized_by_its_content() {
    let dataset = file(&json!([])).to_string();
    assert_eq!(looks_like(dataset.as_bytes()), Some(Kind::Dataset));
    let (start, _) = dataset.split_at(dataset.len() - 20);
    assert_eq!(looks_like(start.as_bytes()), Some(Kind::Dataset), "cut off");
    let results = br#"[{"image_id": 42, "category_id": 18, "bbox": [1, 2, 3, 4], "score": 0.2}]"#;
    assert_eq!(looks_like(results), Some(Kind::Results));
    for other in [
        r#"[{"id": 1, "data": {"image": "a"}, "annotations": []}]"#,
        r#"{"id": 1, "result": [], "task": {"id": 2}}"#,
        r#"{"images": 3, "annotations": []}"#,
        "[]",
        "3",
        "",
    ] {
        assert_eq!(looks_like(other.as_bytes()), None, "{other}");
    }
    let error = read(results, &ReadOptions::default()).expect_err("no dataset");
    assert!(error.detail.contains("COCO results"), "{error}");
}

#[test]
fn everything_that_an_annotation_says_is_kept() {
    let found = region(json!({
        "category_id": 1,
        "bbox": [10.0, 20.0, 30.5, 40.0],
        "segmentation": [[10, 20, 40, 20, 40, 60], [11, 21, 12, 21, 12, 22]],
        "area": 600.25,
        "iscrowd": 1,
        "keypoints": [15, 25, 2, 0, 0, 0],
        "num_keypoints": 1,
        "score": 0.5,
        "attributes": {"occluded": true},
        "color": "#d446da",
        "metadata": null,
    }));
    let keypoint = |x, y, visibility| Keypoint { at: Point { x, y }, visibility };
    let expected = Region {
        id: "3".to_owned(),
        labels: vec!["person".to_owned()],
        shape: polygon(&[
            &[[10.0, 20.0], [40.0, 20.0], [40.0, 60.0]],
            &[[11.0, 21.0], [12.0, 21.0], [12.0, 22.0]],
        ]),
        bounds: Some(bounds(10.0, 20.0, 30.5, 40.0)),
        keypoints: vec![keypoint(15.0, 25.0, Visibility::Visible), keypoint(0.0, 0.0, Visibility::Absent)],
        area: Some(600.25),
        crowd: true,
        score: Some(0.5),
        drawn: None,
        parent: None,
        control: None,
        attributes: json!({"occluded": true, "coco": {"color": "#d446da"}})
            .as_object()
            .cloned()
            .expect("an object"),
    };
    assert_eq!(found, expected);
}

#[test]
fn a_record_says_where_it_comes_from() {
    let mut file = file(&json!([]));
    file["info"] = json!({"year": 2020});
    file["images"][0]["license"] = json!(4);
    file["categories"][0]["color"] = json!("#fff");
    let options = ReadOptions { frame: FrameKind::Stored, ..ReadOptions::default() };
    let import = read(file.to_string().as_bytes(), &options).expect("a dataset");
    let record = Record {
        // SHA-256 of "coco/dir a/b.jpg".
        id: RecordId::from_stored("8b09fffa44f4a319a4ddb537640925eb".to_owned()),
        image: "dir a/b.jpg".to_owned(),
        frame: Some(Frame { width: 1000, height: 500, kind: FrameKind::Stored }),
        origin: Origin::Human { annotator: None },
        provenance: Provenance::Coco { image_id: 7 },
        created_at: None,
        updated_at: None,
        ground_truth: false,
        score: None,
        regions: Vec::new(),
    };
    assert_eq!(import.records, [record]);
    let definition = CategoryDefinition::named("raccoons");
    assert_eq!(import.categories[0], WantedCategory { id: Some(0), definition });
    assert_eq!(import.categories[1].definition.skeleton, [[1, 2]]);
    let not_kept: Vec<_> = import.not_kept.iter().map(|(key, count)| (key.as_str(), *count)).collect();
    assert_eq!(not_kept, [("categories.color", 1), ("images.license", 1), ("info", 1)]);
}

/// Reads a file of the shared data; `None`, with a note, where there is none.
fn shared(name: &str) -> Option<Import> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    let Ok(text) = std::fs::read(&path) else {
        eprintln!("skipped: no {}", path.display());
        return None;
    };
    assert_eq!(looks_like(&text), Some(Kind::Dataset));
    Some(read(&text, &ReadOptions::default()).expect("a dataset"))
}

fn regions(import: &Import) -> Vec<&Region> {
    import.records.iter().flat_map(|record| &record.regions).collect()
}

#[test]
fn real_files_are_read_to_the_last_annotation() {
    if let Some(import) = shared("annotations/coco/mmpose_test_coco_keypoints.json") {
        assert_eq!((import.refusals.as_slice(), import.records.len()), (&[][..], 4));
        let regions = regions(&import);
        assert_eq!(regions.len(), 14);
        let parts: usize = regions
            .iter()
            .map(|region| match &region.shape {
                Shape::Polygon { polygons, .. } => polygons.len(),
                _ => 0,
            })
            .sum();
        assert_eq!(parts, 17);
        assert!(regions.iter().all(|region| region.keypoints.len() == 17 && region.bounds.is_some()));
        let labelled = regions.iter().flat_map(|region| &region.keypoints);
        let labelled = labelled.filter(|point| point.visibility != Visibility::Absent).count();
        // The file's own `num_keypoints`, added up.
        assert_eq!(labelled, 17 + 14 + 15 + 15 + 15 + 12 + 17 + 16 + 16 + 15 + 16 + 13);
        assert_eq!(import.categories[0].definition.keypoints.len(), 17);
    }
    if let Some(import) = shared("annotations/ls-sdk/test_import_coco_coco_import_input.json") {
        // The SDK makes five regions of the two annotations.
        assert_eq!((import.refusals.as_slice(), import.records.len()), (&[][..], 2));
        let regions = regions(&import);
        let parts = |region: &Region| match &region.shape {
            Shape::Polygon { polygons, .. } => polygons.iter().map(|part| part.exterior.len()).collect(),
            _ => Vec::new(),
        };
        assert_eq!(
            regions.iter().map(|region| parts(region)).collect::<Vec<_>>(),
            [vec![160], vec![134, 122]]
        );
        assert_eq!(regions[1].attributes[EXTRA_KEYS]["isbbox"], json!("false"));
    }
    if let Some(import) = shared("raccoon/coco.json") {
        assert_eq!((import.refusals.as_slice(), import.records.len()), (&[][..], 200));
        let regions = regions(&import);
        assert!(regions.iter().all(|region| matches!(region.shape, Shape::Box(_))));
        assert_eq!(regions.len(), 217);
    }
}
