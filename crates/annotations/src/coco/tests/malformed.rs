//! What is broken is named, and the rest is read.

use super::*;

#[test]
fn a_broken_annotation_costs_its_image_and_is_named() {
    use RefusalCode::{Degenerate, LimitExceeded, Malformed, OutOfRange, SizeConflict};
    let long: Vec<_> = (0..100_000).flat_map(|index| [index % 999, index % 499]).collect();
    let exterior: Vec<_> = (0..50_001).map(|index| [index % 999, index % 499]).collect();
    let carried = json!({"type": "polygon", "polygons": [{"exterior": exterior}]});
    for (annotation, code, detail) in [
        (json!({}), Malformed, "neither `bbox` nor `segmentation`"),
        (json!({"bbox": [1, 2, 3]}), Malformed, "[x, y, width, height]"),
        (json!({"bbox": "1,2,3,4"}), Malformed, "no list of numbers"),
        (json!({"bbox": [1, 2, "3", 4]}), Malformed, "`bbox` is no number: \"3\""),
        (json!({"bbox": [1, 2, 0, 4]}), Degenerate, "no extent"),
        (json!({"bbox": [1, 2, 3, -4]}), Degenerate, "no extent"),
        (json!({"bbox": [-0.4, 2, 0.3, 4]}), Degenerate, "no extent"),
        (json!({"bbox": [-0.6, 2, 3, 4]}), OutOfRange, "-0.6"),
        (json!({"bbox": [990, 2, 10.6, 4]}), OutOfRange, "1000.6"),
        (json!({"bbox": [1, 499, 3, 40]}), OutOfRange, "539"),
        (json!({"segmentation": [[1, 2, 3, 4, 5]]}), Malformed, "odd"),
        (json!({"segmentation": [[1, 2, 3, 4]]}), Degenerate, "2 points"),
        (json!({"segmentation": [[1, 2, 3, 4, 5, 6]]}), Degenerate, "no area"),
        (json!({"segmentation": [1, 2, 3, 4, 5, 6]}), Malformed, "list of such lists"),
        (json!({"segmentation": [[1, 2, 3, 2, 3, 600]]}), OutOfRange, "600"),
        (json!({"segmentation": [long]}), LimitExceeded, "100000 points"),
        (json!({"bbox": [1, 2, 3, 4], "imageml": {"shape": carried}}), LimitExceeded, "50001 points"),
        (json!({"segmentation": "polygon"}), Malformed, "neither polygons nor RLE"),
        (json!({"segmentation": {"counts": "0"}}), SizeConflict, "null"),
        (json!({"segmentation": {"size": [1000, 500], "counts": [500_000]}}), SizeConflict, "[1000,500]"),
        (
            json!({"segmentation": {"size": [500, 1000], "counts": [5, 6]}}),
            Malformed,
            "cover 11 pixels of 500000",
        ),
        (json!({"segmentation": {"size": [500, 1000], "counts": [-5, 6]}}), Malformed, "no list of lengths"),
        (json!({"segmentation": {"size": [500, 1000], "counts": [500_000]}}), Degenerate, "no pixel"),
        (json!({"segmentation": {"size": [500, 1000]}}), Malformed, "`counts`"),
        (json!({"bbox": [1, 1, 2, 2], "keypoints": [1, 1, 2]}), Malformed, "\"raccoons\" has 0 keypoints"),
        (json!({"category_id": 1, "bbox": [1, 1, 2, 2], "keypoints": [1, 1, 2]}), Malformed, "3 numbers"),
        (
            json!({"category_id": 1, "bbox": [1, 1, 2, 2], "keypoints": [1, 1, 3, 0, 0, 0]}),
            Malformed,
            "not 3",
        ),
        (
            json!({"category_id": 1, "bbox": [1, 1, 2, 2], "keypoints": [1, 501, 2, 0, 0, 0]}),
            OutOfRange,
            "501",
        ),
        (json!({"bbox": [1, 1, 2, 2], "area": -1}), Malformed, "`area`"),
        (json!({"bbox": [1, 1, 2, 2], "iscrowd": 2}), Malformed, "`iscrowd`"),
        (json!({"bbox": [1, 1, 2, 2], "score": 1.8}), OutOfRange, "1.8"),
        (json!({"bbox": [1, 1, 2, 2], "id": null}), Malformed, "no id"),
        (json!({"bbox": [1, 1, 2, 2], "id": "x"}), Malformed, "`id` is no integer"),
        (json!({"bbox": [1, 1, 2, 2], "category_id": null}), Malformed, "no `category_id`"),
        (json!({"bbox": [1, 1, 2, 2], "imageml": 3}), Malformed, "`imageml`"),
    ] {
        let (found, said) = refused(annotation.clone());
        assert_eq!(found, code, "{said}");
        assert!(said.contains(detail), "{said:?} has no {detail:?}");
    }
}

