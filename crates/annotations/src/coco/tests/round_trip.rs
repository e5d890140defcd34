//! What is written is read again, and says the same.

use proptest::prelude::*;
use serde_json::Map;

use super::*;
use crate::{Category, Drawn};

const SIZE: (u32, u32) = (60, 40);

/// Image, bbox, segmentation, attributes, iscrowd.
type Drawing = (usize, Bounds, Option<Vec<Point>>, Map<String, Value>, bool);

const IMAGES: [i64; 3] = [5, 2, 9];

pub(super) fn entry(record: &Record) -> Entry<'_> {
    let size = record.frame.map_or(SIZE, |frame| (frame.width, frame.height));
    Entry { record, file_name: &record.image, size, identity: Map::new() }
}

fn registry() -> Registry {
    let skeleton = CategoryDefinition {
        name: "person".to_owned(),
        supercategory: Some("animal".to_owned()),
        keypoints: vec!["nose".to_owned(), "tail".to_owned()],
        skeleton: vec![[1, 2]],
    };
    let categories = [
        (0, CategoryDefinition::named("raccoons")),
        (7, skeleton),
        (3, CategoryDefinition::named("raccoon")),
    ];
    categories.into_iter().map(|(id, definition)| Category { id, definition }).collect()
}

/// The records with their regions in the order of their ids.
fn sorted(mut records: Vec<Record>) -> Vec<Record> {
    records.iter_mut().for_each(|record| record.regions.sort_by(|a, b| a.id.cmp(&b.id)));
    records
}

fn places() -> impl Strategy<Value = Point> {
    (0.0..60.0, 0.0..40.0).prop_map(|(x, y)| Point { x, y })
}

fn boxes() -> impl Strategy<Value = Bounds> {
    (0.0..50.0, 0.0..30.0, 0.1..10.0, 0.1..10.0).prop_map(|(x, y, width, height)| Bounds {
        x,
        y,
        width,
        height,
    })
}

fn rings() -> impl Strategy<Value = Vec<Point>> {
    prop::collection::vec(places(), 3..8)
}

fn polygons() -> impl Strategy<Value = Polygon> {
    (rings(), prop::collection::vec(rings(), 0..2)).prop_map(|(exterior, holes)| Polygon { exterior, holes })
}

fn shapes() -> impl Strategy<Value = Shape> {
    prop_oneof![
        Just(Shape::Image),
        boxes().prop_map(Shape::Box),
        (boxes(), -400.0..400.0).prop_map(|(Bounds { x, y, width, height }, rotation)| Shape::RotatedBox {
            x,
            y,
            width,
            height,
            rotation
        }),
        (prop::collection::vec(polygons(), 1..3), any::<bool>())
            .prop_map(|(polygons, closed)| Shape::Polygon { polygons, closed }),
        (places(), prop::option::of(0.1..3.0)).prop_map(|(at, size)| Shape::Point { at, size }),
        (places(), 0.1..20.0, 0.1..20.0, 0.0..360.0).prop_map(|(center, radius_x, radius_y, rotation)| {
            Shape::Ellipse { center, radius_x, radius_y, rotation }
        }),
        prop::collection::vec(any::<bool>(), 60 * 40)
            .prop_map(|pixels| Shape::Mask(Mask::from_rows(60, 40, &pixels).expect("small"))),
    ]
}

fn attributes() -> impl Strategy<Value = Map<String, Value>> {
    let key =
        prop_oneof![Just("coco"), Just("region_id"), Just("attributes"), Just("occluded"), Just("bbox")];
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        (-9.0..9.0).prop_map(Value::from)
    ];
    let value = leaf.prop_recursive(2, 6, 3, move |inner| {
        prop::collection::btree_map(prop_oneof![Just("color"), Just("bbox"), Just("attributes")], inner, 0..3)
            .prop_map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Value>())
    });
    prop::collection::btree_map(key, value, 0..3)
        .prop_map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn keypoints() -> impl Strategy<Value = Vec<Keypoint>> {
    let keypoint = (places(), 0..3_u8)
        .prop_map(|(at, visibility)| Keypoint { at, visibility: visibility.try_into().expect("0 to 2") });
    prop::collection::vec(keypoint, 0..4)
}

