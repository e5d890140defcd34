//! What the SDK's converter to COCO gets wrong (measured with label-studio-sdk 2.1.2 on an image of 1000x500), and what
//! we do instead: a test for each case.

use super::*;

fn codes(items: Vec<ReadItem>) -> Vec<RefusalCode> {
    refusals(items).into_iter().map(|refusal| refusal.code).collect()
}

#[test]
fn a_rectangle_keeps_its_numbers_and_its_id() {
    let found = region(&[car("G1wj68-AlF")]);
    assert_eq!(found.id, "G1wj68-AlF");
    assert_eq!(found.shape, Shape::Box(Bounds { x: 100.0, y: 100.0, width: 300.0, height: 50.0 }));
}

#[test]
fn a_rotated_rectangle_keeps_its_rotation_on_an_image_that_is_not_square() {
    let mut turned = car("r");
    turned["value"]["rotation"] = json!(30);
    let bounds = region(&[turned]).shape.bounds().expect("a box has bounds");
    // By hand; the SDK says [50, 100, 309.8, 118.3].
    for (found, expected) in
        [(bounds.x, 75.0), (bounds.y, 100.0), (bounds.width, 284.8), (bounds.height, 193.3)]
    {
        assert!((found - expected).abs() < 0.05, "{found} is not {expected}");
    }
}

#[test]
fn a_polygon_that_is_not_closed_stays_open() {
    let value = json!({"points": [[1, 1], [2, 1], [2, 2]], "closed": false, "polygonlabels": ["car"]});
    assert!(matches!(
        region(&[entry("p", "polygonlabels", value)]).shape,
        Shape::Polygon { closed: false, .. }
    ));
}

#[test]
fn a_polygon_with_generic_labels_is_not_dropped() {
    let place = json!({"points": [[10, 10], [20, 10], [20, 30]], "closed": true});
    let mut labels = place.clone();
    labels["labels"] = json!(["car"]);
    let found = region(&[entry("p", "polygon", place), entry("p", "labels", labels)]);
    assert_eq!(found.shape, polygon(&[[100.0, 50.0], [200.0, 50.0], [200.0, 150.0]]));
    assert_eq!(found.labels, ["car"]);
}

#[test]
fn strokes_keep_their_holes_and_their_image() {
    let ring = Mask::from_fn(1000, 500, |x, y| x < 3 && y < 3 && (x, y) != (1, 1)).expect("small");
    let value = json!({"format": "rle", "rle": brush::encode(&ring), "brushlabels": ["mud"]});
    assert_eq!(region(&[entry("b", "brushlabels", value)]).shape, Shape::Mask(ring));
}

#[test]
fn ellipses_and_choices_do_not_cost_the_image() {
    let ellipse =
        json!({"x": 50, "y": 50, "radiusX": 10, "radiusY": 5, "rotation": 0, "ellipselabels": ["wheel"]});
    let choice = json!({"id": "c", "type": "choices", "from_name": "quality", "to_name": "image", "value": {"choices": ["good"]}});
    for result in [entry("e", "ellipselabels", ellipse), choice] {
        assert_eq!(record(&task(&[result])).regions.len(), 1);
    }
}

#[test]
fn texts_and_relations_are_kept() {
    let text = json!({"id": "t", "type": "textarea", "from_name": "caption", "to_name": "image", "value": {"text": ["a street"]}});
    let relation = json!({"type": "relation", "from_id": "a", "to_id": "t"});
    let found = regions(&[car("a"), text, relation]);
    assert_eq!(found[0].attributes[EXTRA]["relations"][0]["to"], json!("t"));
    assert_eq!(found[1].attributes["caption"]["text"], json!(["a street"]));
}

#[test]
fn points_stay_apart_with_their_own_labels_and_parents() {
    let nose = |id: &str, x: i64, parent: &str| {
        let mut nose =
            entry(id, "keypointlabels", json!({"x": x, "y": 50, "width": 0.5, "keypointlabels": ["nose"]}));
        nose["parentID"] = json!(parent);
        nose
    };
    let found = regions(&[nose("1", 10, "a"), nose("2", 20, "b"), car("a"), car("b")]);
    let at: Vec<_> = found.iter().map(|region| (region.parent.as_deref(), region.labels.join(" "))).collect();
    assert_eq!(at[0], (Some("a"), "nose".to_owned()));
    assert_eq!(at[1], (Some("b"), "nose".to_owned()));
    assert_ne!(found[0].shape, found[1].shape);
}

#[test]
fn points_need_no_model_index() {
    let options = with_config(
        r#"<View><Image name="image" value="$image"/>
           <KeyPointLabels name="tag" toName="image"><Label value="nose"/></KeyPointLabels></View>"#,
    );
    let nose = entry("k", "keypointlabels", json!({"x": 1, "y": 1, "width": 1, "keypointlabels": ["nose"]}));
    assert_eq!(records(read_with(&task(&[nose]), &options)).len(), 1);
}

