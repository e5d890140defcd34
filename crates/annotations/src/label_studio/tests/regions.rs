//! What results become.

use super::*;

#[test]
fn percent_of_each_side_become_pixels() {
    let found = region(&[car("r")]);
    assert_eq!(found.shape, Shape::Box(Bounds { x: 100.0, y: 100.0, width: 300.0, height: 50.0 }));
    assert_eq!((found.id.as_str(), found.labels.as_slice()), ("r", &["car".to_owned()][..]));
    assert_eq!(found.control.as_deref(), Some("tag"));
    // 81 of 650 and 441 of 650 pixels, as Label Studio writes them.
    let mut raccoon = car("r");
    raccoon["original_width"] = json!(650);
    raccoon["value"]["x"] = json!(12.461538461538462);
    raccoon["value"]["width"] = json!(67.84615384615384);
    assert_eq!(
        region(&[raccoon]).shape,
        Shape::Box(Bounds { x: 81.0, y: 100.0, width: 441.0, height: 50.0 })
    );
}

#[test]
fn a_box_is_turned_in_pixels_about_its_top_left_corner() {
    let mut turned = car("r");
    turned["value"]["rotation"] = json!(30);
    let shape = region(&[turned]).shape;
    assert_eq!(shape, Shape::RotatedBox { x: 100.0, y: 100.0, width: 300.0, height: 50.0, rotation: 30.0 });
    // cos 30° = 0.8660, sin 30° = 0.5: corners (100, 100), (359.8, 250), (334.8, 293.3), (75, 143.3).
    let Bounds { x, y, width, height } = shape.bounds().expect("a box has bounds");
    let found = [x, y, width, height].map(|number| (number * 10.0).round() / 10.0);
    assert_eq!(found, [75.0, 100.0, 284.8, 193.3]);
}

#[test]
fn a_polygon_keeps_its_points_and_whether_it_is_closed() {
    let points = json!([[10, 10], [20, 10], [20, 30]]);
    let expected = polygon(&[[100.0, 50.0], [200.0, 50.0], [200.0, 150.0]]);
    let closed =
        entry("p", "polygonlabels", json!({"points": points, "closed": true, "polygonlabels": ["car"]}));
    assert_eq!(region(std::slice::from_ref(&closed)).shape, expected);
    let mut silent = closed.clone();
    silent["value"].as_object_mut().expect("an object").remove("closed");
    assert_eq!(region(&[silent]).shape, expected);
    let mut open = closed;
    open["value"]["closed"] = json!(false);
    assert!(matches!(region(&[open]).shape, Shape::Polygon { closed: false, .. }));
}

#[test]
fn ellipses_and_points_are_scaled_along_each_axis() {
    let value =
        json!({"x": 50, "y": 50, "radiusX": 10, "radiusY": 5, "rotation": 15, "ellipselabels": ["wheel"]});
    let center = Point { x: 500.0, y: 250.0 };
    let expected = Shape::Ellipse { center, radius_x: 100.0, radius_y: 25.0, rotation: 15.0 };
    assert_eq!(region(&[entry("e", "ellipselabels", value)]).shape, expected);
    // The size of a point is in percent of the width.
    let value = json!({"x": 50, "y": 50, "width": 0.5, "keypointlabels": ["nose"]});
    let found = region(&[entry("k", "keypointlabels", value)]);
    assert_eq!(found.shape, Shape::Point { at: center, size: Some(5.0) });
    assert_eq!(found.labels, ["nose"]);
}

#[test]
fn strokes_are_masks() {
    // mask2rle of label-studio-sdk 2.1.2 for the rows "....." ".###." "....#".
    let rle = [0, 0, 0, 60, 57, 27, 254, 23, 0, 183, 255, 132, 192, 35, 255, 0];
    let mut strokes = entry("b", "brushlabels", json!({"format": "rle", "rle": rle, "brushlabels": ["mud"]}));
    (strokes["original_width"], strokes["original_height"]) = (json!(5), json!(3));
    let set = |x, y| (y == 1 && (1..4).contains(&x)) || (x, y) == (4, 2);
    assert_eq!(region(&[strokes]).shape, Shape::Mask(Mask::from_fn(5, 3, set).expect("small")));
}

#[test]
fn generic_labels_and_the_shape_they_are_of_are_one_region() {
    let place = json!({"x": 10, "y": 20, "width": 30, "height": 10, "rotation": 0});
    let mut labels = place.clone();
    labels["labels"] = json!(["car", "red"]);
    let (mut shape, mut labels) = (entry("r", "rectangle", place), entry("r", "labels", labels));
    (shape["from_name"], labels["from_name"]) = (json!("box"), json!("what"));
    for results in [[shape.clone(), labels.clone()], [labels.clone(), shape.clone()]] {
        let found = region(&results);
        assert_eq!(found.labels, ["car", "red"]);
        assert_eq!(found.shape, region(&[car("r")]).shape);
        assert_eq!(found.control.as_deref(), Some("box"));
        assert_eq!(found.attributes, map(json!({"label_studio": {"labels_control": "what"}})));
    }
    // Older versions write only the labels, with the shape.
    let found = region(&[labels]);
    assert_eq!((found.control, found.shape), (None, region(&[car("r")]).shape));
    assert_eq!(refused(&[shape]), RefusalCode::NoLabel);
}

