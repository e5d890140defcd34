//! What the SDK's `convert_coco_to_ls` gets wrong (measured with label-studio-sdk 2.1.2), and what we do instead: a test
//! for each case.

use super::*;

#[test]
fn a_box_keeps_its_pixels_and_its_id() {
    let found = region(json!({"bbox": [10.25, 20.0, 30.0, 40.0], "segmentation": []}));
    assert_eq!((found.shape, found.id.as_str()), (Shape::Box(bounds(10.25, 20.0, 30.0, 40.0)), "3"));
}

#[test]
fn a_box_and_two_polygons_in_one_annotation_are_one_region() {
    let rings = json!([[10, 10, 20, 10, 20, 20], [30, 30, 40, 30, 40, 40]]);
    let found = region(json!({"bbox": [10, 10, 30, 30], "segmentation": rings}));
    let Shape::Polygon { polygons, .. } = &found.shape else { panic!("{found:?}") };
    assert_eq!((polygons.len(), found.bounds), (2, Some(bounds(10.0, 10.0, 30.0, 30.0))));
}

#[test]
fn an_rle_segmentation_is_a_mask() {
    // pycocotools 2.0.11: frPyObjects of the same counts gives this text.
    let set = |x: u32, y: u32| x == 0 && (3..8).contains(&y);
    let mask = Mask::from_fn(1000, 500, set).expect("small");
    assert_eq!(mask.counts(), [3, 5, 499_992]);
    for counts in [json!([3, 5, 499_992]), json!(mask.to_compressed())] {
        let found =
            region(json!({"bbox": [0, 3, 1, 5], "segmentation": {"size": [500, 1000], "counts": counts}}));
        assert_eq!(found.shape, Shape::Mask(mask.clone()));
    }
}

#[test]
fn a_crowd_without_segmentation_is_a_box_that_is_a_crowd() {
    let found = region(json!({"bbox": [1, 1, 9, 9], "segmentation": [], "iscrowd": 1}));
    assert!(found.crowd && matches!(found.shape, Shape::Box(_)));
}

#[test]
fn keypoints_are_one_region_with_the_names_of_its_category_and_absent_ones_stay_absent() {
    let found = region(json!({"category_id": 1, "bbox": [1, 1, 9, 9], "keypoints": [2, 3, 1, 0, 0, 0]}));
    let visible: Vec<_> = found.keypoints.iter().map(|point| point.visibility).collect();
    assert_eq!(visible, [Visibility::Hidden, Visibility::Absent]);
    let import = import(&file(&json!([])));
    assert_eq!(import.categories[1].definition.keypoints, ["nose", "tail"]);
}

#[test]
fn an_image_without_annotations_was_looked_at() {
    let import = import(&file(&json!([])));
    assert_eq!((import.records.len(), import.refusals.as_slice()), (1, &[][..]));
    assert!(import.records[0].regions.is_empty());
}

#[test]
fn what_dangles_is_named_and_costs_only_its_image() {
    let box_of = |id: i64, image_id: i64, category_id: i64| json!({"id": id, "image_id": image_id, "category_id": category_id, "bbox": [1, 1, 2, 2]});
    let mut file = file(&json!([box_of(1, 7, 0), box_of(2, 99, 0), box_of(3, 8, 5)]));
    let second = json!({"id": 8, "file_name": "c.jpg", "width": 10, "height": 10});
    file["images"].as_array_mut().expect("a list").push(second);
    let import = import(&file);
    assert_eq!(import.records.len(), 1);
    let said: Vec<_> = import.refusals.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            "item 1 image 99 category 0 annotation 2: dangling_reference: there is no image 99",
            "item 2 image 8 category 5 annotation 3 (c.jpg): dangling_reference: there is no category 5",
        ]
    );
}

#[test]
fn a_file_without_annotations_is_refused_as_a_whole() {
    let mut file = file(&json!([]));
    file.as_object_mut().expect("an object").remove("annotations");
    let error = read(file.to_string().as_bytes(), &ReadOptions::default()).expect_err("nobody looked");
    assert_eq!(error.code, RefusalCode::Malformed);
    assert!(error.detail.contains("`annotations`"), "{error}");
}