#[test]
fn all_labels_of_a_region_are_kept() {
    let mut both = car("r");
    both["value"]["rectanglelabels"] = json!(["car", "taxi"]);
    assert_eq!(region(&[both]).labels, ["car", "taxi"]);
}

#[test]
fn a_region_without_labels_is_refused_and_not_dropped() {
    let mut none = car("r");
    none["value"]["rectanglelabels"] = json!([]);
    assert_eq!(refused(&[none.clone()]), RefusalCode::NoLabel);
    none["value"].as_object_mut().expect("an object").remove("rectanglelabels");
    assert_eq!(refused(&[none]), RefusalCode::NoLabel);
}

#[test]
fn a_label_that_the_configuration_does_not_have_is_refused_and_gets_no_number() {
    let options = with_config(
        r#"<View><Image name="image" value="$image"/>
           <RectangleLabels name="tag" toName="image"><Label value="car" category="1"/></RectangleLabels></View>"#,
    );
    let mut zebra = car("z");
    zebra["value"]["rectanglelabels"] = json!(["zebra"]);
    assert_eq!(refused_with(&[car("c"), zebra], &options), RefusalCode::UnknownLabel);
    let document = task(&[car("c")]).to_string();
    let mut reader = read(document.as_bytes(), &options);
    assert_eq!(reader.by_ref().count(), 1);
    assert_eq!(reader.categories().iter().map(|wanted| wanted.id).collect::<Vec<_>>(), [Some(1)]);
}

#[test]
fn a_control_that_the_configuration_does_not_have_is_refused() {
    let options = with_config(
        r#"<View><Image name="image" value="$image"/>
           <RectangleLabels name="other" toName="image"><Label value="car"/></RectangleLabels></View>"#,
    );
    assert_eq!(refused_with(&[car("c")], &options), RefusalCode::UnknownLabel);
}

#[test]
fn two_annotations_of_a_task_are_two_records_of_one_image_in_the_order_of_the_file() {
    let mut twice = task(&[car("r")]);
    let mut second = twice["annotations"][0].clone();
    (second["id"], second["created_at"]) = (json!(9), json!("2026-01-01T00:00:00Z"));
    twice["annotations"].as_array_mut().expect("a list").push(second);
    let found = records(read_all(&twice));
    let ids: Vec<_> = found.iter().map(|record| record.item().annotation_id).collect();
    assert_eq!(ids, [Some(4), Some(9)], "one has a time, the other none");
    assert_eq!(found[0].image, found[1].image);
}

#[test]
fn a_cancelled_annotation_is_said_to_be_skipped() {
    let mut cancelled = task(&[car("r")]);
    cancelled["annotations"][0]["was_cancelled"] = json!(true);
    let items = read_all(&cancelled);
    assert!(matches!(items.as_slice(), [ReadItem::Skipped(_, Skipped::Cancelled)]));
}

#[test]
fn an_annotation_without_regions_was_looked_at_and_a_task_without_annotations_was_not() {
    let looked_at = record(&task(&[]));
    assert_eq!((looked_at.regions.len(), looked_at.frame), (0, None));
    let mut untouched = task(&[]);
    untouched["annotations"] = json!([]);
    assert!(matches!(read_all(&untouched).as_slice(), [ReadItem::Skipped(_, Skipped::NotAnnotated)]));
    untouched.as_object_mut().expect("an object").remove("annotations");
    assert!(matches!(read_all(&untouched).as_slice(), [ReadItem::Skipped(_, Skipped::NotAnnotated)]));
}

#[test]
fn predictions_and_drafts_are_not_ignored_in_silence() {
    let mut document = task(&[car("r")]);
    document["predictions"] = json!([13, {"id": 14, "model_version": "m", "result": [car("r")]}]);
    document["drafts"] = json!([{"id": 15, "result": []}]);
    let items = read_all(&document);
    assert_eq!((records(items.clone()).len(), refusals(items.clone()).len(), items.len()), (2, 0, 4));
}

#[test]
fn a_region_without_a_size_is_refused_and_no_file_is_looked_at() {
    let mut sizeless = car("r");
    sizeless.as_object_mut().expect("an object").retain(|key, _| !key.starts_with("original"));
    assert_eq!(refused(&[sizeless.clone()]), RefusalCode::NoSize);
    assert_eq!(refused(&[car("a"), sizeless]), RefusalCode::NoSize, "others' sizes do not help");
    for size in [json!(0), json!(-5), json!(5_000_000_000_u64), json!(null)] {
        let mut wrong = car("r");
        wrong["original_width"] = size;
        assert_eq!(refused(&[wrong]), RefusalCode::NoSize);
    }
    let mut other = car("b");
    other["original_width"] = json!(640);
    assert_eq!(refused(&[car("a"), other]), RefusalCode::SizeConflict);
}