fn regions() -> impl Strategy<Value = Region> {
    let labels = prop::sample::subsequence(vec!["raccoons", "raccoon", "person"], 1..=3).prop_shuffle();
    let stated =
        (prop::option::of(boxes()), prop::option::of(0.0..900.0), prop::option::of(0.0..=1.0), any::<bool>());
    let texts = (prop::option::of("[a-z]{3}"), prop::option::of("[a-z]{3}"));
    let drawn = prop_oneof![Just(None), Just(Some(Drawn::Manual)), Just(Some(Drawn::PredictionChanged))];
    (shapes(), labels, keypoints(), stated, texts, drawn, attributes()).prop_map(
        |(shape, labels, keypoints, (bounds, area, score, crowd), (parent, control), drawn, attributes)| {
            Region {
                id: String::new(),
                labels: labels.into_iter().map(str::to_owned).collect(),
                // A box is its own bounding box.
                bounds: bounds.filter(|_| !matches!(shape, Shape::Box(_))),
                shape,
                keypoints,
                area,
                crowd,
                score,
                drawn,
                parent,
                control,
                attributes,
            }
        },
    )
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    let origin = prop_oneof![
        prop::option::of("[a-z]{2}").prop_map(|annotator| Origin::Human { annotator }),
        ".{0,5}".prop_map(|version| Origin::Model { version }),
    ];
    let times = (prop::option::of(Just("2024-05-01T10:00:00Z".to_owned())), prop::option::of(0.0..=1.0));
    let kinds = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    let record = (prop::collection::vec(regions(), 0..4), origin, times, kinds);
    prop::collection::vec(record, 0..4).prop_map(|records| {
        let records = records.into_iter().enumerate();
        let record =
            |(index, (mut regions, origin, (time, score), kinds)): (usize, (Vec<Region>, Origin, _, _))| {
                let (coco, truth, decimal, stored) = kinds;
                for (place, region) in regions.iter_mut().enumerate() {
                    region.id = if decimal { (index * 10 + place).to_string() } else { format!("r{place}") };
                }
                let kind = if stored { FrameKind::Stored } else { FrameKind::Displayed };
                let id = index as i64;
                Record {
                    id: RecordId::of(&index.to_string()),
                    image: format!("s3://b/{index} ü.jpg"),
                    frame: (!regions.is_empty() || truth).then_some(Frame { width: 60, height: 40, kind }),
                    origin,
                    provenance: match coco {
                        true => Provenance::Coco { image_id: id * 3 },
                        false => Provenance::LabelStudio { task_id: id, annotation_id: 5, unique_id: None },
                    },
                    created_at: time,
                    updated_at: None,
                    ground_truth: truth,
                    score,
                    regions,
                }
            };
        records.map(record).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_a_record_holds_is_in_the_file(records in records()) {
        let registry = registry();
        let entries: Vec<_> = records.iter().map(entry).collect();
        let written = write(&entries, &registry).expect("known labels");
        prop_assert!(write(&entries, &registry).expect("known labels") == written);
        let import = read(&written.json, &ReadOptions::default()).expect("a dataset");
        prop_assert_eq!(&import.refusals, &[]);
        prop_assert!(import.not_kept.is_empty(), "{:?}", import.not_kept);
        let mut again = Registry::default();
        again.admit(&import.categories);
        prop_assert_eq!(again, registry);
        prop_assert_eq!(sorted(import.records), sorted(records));
    }

    #[test]
    fn a_file_of_another_tool_is_written_as_it_was(
        annotations in prop::collection::vec((0..3_usize, boxes(), prop::option::of(rings()), attributes(), any::<bool>()), 0..8)
    ) {
        let images: Vec<_> = IMAGES
            .iter()
            .map(|id| json!({"id": id, "file_name": format!("{id}.jpg"), "width": 60, "height": 40}))
            .collect();
        let annotation = |(index, (image, bbox, ring, attributes, crowd)): (usize, Drawing)| {
            let ring: Option<Vec<_>> = ring.map(|ring| ring.iter().flat_map(|point| [point.x, point.y]).collect());
            let mut annotation = json!({
                "id": 100 - index, "image_id": IMAGES.get(image), "category_id": index % 2 * 3,
                "bbox": [bbox.x, bbox.y, bbox.width, bbox.height], "segmentation": ring.map_or(json!([]), |ring| json!([ring])),
                "area": 12.5, "iscrowd": u8::from(crowd), "color": "red",
            });
            let attributes: Map<_, _> = attributes.into_iter().filter(|(key, _)| key != "coco").collect();
            if !attributes.is_empty() {
                annotation["attributes"] = Value::Object(attributes);
            }
            annotation
        };
        let annotations: Vec<_> = annotations.into_iter().enumerate().map(annotation).collect();
        let text = json!({
            "images": images, "annotations": annotations, "categories": [{"id": 0, "name": "a"}, {"id": 3, "name": "b"}],
        }).to_string();
        let import = read(text.as_bytes(), &ReadOptions::default()).expect("a dataset");
        prop_assume!(import.refusals.is_empty());
        let mut registry = Registry::default();
        registry.admit(&import.categories);
        let entries: Vec<_> = import.records.iter().map(entry).collect();
        let written = write(&entries, &registry).expect("known labels");
        prop_assert_eq!((written.annotations, written.carried), (annotations.len(), 0));
        let mut file: Value = serde_json::from_slice(&written.json).expect("JSON");
        for image in file["images"].as_array_mut().expect("a list") {
            image.as_object_mut().expect("an object").remove(CARRIED);
        }
        prop_assert_eq!(&file["images"], &json!(images));
        let by_id = |list: &Value| {
            let mut list = list.as_array().expect("a list").clone();
            list.sort_by_key(|annotation| annotation["id"].as_i64());
            list
        };
        prop_assert_eq!(by_id(&file["annotations"]), by_id(&json!(annotations)));
        let again = read(&written.json, &ReadOptions::default()).expect("a dataset");
        prop_assert_eq!(again.records, import.records);
    }
}

#[test]
fn every_shape_has_the_most_faithful_form_that_coco_has() {
    let square =
        |from: f64, to: f64| [[from, from], [to, from], [to, to], [from, to]].map(Point::from).to_vec();
    let form = |shape: &Shape| {
        let mut import =
            import(&file(&json!([{"id": 1, "image_id": 7, "category_id": 0, "bbox": [1, 1, 2, 2]}])));
        import.records[0].regions[0].shape = shape.clone();
        let mut registry = Registry::default();
        registry.admit(&import.categories);
        let written = write(&[entry(&import.records[0])], &registry).expect("known labels");
        let file: Value = serde_json::from_slice(&written.json).expect("JSON");
        (file["annotations"][0].clone(), written.carried)
    };
    let (plain, _) = form(&Shape::Box(bounds(1.0, 2.0, 3.0, 4.0)));
    assert_eq!((&plain["bbox"], &plain["segmentation"]), (&json!([1.0, 2.0, 3.0, 4.0]), &json!([])));
    assert_eq!((&plain["area"], &plain["iscrowd"], &plain["id"]), (&json!(12.0), &json!(0), &json!(1)));

    // The corners that the SDK's own oriented-box output has.
    let (turned, _) =
        form(&Shape::RotatedBox { x: 100.0, y: 100.0, width: 300.0, height: 50.0, rotation: 30.0 });
    let near = |value: &Value, expected: &[f64]| {
        let found: Vec<f64> = serde_json::from_value(value.clone()).expect("numbers");
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 0.05), "{found:?}");
    };
    near(&turned["bbox"], &[75.0, 100.0, 284.8, 193.3]);
    near(&turned["segmentation"][0], &[100.0, 100.0, 359.8, 250.0, 334.8, 293.3, 75.0, 143.3]);

    let (ellipse, _) = form(&Shape::Ellipse {
        center: Point { x: 500.0, y: 250.0 },
        radius_x: 100.0,
        radius_y: 50.0,
        rotation: 0.0,
    });
    near(&ellipse["bbox"], &[400.0, 200.0, 200.0, 100.0]);
    assert_eq!(ellipse["segmentation"][0].as_array().map(Vec::len), Some(256));

    let holed = Polygon { exterior: square(10.0, 20.0), holes: vec![square(13.0, 16.0)] };
    let (rle, _) = form(&Shape::Polygon { polygons: vec![holed], closed: true });
    let mask: Mask = serde_json::from_value(rle["segmentation"].clone()).expect("RLE");
    assert_eq!((mask.area(), mask.is_set(14, 14), mask.is_set(12, 12)), (91, false, true));
    assert_eq!(rle["imageml"]["shape"]["type"], json!("polygon"), "and the exact one beside it");

    for nowhere in [Shape::Image, Shape::Point { at: Point { x: 1.0, y: 1.0 }, size: None }] {
        assert_eq!(form(&nowhere), (Value::Null, 1));
    }
}