#[test]
fn an_image_without_a_size_is_refused() {
    for size in [json!(null), json!(0), json!(-5), json!(5_000_000_000_u64)] {
        let mut file = file(&json!([{"id": 1, "image_id": 7, "category_id": 0, "bbox": [1, 1, 2, 2]}]));
        file["images"][0]["width"] = size;
        let import = import(&file);
        assert_eq!(import.records, []);
        let codes: Vec<_> = import.refusals.iter().map(|refusal| refusal.code).collect();
        assert_eq!(codes, [RefusalCode::NoSize]);
    }
}

#[test]
fn images_with_the_same_id_or_name_are_all_refused() {
    for second in [
        json!({"id": 7, "file_name": "other.jpg", "width": 10, "height": 10}),
        json!({"id": 8, "file_name": "dir a/b.jpg", "width": 10, "height": 10}),
    ] {
        let mut file = file(&json!([]));
        file["images"].as_array_mut().expect("a list").push(second);
        let import = import(&file);
        assert_eq!(import.records, []);
        let codes: Vec<_> =
            import.refusals.iter().map(|refusal| (refusal.item.index, refusal.code)).collect();
        let twice = RefusalCode::DuplicateId;
        assert_eq!(codes, [(Some(0), twice), (Some(1), twice)]);
    }
}

#[test]
fn names_of_categories_may_have_any_characters() {
    let mut file = file(&json!([{"id": 1, "image_id": 7, "category_id": 0, "bbox": [1, 1, 2, 2]}]));
    file["categories"][0]["name"] = json!(r#"R&B "x" <y>"#);
    let import = import(&file);
    assert_eq!(import.records[0].regions[0].labels, [r#"R&B "x" <y>"#]);
}

#[test]
fn scores_areas_attributes_supercategories_and_ids_are_kept() {
    let mut file = file(&json!([{
        "id": 41, "image_id": 7, "category_id": 0, "bbox": [1, 1, 2, 2], "area": 3.5, "score": 0.25,
        "attributes": {"occluded": false},
    }]));
    file["categories"][0]["supercategory"] = json!("animal");
    let import = import(&file);
    let found = &import.records[0].regions[0];
    assert_eq!((found.id.as_str(), found.area, found.score), ("41", Some(3.5), Some(0.25)));
    assert_eq!(found.attributes["occluded"], json!(false));
    assert_eq!(import.categories[0].definition.supercategory.as_deref(), Some("animal"));
    assert_eq!(import.records[0].provenance, Provenance::Coco { image_id: 7 });
}

#[test]
fn names_of_images_are_kept_as_they_are_written() {
    for name in ["a b/u-umlaut#1.jpg", "s3://bkt/pre fix/k.jpg", "a b%20c.jpg"] {
        let mut file = file(&json!([]));
        file["images"][0]["file_name"] = json!(name);
        assert_eq!(import(&file).records[0].image, name);
    }
}

#[test]
fn the_ids_of_categories_are_not_swapped() {
    let Some(import) = shared("annotations/coco/roboflow_raccoon_annotations.coco.json") else { return };
    assert_eq!((import.refusals.as_slice(), import.records.len()), (&[][..], 196));
    assert_eq!(regions(&import).len(), 213);
    let mut registry = Registry::default();
    registry.admit(&import.categories);
    let ids = |name: &str| registry.get(name).map(|category| category.id);
    assert_eq!((ids("raccoons"), ids("raccoon")), (Some(0), Some(1)));
    assert!(regions(&import).iter().all(|region| region.labels == ["raccoon"]));
    let entries: Vec<_> = import.records.iter().map(round_trip::entry).collect();
    let written: Value =
        serde_json::from_slice(&write(&entries, &registry).expect("known").json).expect("JSON");
    assert_eq!(written["categories"][0]["name"], json!("raccoons"));
    assert!(written["annotations"].as_array().expect("a list").iter().all(|found| found["category_id"] == 1));
}