#[test]
fn an_image_that_was_turned_in_the_editor_is_refused() {
    let mut turned = car("r");
    turned["image_rotation"] = json!(90);
    assert_eq!(refused(&[turned]), RefusalCode::RotatedImage);
}

#[test]
fn truth_score_meta_and_annotator_are_kept() {
    let mut scored = car("r");
    (scored["score"], scored["meta"]) = (json!(0.5), json!({"text": ["x"]}));
    let mut document = task(&[scored]);
    document["annotations"][0]["ground_truth"] = json!(true);
    let found = record(&document);
    assert!(found.ground_truth);
    assert_eq!(found.origin, Origin::Human { annotator: Some("1".to_owned()) });
    assert_eq!(found.regions[0].score, Some(0.5));
    assert_eq!(found.regions[0].attributes[EXTRA]["meta"], json!({"text": ["x"]}));
}

#[test]
fn regions_stay_in_their_order_whatever_their_controls() {
    let mut ring =
        entry("P1", "polygonlabels", json!({"points": [[1, 1], [2, 1], [2, 2]], "polygonlabels": ["car"]}));
    ring["from_name"] = json!("poly");
    let mut second = ring.clone();
    second["id"] = json!("P2");
    let ids: Vec<_> =
        regions(&[ring, car("R1"), second, car("R2")]).into_iter().map(|region| region.id).collect();
    assert_eq!(ids, ["P1", "R1", "P2", "R2"]);
}

#[test]
fn categories_keep_the_numbers_of_the_configuration() {
    let options = with_config(
        r#"<View><Image name="image" value="$image"/><RectangleLabels name="tag" toName="image">
           <Label value="raccoons" category="0"/><Label value="raccoon" category="1"/><Label value="ant"/>
           </RectangleLabels></View>"#,
    );
    let config = options.label_config.expect("given");
    let categories: Vec<_> =
        config.categories().into_iter().map(|wanted| (wanted.id, wanted.definition.name)).collect();
    assert_eq!(
        categories,
        [(Some(0), "raccoons"), (Some(1), "raccoon"), (None, "ant")].map(|(id, name)| (id, name.to_owned()))
    );
}

#[test]
fn the_image_is_named_as_it_is_written() {
    for name in ["s3://bkt/dir a/img%201.jpg", "https://h/p/a%20b.jpg?sig", "dir/a b.jpg", "/etc/passwd.jpg"]
    {
        let mut document = task(&[car("r")]);
        document["data"]["image"] = json!(name);
        assert_eq!(record(&document).image, name);
    }
}

#[test]
fn the_image_is_never_another_text() {
    let mut document = task(&[car("r")]);
    document["data"] = json!({"text": "hello", "picture": "s3://imgs/a.jpg", "record_id": "rec-1"});
    assert_eq!(record(&document).image, "s3://imgs/a.jpg");
    document["data"] = json!({"text": "hello"});
    assert_eq!(codes(read_all(&document)), [RefusalCode::NoImage]);
    document["data"] = json!({"image": ["s3://imgs/a.jpg", "s3://imgs/b.jpg"]});
    assert_eq!(codes(read_all(&document)), [RefusalCode::Malformed]);
}

#[test]
fn of_two_images_the_one_that_is_labelled_is_taken_else_the_task_is_refused() {
    let mut document = task(&[car("r")]);
    document["data"] = json!({"left": "s3://imgs/l.jpg", "right": "s3://imgs/r.jpg"});
    assert_eq!(codes(read_all(&document)), [RefusalCode::SeveralImages]);
    document["annotations"][0]["result"][0]["to_name"] = json!("right");
    assert_eq!(record(&document).image, "s3://imgs/r.jpg");
    document["annotations"][0]["result"][0]["to_name"] = json!("photo");
    let options = with_config(
        r#"<View><Text name="text" value="$left"/><Image name="photo" value="$right"/>
           <RectangleLabels name="tag" toName="photo"><Label value="car"/></RectangleLabels></View>"#,
    );
    assert_eq!(records(read_with(&document, &options))[0].image, "s3://imgs/r.jpg");
    document["data"] = json!({"image": "s3://imgs/a.jpg", "s3_uri": "s3://imgs/a.jpg"});
    assert_eq!(record(&document).image, "s3://imgs/a.jpg", "twice the same is not two");
}

#[test]
fn an_empty_configuration_is_a_clear_error() {
    assert_eq!(LabelConfig::parse("<View></View>"), Err(LabelConfigError::NoImage));
    assert!(matches!(LabelConfig::parse(""), Err(LabelConfigError::Xml(_))));
}
