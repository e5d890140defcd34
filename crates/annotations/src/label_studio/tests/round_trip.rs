//! Nothing that a record holds is lost in Label Studio's JSON, and nothing of that JSON that a record holds.

use proptest::prelude::*;

use super::*;
use crate::{Keypoint, Visibility};

/// A task of its own for a record.
pub(super) fn task_of(record: &Record) -> Task<'_> {
    Task { image: &record.image, records: vec![record], data: Map::new() }
}

fn sorted(mut records: Vec<Record>) -> Vec<Record> {
    for record in &mut records {
        record.regions.sort_by(|one, other| one.id.cmp(&other.id));
    }
    records.sort_by(|one, other| one.id.cmp(&other.id));
    records
}

const SIZE: (u32, u32) = (60, 40);

/// In the image; whole and half pixels, two decimals, and any number.
fn coordinate(side: u32) -> impl Strategy<Value = f64> {
    let end = f64::from(side);
    prop_oneof![
        (0..=side * 2).prop_map(|halves| f64::from(halves) / 2.0),
        (0..=side * 100).prop_map(|parts| f64::from(parts) / 100.0),
        0.0..=end,
    ]
}

fn points() -> impl Strategy<Value = Point> {
    (coordinate(SIZE.0), coordinate(SIZE.1)).prop_map(|(x, y)| Point { x, y })
}

fn boxes() -> impl Strategy<Value = Bounds> {
    (points(), points()).prop_filter_map("no extent", |(a, b)| {
        let bounds =
            Bounds { x: a.x.min(b.x), y: a.y.min(b.y), width: (a.x - b.x).abs(), height: (a.y - b.y).abs() };
        (bounds.width > 0.1 && bounds.height > 0.1).then_some(bounds)
    })
}

/// Triangles that have an area.
fn rings() -> impl Strategy<Value = Vec<Point>> {
    boxes().prop_map(|Bounds { x, y, width, height }| {
        [[x, y], [x + width, y], [x + width, y + height]].map(Point::from).to_vec()
    })
}

fn shapes() -> impl Strategy<Value = Shape> {
    let polygon = (rings(), prop::collection::vec(rings(), 0..2))
        .prop_map(|(exterior, holes)| Polygon { exterior, holes });
    let angle = prop_oneof![Just(0.0), -180.0..360.0_f64];
    let turned = (boxes(), angle.clone()).prop_map(|(Bounds { x, y, width, height }, rotation)| {
        Shape::RotatedBox { x, y, width, height, rotation }
    });
    // What a record from Label Studio can have: the centre is in the image.
    let turned = turned.prop_filter("outside", |shape| {
        let Some(Bounds { x, y, width, height }) = shape.bounds() else { return false };
        (0.0..60.0).contains(&(x + width / 2.0)) && (0.0..40.0).contains(&(y + height / 2.0))
    });
    prop_oneof![
        boxes().prop_map(Shape::Box),
        turned,
        (prop::collection::vec(polygon, 1..3), any::<bool>())
            .prop_map(|(polygons, closed)| Shape::Polygon { polygons, closed }),
        (points(), prop::option::of(0.1..5.0_f64)).prop_map(|(at, size)| Shape::Point { at, size }),
        (points(), 0.1..30.0_f64, 0.1..20.0_f64, angle).prop_map(|(center, radius_x, radius_y, rotation)| {
            Shape::Ellipse { center, radius_x, radius_y, rotation }
        }),
        prop::collection::vec(any::<bool>(), (SIZE.0 * SIZE.1) as usize)
            .prop_map(|rows| Shape::Mask(Mask::from_rows(SIZE.0, SIZE.1, &rows).expect("small"))),
        Just(Shape::Image),
    ]
}

fn attributes() -> impl Strategy<Value = Map<String, Value>> {
    let value = prop_oneof![
        any::<bool>().prop_map(Value::from),
        "[a-z]{0,3}".prop_map(Value::from),
        Just(json!({"choices": ["red", "blue"]})),
        Just(json!({"choices": []})),
        Just(json!({"labels": ["red"]})),
        Just(json!({"text": "a"})),
        Just(json!({"text": ["a"], "score": 0.5, "more": 1})),
        Just(json!({"rating": 3})),
        Just(json!({"number": 0.1, "choices": ["red"]})),
        Just(json!({"taxonomy": [["a", "b"]], "x": 1})),
        Just(json!({"labels_control": "what"})),
        Just(json!({"labels_control": "what", "to_name": "photo", "meta": {"text": ["x"]}})),
        Just(json!({"relations": [{"to": "r0"}, {"to": "r1", "direction": "right", "labels": ["on"]}]})),
        Just(json!({"value": {"ocr": "B"}, "result": {"readonly": true, "origin": "imported"}})),
        Just(json!({"value": {"x": 1}, "result": {"id": "z"}})),
        Just(json!({"meta": {"imageml": 3}})),
        Just(json!({"to_name": "image"})),
        Just(json!({})),
    ];
    let name = prop_oneof![Just("label_studio".to_owned()), Just("colour".to_owned()), "[a-c]{0,2}"];
    prop::collection::btree_map(name, value, 0..4).prop_map(|map| map.into_iter().collect())
}

