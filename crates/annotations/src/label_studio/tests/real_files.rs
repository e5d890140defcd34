//! Files that Label Studio wrote.

use std::path::Path;

use super::*;

/// A file of the shared data; `None`, with a note, where there is none.
fn shared(name: &str) -> Option<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    let text = std::fs::read(&path);
    if text.is_err() {
        eprintln!("skipped: no {}", path.display());
    }
    text.ok()
}

fn read_file(text: &[u8], options: &ReadOptions) -> Vec<ReadItem> {
    assert!(looks_like(text));
    read(text, options).collect()
}

/// A file of the SDK's own tests, read with its label configuration.
fn of_the_sdk(name: &str, config: &str) -> Option<Vec<ReadItem>> {
    let [text, config] = [name, config].map(|name| shared(&format!("annotations/ls-sdk/test_export_{name}")));
    let config = String::from_utf8(config?).expect("XML is text");
    let items = read_file(&text?, &with_config(&config));
    assert_same_after_writing(&records(items.clone()));
    Some(items)
}

fn assert_same_after_writing(records: &[Record]) {
    let tasks: Vec<_> = records.iter().map(round_trip::task_of).collect();
    let written = write(&tasks).expect("percent can be said");
    assert_eq!(written.carried, 0, "all of it is Label Studio's");
    let again = super::records(read(&written.json, &ReadOptions::default()).collect());
    assert_eq!(again, records);
}

#[test]
fn the_raccoons_are_all_there_in_whole_pixels() {
    let Some(text) = shared("raccoon/ls.json") else { return };
    let records = records(read_file(&text, &ReadOptions::default()));
    assert_eq!(records.len(), 200);
    let boxes: Vec<_> = records.iter().flat_map(|record| &record.regions).collect();
    assert_eq!(boxes.len(), 217);
    for region in boxes {
        let Shape::Box(Bounds { x, y, width, height }) = region.shape else { panic!("{region:?}") };
        assert!([x, y, width, height].iter().all(|number| number.fract() == 0.0), "{region:?}");
        assert_eq!(region.labels, ["raccoon"]);
    }
    assert_same_after_writing(&records);
}

#[test]
fn both_files_of_the_raccoons_say_the_same_boxes() {
    let (Some(text), Some(coco)) = (shared("raccoon/ls.json"), shared("raccoon/coco.json")) else { return };
    let place = |records: &[Record]| {
        let name = |record: &Record| record.image.rsplit('/').next().unwrap_or_default().to_owned();
        let shapes =
            |record: &Record| record.regions.iter().map(|region| region.shape.clone()).collect::<Vec<_>>();
        let mut all: Vec<_> =
            records.iter().map(|record| (name(record), record.frame, shapes(record))).collect();
        all.sort_by(|one, other| one.0.cmp(&other.0));
        all
    };
    let coco = crate::coco::read(&coco, &crate::coco::ReadOptions::default()).expect("a dataset");
    assert_eq!(place(&records(read_file(&text, &ReadOptions::default()))), place(&coco.records));
}

#[test]
fn every_shape_of_a_server_is_read() {
    let (Some(text), Some(config)) = (
        shared("annotations/ls_server_1.23.2_all_shapes_annotations.json"),
        shared("annotations/ls_server_1.23.2_all_shapes.label_config.xml"),
    ) else {
        return;
    };
    let config = String::from_utf8(config).expect("XML is text");
    let items = read_file(&text, &with_config(&config));
    assert!(matches!(items.as_slice(), [ReadItem::Record(_), ReadItem::Skipped(_, Skipped::PredictionId)]));
    let records = records(items);
    let kinds: Vec<_> = records[0].regions.iter().map(|region| region.shape.kind()).collect();
    assert_eq!(kinds, ["box", "rotated_box", "polygon", "mask", "point", "ellipse", "image"]);
    // As the SDK's `decode_rle` says it: 20000 pixels between (100, 100) and (299, 199).
    let Shape::Mask(mask) = &records[0].regions[3].shape else { panic!("a mask") };
    let bounds = Bounds { x: 100.0, y: 100.0, width: 200.0, height: 100.0 };
    assert_eq!((mask.area(), mask.bounds()), (20_000, Some(bounds)));
    assert_same_after_writing(&records);
}

#[test]
fn tasks_for_import_are_read() {
    let Some(text) = shared("annotations/ls_import_tasks_with_predictions.json") else { return };
    let items = read_file(&text, &ReadOptions::default());
    assert!(matches!(
        items.as_slice(),
        [ReadItem::Record(_), ReadItem::Record(_), ReadItem::Skipped(_, Skipped::NotAnnotated)]
    ));
    let records = records(items);
    let found: Vec<_> = records.iter().map(|record| (record.origin.clone(), record.regions.len())).collect();
    let (model, human) = (Origin::Model { version: "yolo:7".to_owned() }, Origin::Human { annotator: None });
    assert_eq!(found, [(model, 7), (human, 3)]);
    assert_same_after_writing(&records);
}

#[test]
fn files_of_the_sdk_are_read_with_their_configurations() {
    let count = |items: &[ReadItem]| {
        let regions = records(items.to_vec()).iter().map(|record| record.regions.len()).collect::<Vec<_>>();
        (regions, refusals(items.to_vec()).len())
    };
    if let Some(items) = of_the_sdk("coco_data.json", "coco_label_config.xml") {
        assert_eq!(count(&items), (vec![4], 0));
    }
    if let Some(items) = of_the_sdk("yolo_data.json", "yolo_label_config.xml") {
        // Two annotations of one task.
        assert_eq!(count(&items).0.iter().sum::<usize>(), 6);
        assert_eq!(count(&items).0.len(), 3);
    }
    if let Some(items) = of_the_sdk("yolo_data_polygons.json", "yolo_label_config_polygons.xml") {
        assert_eq!(count(&items), (vec![1], 0));
    }
    if let Some(items) = of_the_sdk("yolo_data_keypoints.json", "yolo_label_config_keypoints.xml") {
        assert_eq!(count(&items), (vec![4], 0));
        let records = records(items);
        let parents =
            records[0].regions.iter().filter(|region| region.parent.as_deref() == Some("hplPm0Szvc"));
        assert_eq!(parents.count(), 3);
        let relations = records[0].regions.iter().filter_map(|region| region.attributes.get(EXTRA));
        let relations = relations.filter_map(|extra| extra["relations"].as_array());
        assert_eq!(relations.map(Vec::len).sum::<usize>(), 5);
    }
    if let Some(items) = of_the_sdk("yolo_data_obb.json", "yolo_label_config_obb.xml") {
        // `Butterfly` in two tasks, `butterfly` in the third and in the configuration.
        assert_eq!(count(&items), (vec![1], 24));
        assert!(refusals(items).iter().all(|refusal| refusal.code == RefusalCode::UnknownLabel));
    }
    if let Some(text) = shared("annotations/ls-sdk/test_export_yolo_data_obb.json") {
        let items = read_file(&text, &ReadOptions::default());
        assert_eq!((count(&items).0.iter().sum::<usize>(), count(&items).1), (25, 0));
        assert_same_after_writing(&records(items));
    }
}