#[test]
fn a_region_with_several_labels_is_an_annotation_for_each() {
    let mut import =
        import(&file(&json!([{"id": 5, "image_id": 7, "category_id": 0, "bbox": [1, 1, 2, 2]}])));
    import.records[0].regions[0].labels.push("person".to_owned());
    let mut registry = Registry::default();
    registry.admit(&import.categories);
    let written = write(&[entry(&import.records[0])], &registry).expect("known labels");
    let file: Value = serde_json::from_slice(&written.json).expect("JSON");
    let said = |index: usize| {
        let annotation = &file["annotations"][index];
        [&annotation["id"], &annotation["category_id"], &annotation["attributes"]["region_id"]]
            .map(Clone::clone)
    };
    assert_eq!([said(0), said(1)], [[json!(1), json!(0), json!("5")], [json!(2), json!(1), json!("5")]]);
}

#[test]
fn what_another_tool_changed_is_taken() {
    let mut import =
        import(&file(&json!([{"id": 5, "image_id": 7, "category_id": 0, "bbox": [1, 1, 2, 2]}])));
    let turned = Shape::RotatedBox { x: 100.0, y: 100.0, width: 30.0, height: 50.0, rotation: 30.0 };
    import.records[0].regions[0].shape = turned.clone();
    let mut registry = Registry::default();
    registry.admit(&import.categories);
    let written = write(&[entry(&import.records[0])], &registry).expect("known labels");
    let mut file: Value = serde_json::from_slice(&written.json).expect("JSON");
    let shape = |file: &Value| super::import(file).records[0].regions[0].shape.clone();
    assert_eq!(shape(&file), turned);
    file["annotations"][0]["segmentation"] = json!([[1, 1, 2, 1, 2, 2]]);
    assert_eq!(shape(&file), polygon(&[&[[1.0, 1.0], [2.0, 1.0], [2.0, 2.0]]]));
}

#[test]
fn what_is_known_of_an_image_is_written_beside_it_and_unknown_labels_are_refused() {
    let import = import(&file(&json!([{"id": 5, "image_id": 7, "category_id": 0, "bbox": [1, 1, 2, 2]}])));
    let mut entry = entry(&import.records[0]);
    entry.file_name = "b.jpg";
    entry.identity.insert("dataset_id".to_owned(), json!("d"));
    let mut registry = Registry::default();
    let error = write(&[entry.clone()], &registry).expect_err("no categories");
    assert_eq!((error.code, error.item.region_id.as_deref()), (RefusalCode::UnknownLabel, Some("5")));
    registry.admit(&import.categories);
    let written = write(&[entry], &registry).expect("known labels");
    let file: Value = serde_json::from_slice(&written.json).expect("JSON");
    assert_eq!(file["images"][0]["file_name"], json!("b.jpg"));
    assert_eq!(file["images"][0]["imageml"]["dataset_id"], json!("d"));
    assert_eq!(super::import(&file).records, import.records, "by the name that the record has");
}