fn keypoints() -> impl Strategy<Value = Vec<Keypoint>> {
    let visibility =
        prop_oneof![Just(Visibility::Absent), Just(Visibility::Hidden), Just(Visibility::Visible)];
    prop::collection::vec(
        (points(), visibility).prop_map(|(at, visibility)| Keypoint { at, visibility }),
        0..3,
    )
}

fn any_region() -> impl Strategy<Value = Region> {
    let labels = prop::collection::vec(prop_oneof![Just("colour".to_owned()), "[a-d&<\"]{1,2}"], 1..3);
    let stated =
        (prop::option::of(boxes()), prop::option::of(0.0..900.0), prop::option::of(0.0..=1.0), any::<bool>());
    let control = prop::option::of(prop_oneof![Just("colour".to_owned()), "[a-c]{0,2}"]);
    let texts = (prop::option::of("[a-z]{1,2}"), control);
    let drawn = prop_oneof![Just(None), Just(Some(Drawn::Manual)), Just(Some(Drawn::PredictionChanged))];
    (shapes(), labels, keypoints(), stated, texts, drawn, attributes()).prop_map(
        |(shape, labels, keypoints, (bounds, area, score, crowd), (parent, control), drawn, attributes)| {
            Region {
                id: String::new(),
                labels,
                shape,
                bounds,
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

fn any_provenance(id: i64) -> impl Strategy<Value = Provenance> {
    let unique_id = prop::option::of(Just(format!("uuid-{id}")));
    prop_oneof![
        Just(Provenance::Coco { image_id: id * 3 }),
        (0..3_i64, prop_oneof![Just(id + 100), Just(0)], unique_id).prop_map(
            |(task_id, annotation_id, unique_id)| Provenance::LabelStudio {
                task_id,
                annotation_id,
                unique_id
            }
        ),
    ]
}

fn any_record(id: i64) -> impl Strategy<Value = Record> {
    let origin = prop_oneof![
        prop::option::of(prop_oneof![Just("7".to_owned()), Just("007".to_owned()), "[a-z@]{0,3}"])
            .prop_map(|annotator| Origin::Human { annotator }),
        ".{0,5}".prop_map(|version| Origin::Model { version }),
    ];
    let time = prop::option::of(Just("2024-05-01T10:00:00Z".to_owned()));
    let rest = (time.clone(), time, any::<bool>(), prop::option::of(0.0..=1.0), any::<bool>(), any::<bool>());
    (prop::collection::vec(any_region(), 0..4), origin, any_provenance(id), rest).prop_map(
        move |(
            mut regions,
            origin,
            provenance,
            (created_at, updated_at, ground_truth, score, framed, own),
        )| {
            for (place, region) in regions.iter_mut().enumerate() {
                region.id = format!("r{place}");
            }
            let placed = regions.iter().any(|region| region.shape != Shape::Image);
            let image = format!("s3://b/{id} ü.jpg");
            let identity = provenance.identity(&origin, &image);
            Record {
                // As it is made when a file is read, or another.
                id: if own { RecordId::of(&identity) } else { RecordId::of(&id.to_string()) },
                image,
                frame: (placed || framed).then_some(Frame {
                    width: SIZE.0,
                    height: SIZE.1,
                    kind: FrameKind::Displayed,
                }),
                origin,
                provenance,
                created_at,
                updated_at,
                ground_truth,
                score,
                regions,
            }
        },
    )
}

fn any_records() -> impl Strategy<Value = Vec<Record>> {
    (any_record(1), any_record(2), any_record(3)).prop_map(|(one, two, three)| vec![one, two, three])
}

/// An entry of a `result`, as Label Studio writes it for an image of 60x40.
fn any_entries() -> impl Strategy<Value = Vec<Value>> {
    let percent = || (0.0..50.0_f64, 0.0..50.0_f64, 1.0..50.0_f64, 1.0..50.0_f64);
    let place = prop_oneof![
        (percent(), prop_oneof![Just(0.0), 0.0..20.0_f64]).prop_map(|((x, y, width, height), rotation)| (
            "rectangle",
            json!({"x": x, "y": y, "width": width, "height": height, "rotation": rotation})
        )),
        percent().prop_map(|(x, y, w, h)| (
            "polygon",
            json!({"points": [[x, y], [x + w, y], [x + w, y + h]], "closed": true})
        )),
        percent().prop_map(|(x, y, w, h)| (
            "ellipse",
            json!({"x": x, "y": y, "radiusX": w, "radiusY": h, "rotation": 0})
        )),
        percent().prop_map(|(x, y, w, _)| ("keypoint", json!({"x": x, "y": y, "width": w}))),
        (0..59_u32).prop_map(|column| {
            let mask = Mask::from_fn(SIZE.0, SIZE.1, |x, y| x == column && y > 3).expect("small");
            ("brush", json!({"format": "rle", "rle": brush::encode(&mask)}))
        }),
    ];
    let extras = (any::<bool>(), any::<bool>(), any::<bool>(), prop::option::of(0.0..=1.0_f64));
    (place, extras).prop_map(|((kind, place), (generic, noted, stated, score))| {
        let entry = |kind: &str, control: &str, key: Option<&str>, said: Value| {
            let mut value = place.clone();
            if let Some(key) = key {
                value[key] = said;
            }
            json!({
                "type": kind, "from_name": control, "to_name": "image", "value": value, "image_rotation": 0,
                "original_width": SIZE.0, "original_height": SIZE.1,
            })
        };
        let labelled = format!("{kind}labels");
        let mut entries = match generic {
            true => vec![
                entry(kind, "shape", None, json!(null)),
                entry("labels", "what", Some("labels"), json!(["car"])),
            ],
            false => vec![entry(&labelled, "tag", Some(&labelled), json!(["car", "taxi"]))],
        };
        if noted {
            entries[0]["meta"] = json!({"text": ["look"]});
            entries[0]["origin"] = json!("manual");
            entries[0]["parentID"] = json!("0");
        }
        if let Some(score) = score {
            entries[0]["score"] = json!(score);
        }
        if stated {
            entries.push(entry("choices", "colour", Some("choices"), json!(["red"])));
        }
        entries
    })
}

/// Whether two documents are the same, numbers up to rounding.
pub(super) fn near(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            let [one, other] = [one, other].map(|number| number.as_f64().unwrap_or(f64::NAN));
            (one - other).abs() < 1e-8
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| near(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| near(value, other)))
        }
        _ => one == other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn what_a_record_holds_is_in_the_file(all in any_records(), together: bool) {
        let tasks: Vec<_> = match together {
            true => vec![Task { image: "s3://b/all.jpg", records: all.iter().collect(), data: map(json!({"uri": "s3://c/x.jpg"})) }],
            false => all.iter().map(task_of).collect(),
        };
        let written = write(&tasks).expect("percent can be said");
        prop_assert_eq!(&write(&tasks).expect("percent can be said"), &written);
        let items: Vec<_> = read(&written.json, &ReadOptions::default()).collect();
        prop_assert_eq!(refusals(items.clone()), vec![]);
        prop_assert_eq!(written.annotations + written.predictions, 3);
        prop_assert_eq!(sorted(records(items)), sorted(all));
    }

    #[test]
    fn what_label_studio_wrote_is_written_again(regions in prop::collection::vec(any_entries(), 0..5)) {
        let mut result = Vec::new();
        for (id, entries) in regions.iter().enumerate() {
            for entry in entries {
                let mut entry = entry.clone();
                entry["id"] = json!(id.to_string());
                result.push(entry);
            }
        }
        if regions.len() > 1 {
            result.push(json!({"type": "relation", "from_id": "0", "to_id": "1", "direction": "left"}));
        }
        let mut document = task(&result);
        document["annotations"][0]["unique_id"] = json!("uuid");
        document["annotations"][0]["ground_truth"] = json!(true);
        document["annotations"][0]["was_cancelled"] = json!(false);
        let found = record(&document);
        let written = write(&[task_of(&found)]).expect("percent can be said");
        prop_assert_eq!(written.carried, 0);
        let again: Value = serde_json::from_slice(&written.json).expect("JSON");
        prop_assert!(near(&again, &json!([document])), "{again} is not {document}");
        prop_assert_eq!(record(&again), found);
    }
}