#[test]
fn what_else_is_said_of_a_region_is_in_its_attributes() {
    let mut colour = car("r");
    colour["type"] = json!("choices");
    colour["from_name"] = json!("colour");
    colour["value"] = json!({"x": 10, "y": 20, "width": 30, "height": 10, "rotation": 0, "choices": ["red"]});
    let mut note = colour.clone();
    note["type"] = json!("textarea");
    note["from_name"] = json!("note");
    note["score"] = json!(0.5);
    note["value"] = json!({"text": ["a dent"]});
    let mut first = car("r");
    first["meta"] = json!({"text": ["look again"]});
    first["readonly"] = json!(true);
    first["value"]["ocr"] = json!("B-XY 123");
    let found = region(&[first, colour.clone(), note]);
    assert_eq!(
        found.attributes,
        map(json!({
            "colour": {"choices": ["red"]},
            "note": {"text": ["a dent"], "score": 0.5},
            "label_studio": {
                "meta": {"text": ["look again"]}, "result": {"readonly": true}, "value": {"ocr": "B-XY 123"},
            },
        }))
    );
    assert_eq!((found.score, found.labels), (None, vec!["car".to_owned()]));
    assert_eq!(refused(&[car("r"), colour.clone(), colour.clone()]), RefusalCode::DuplicateId);
    let mut moved = colour.clone();
    moved["value"]["x"] = json!(11);
    assert_eq!(refused(&[car("r"), moved]), RefusalCode::DuplicateId);
    assert_eq!(refused(&[colour]), RefusalCode::Malformed, "there is no region");
}

#[test]
fn what_is_said_of_the_whole_image_is_a_region_too() {
    let about = |id: &str, kind: &str, control: &str, value: Value| json!({"id": id, "type": kind, "from_name": control, "to_name": "image", "value": value});
    let mut quality = about("c", "choices", "quality", json!({"choices": ["good", "sharp"]}));
    quality["score"] = json!(0.8);
    let results = [
        quality,
        about("t", "textarea", "caption", json!({"text": ["a street"]})),
        about("s", "rating", "stars", json!({"rating": 4})),
        about("n", "number", "count", json!({"number": 2.5})),
        about("x", "taxonomy", "kind", json!({"taxonomy": [["street", "wet"]]})),
    ];
    let record = record(&task(&results));
    assert_eq!(record.frame, None);
    let found: Vec<_> = record
        .regions
        .iter()
        .map(|region| {
            assert_eq!(region.shape, Shape::Image);
            (region.labels.join(" "), region.score, Value::Object(region.attributes.clone()))
        })
        .collect();
    let expected = [
        ("good sharp", Some(0.8), json!({})),
        ("caption", None, json!({"caption": {"text": ["a street"]}})),
        ("stars", None, json!({"stars": {"rating": 4}})),
        ("count", None, json!({"count": {"number": 2.5}})),
        ("kind", None, json!({"kind": {"taxonomy": [["street", "wet"]]}})),
    ];
    assert_eq!(found, expected.map(|(labels, score, attributes)| (labels.to_owned(), score, attributes)));
}

#[test]
fn how_a_region_came_to_be_is_kept() {
    let mut first = car("a");
    first["score"] = json!(0.91);
    first["origin"] = json!("prediction-changed");
    first["parentID"] = json!("b");
    let relation =
        json!({"type": "relation", "from_id": "a", "to_id": "b", "direction": "right", "labels": ["on"]});
    let found = regions(&[first, car("b"), relation]);
    assert_eq!(found[0].score, Some(0.91));
    assert_eq!(found[0].drawn, Some(Drawn::PredictionChanged));
    assert_eq!(found[0].parent.as_deref(), Some("b"));
    let relations = json!({"relations": [{"to": "b", "direction": "right", "labels": ["on"]}]});
    assert_eq!(found[0].attributes[EXTRA], relations);
    let dangling = json!({"type": "relation", "from_id": "b", "to_id": "z"});
    assert_eq!(refused(&[car("b"), dangling]), RefusalCode::DanglingReference);
    let mut new = car("a");
    new["origin"] = json!("imported");
    assert_eq!(region(&[new]).attributes[EXTRA], json!({"result": {"origin": "imported"}}));
}

#[test]
fn a_little_outside_is_moved_to_the_edge_and_more_is_refused() {
    // 0.4 pixels to the left, 0.25 below.
    let mut over = car("r");
    over["value"] = json!({"x": -0.04, "y": 50, "width": 10, "height": 50.05, "rectanglelabels": ["car"]});
    let expected = Shape::Box(Bounds { x: 0.0, y: 250.0, width: 99.6, height: 250.0 });
    assert_eq!(region(&[over.clone()]).shape, expected);
    over["value"]["x"] = json!(-0.06);
    assert_eq!(refused(&[over]), RefusalCode::OutOfRange);
    let points = json!([[10, 10], [100.04, 10], [20, 30]]);
    let ring = entry("p", "polygonlabels", json!({"points": points, "polygonlabels": ["car"]}));
    assert_eq!(region(&[ring]).shape, polygon(&[[100.0, 50.0], [1000.0, 50.0], [200.0, 150.0]]));
    // Turned, it reaches out of the image; its centre does not.
    let mut turned = car("r");
    turned["value"] =
        json!({"x": 1, "y": 2, "width": 30, "height": 10, "rotation": 30, "rectanglelabels": ["car"]});
    assert!(matches!(region(&[turned.clone()]).shape, Shape::RotatedBox { .. }));
    turned["value"]["rotation"] = json!(180);
    assert_eq!(refused(&[turned]), RefusalCode::OutOfRange);
}