#[test]
fn all_that_is_wrong_with_an_annotation_is_said() {
    let broken =
        json!({"id": 3, "image_id": 7, "category_id": 0, "bbox": [1, 1, 0, 0], "iscrowd": 7, "score": -1});
    let import = import(&file(&json!([broken])));
    assert_eq!((import.records.len(), import.refusals.len()), (0, 3));
}

#[test]
fn rounding_over_the_edge_is_moved_to_it() {
    let found = region(json!({"bbox": [-0.5, 10, 1000.75, 490.4]}));
    assert_eq!(found.shape, Shape::Box(bounds(0.0, 10.0, 1000.0, 490.0)));
    let found = region(json!({"segmentation": [[-0.1, 0, 1000.5, 0, 500, 500.2, -0.1, 0]]}));
    assert_eq!(
        found.shape,
        polygon(&[&[[0.0, 0.0], [1000.0, 0.0], [500.0, 500.0]]]),
        "and the first is not repeated"
    );
}

/// Three images with a box each; `text` may change the file's text.
fn three(change: impl Fn(String) -> String) -> Import {
    let images: Vec<_> =
        (1..4).map(|id| json!({"id": id, "file_name": format!("{id}"), "width": 9, "height": 9})).collect();
    let boxes: Vec<_> =
        (1..4).map(|id| json!({"id": id, "image_id": id, "category_id": 0, "bbox": [1, 1, 2, 2]})).collect();
    let lines = |items: &[Value]| items.iter().map(Value::to_string).collect::<Vec<_>>().join(",\n");
    let text = format!(
        "{{\"categories\": [{}],\n\"images\": [\n{}\n],\n\"annotations\": [\n{}\n]}}",
        json!({"id": 0, "name": "thing"}),
        lines(&images),
        lines(&boxes)
    );
    read(change(text).as_bytes(), &ReadOptions::default()).expect("a dataset")
}

fn names(import: &Import) -> Vec<&str> {
    import.records.iter().map(|record| record.image.as_str()).collect()
}

#[test]
fn what_is_not_a_number_is_named_and_the_rest_is_read() {
    let import = three(|text| text.replacen("\"bbox\":[1,1,2,2]", "\"bbox\":[NaN,1,2,2]", 1));
    assert_eq!(names(&import), ["2", "3"]);
    let [refusal] = import.refusals.as_slice() else { panic!("{:?}", import.refusals) };
    assert_eq!((refusal.code, refusal.item.annotation_id), (RefusalCode::NotFinite, Some(1)));
    assert_eq!((refusal.item.image_id, refusal.item.image.as_deref()), (Some(1), Some("1")));
}

#[test]
fn deep_nesting_costs_only_its_item() {
    let deep = format!("\"attributes\":{}{},\"bbox\"", "[".repeat(100_000), "]".repeat(100_000));
    let import = three(|text| text.replacen("\"bbox\"", &deep, 1));
    assert_eq!(names(&import), ["2", "3"]);
    assert_eq!(import.refusals[0].code, RefusalCode::Malformed);
    assert_eq!(import.refusals[0].item.annotation_id, Some(1));
}

#[test]
fn wrong_types_cost_only_their_item() {
    let import = three(|text| text.replacen("\"file_name\":\"2\"", "\"file_name\":2", 1));
    assert_eq!(names(&import), ["1", "3"]);
    let import = three(|text| text.replacen("\"id\":2", "\"id\":\"2\"", 1));
    assert_eq!(names(&import), ["1", "3"], "its annotation refers to nothing");
    let import = three(|text| text.replacen("{\"bbox\"", "17,{\"bbox\"", 1));
    assert_eq!(names(&import), ["1", "2", "3"]);
    assert_eq!(import.refusals.len(), 1);
}

#[test]
fn annotations_with_the_same_id_cost_their_images() {
    let import = three(|text| text.replacen("\"id\":2,\"image_id\"", "\"id\":1,\"image_id\"", 1));
    assert_eq!(names(&import), ["3"]);
    let codes: Vec<_> = import.refusals.iter().map(|refusal| (refusal.item.image_id, refusal.code)).collect();
    assert_eq!(codes, [(Some(1), RefusalCode::DuplicateId), (Some(2), RefusalCode::DuplicateId)]);
}

#[test]
fn of_a_file_that_is_cut_off_what_is_complete_is_read() {
    // In the middle of the third annotation: the second image may have more than was found.
    let end = |text: &str| text.rfind("\"image_id\"").expect("three annotations");
    let import = three(|text| text.split_at(end(&text)).0.to_owned());
    assert_eq!(names(&import), ["1"]);
    let said: Vec<_> = import.refusals.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "the file: truncated: the document ends after 2 of `annotations`",
            "item 1 image 2 (2): truncated: `annotations` ends early: some of this image may be missing",
            "item 2 image 3 (3): truncated: no annotation of it was found, but `annotations` ends early",
        ]
    );
}

#[test]
fn of_a_file_that_is_cut_off_and_in_no_order_nothing_is_taken() {
    // Annotations of images 1, 3, 2, and of another the beginning.
    let import = three(|text| {
        let text = text.replacen("\"image_id\":2", "\"image_id\":0", 1);
        let text = text.replacen("\"image_id\":3", "\"image_id\":2", 1);
        let text = text.replacen("\"image_id\":0", "\"image_id\":3", 1);
        text.trim_end_matches("\n]}").to_owned() + ",\n{\"id\""
    });
    assert_eq!(import.records, []);
    let details: Vec<_> = import.refusals.iter().map(|refusal| refusal.detail.as_str()).collect();
    let unordered =
        "`annotations` ends early and is not in the order of `images`: some of this image may be missing";
    assert_eq!(details, ["the document ends after 3 of `annotations`", unordered, unordered, unordered]);
}

#[test]
fn a_missing_comma_ends_a_list_and_is_said() {
    let import = three(|text| {
        text.replace(
            "},\n{\"bbox\":[1,1,2,2],\"category_id\":0,\"id\":3",
            "}\n{\"bbox\":[1,1,2,2],\"category_id\":0,\"id\":3",
        )
    });
    assert_eq!(import.records, []);
    assert_eq!(import.refusals[0].detail, "there is no comma after 1 of `annotations`");
}

#[test]
fn more_annotations_than_an_image_may_have_cost_that_image() {
    let many: Vec<_> =
        (0..5).map(|id| json!({"id": id, "image_id": 7, "category_id": 0, "bbox": [1, 1, 2, 2]})).collect();
    let text = file(&json!(many)).to_string();
    let limits = Limits { annotations: 4, ..Limits::default() };
    let import = read(text.as_bytes(), &ReadOptions { limits, ..ReadOptions::default() }).expect("a dataset");
    assert_eq!((import.records.len(), import.refusals.len()), (0, 1));
    assert_eq!(import.refusals[0].code, RefusalCode::LimitExceeded);
}

#[test]
fn categories_that_clash_are_refused() {
    let mut file = file(&json!([]));
    file["categories"] = json!([
        {"id": 1, "name": "a"}, {"id": 1, "name": "a"}, {"id": 1, "name": "b"}, {"id": 2, "name": "a"},
        {"id": -1, "name": "c"}, {"id": 3}, {"name": "d"}, {"id": 4, "name": "e", "skeleton": "none"},
    ]);
    let import = import(&file);
    assert_eq!(import.categories.len(), 1, "said twice, it is one");
    let found: Vec<_> = import.refusals.iter().map(|refusal| (refusal.item.index, refusal.code)).collect();
    let (twice, wrong) = (RefusalCode::DuplicateId, RefusalCode::Malformed);
    let expected = [(2, twice), (3, twice), (4, wrong), (5, wrong), (6, wrong), (7, wrong)];
    assert_eq!(found, expected.map(|(index, code)| (Some(index), code)));
}

#[test]
fn no_document_makes_it_panic() {
    let text = file(&json!([{"id": 1, "image_id": 7, "category_id": 0, "bbox": [1, 1, 2, 2]}])).to_string();
    for end in 0..text.len() {
        let (start, _) = text.split_at(end);
        if let Ok(import) = read(start.as_bytes(), &ReadOptions::default()) {
            assert!(!import.refusals.is_empty(), "cut off at {end} without a word");
        }
    }
}
