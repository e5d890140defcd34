//! Annotation files of other tools: real ones read, our own written beside curated datasets, and the import's helper
//! killed in the middle.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use testkit::Conversions;

use crate::annotations::{coco, write};
use crate::bench::{Bench, Running, list, shared, text};
use crate::pictures;

/// Dataset `d` of four pictures, of which two have boxes and one has nothing on it.
fn annotated() -> anyhow::Result<Bench> {
    let bench = Bench::with_pictures(4)?;
    let boxes = [
        ("00.jpg", 7, [10.0, 20.0, 50.0, 40.0]),
        ("00.jpg", 3, [0.0, 0.0, 10.0, 10.0]),
        ("01.jpg", 3, [20.0, 30.0, 20.0, 20.0]),
    ];
    let file = write(&bench, "boxes.json", &coco(&boxes, &["02.jpg"]))?;
    bench.run(&["--annotations", &file, "--split", "100/0/0"])?;
    Ok(bench)
}

/// Curates all of `d` with annotation files of both kinds; the new version's folder.
fn curate(bench: &Bench, name: &str, output: &str) -> anyhow::Result<std::path::PathBuf> {
    let request = json!({
        "name": name, "dataset": "d", "version": 1, "variant": "64x64", "output": output,
        "annotation_files": ["coco", "label_studio"],
    });
    let path = write(bench, "request.json", &request)?;
    let manifest = bench.json(&["curate", &path])?;
    bench.succeed(&["dataset", "verify", &format!("{name}@1")])?;
    Ok(Path::new(text(&manifest, "/manifest_path")?).parent().context("a folder")?.to_owned())
}

fn json_file(path: &Path) -> anyhow::Result<Value> {
    Ok(serde_json::from_slice(&fs::read(path).with_context(|| path.display().to_string())?)?)
}

/// The boxes of a COCO document by source key and category, each a list.
fn boxes(coco: &Value) -> anyhow::Result<BTreeMap<(String, u64), Value>> {
    let mut keys = BTreeMap::new();
    for image in list(coco, "/images")? {
        keys.insert(image["id"].to_string(), text(image, "/imageml/source_key")?.to_owned());
    }
    let found = list(coco, "/annotations")?.iter().map(|one| {
        let key = keys.get(&one["image_id"].to_string()).context("an image of the file")?;
        let category = one["category_id"].as_u64().context("a number")?;
        anyhow::Ok(((key.clone(), category), one["bbox"].clone()))
    });
    found.collect()
}

/// What is said of each image of a Label Studio document.
fn results(tasks: &Value) -> anyhow::Result<BTreeMap<String, Value>> {
    let said = |task: &Value| {
        let result = task.pointer("/annotations/0/result").context("an annotation")?;
        Ok((text(task, "/data/image")?.to_owned(), result.clone()))
    };
    list(tasks, "")?.iter().map(said).collect()
}

#[test]
fn curated_files_have_a_coco_file_that_loaders_read() -> anyhow::Result<()> {
    let bench = annotated()?;
    let folder = curate(&bench, "files", "files")?;
    let coco = json_file(&folder.join("64x64/train.coco.json"))?;
    // As torchvision's CocoDetection(root, annFile): each file name is a file of the split's folder.
    for image in list(&coco, "/images")? {
        let picture = image::open(folder.join("64x64/train").join(text(image, "/file_name")?))?;
        assert_eq!((picture.width(), picture.height()), (64, 64));
        assert_eq!((&image["width"], &image["height"]), (&json!(64), &json!(64)));
    }
    assert_eq!(list(&coco, "/images")?.len(), 3, "one was not looked at");
    assert_eq!(coco["categories"], json!([{ "id": 3, "name": "cat" }, { "id": 7, "name": "dog" }]));
    // 160x120 into 64x64: scale 0.4, and 8 pixels of border above and below.
    let expected = [
        (("00.jpg".to_owned(), 3), json!([0.0, 8.0, 4.0, 4.0])),
        (("00.jpg".to_owned(), 7), json!([4.0, 16.0, 20.0, 16.0])),
        (("01.jpg".to_owned(), 3), json!([8.0, 20.0, 8.0, 8.0])),
    ];
    assert_eq!(boxes(&coco)?, BTreeMap::from(expected));
    let card = fs::read_to_string(folder.join("README.md"))?;
    assert!(card.contains("- `64x64/train.coco.json`"), "{card}");

    // The Label Studio file names the dataset's own pictures, and is imported with them as it was.
    let tasks = folder.join("64x64/train.label-studio.json");
    for task in json_file(&tasks)?.as_array().context("a list")? {
        let place = text(task, "/data/image")?.strip_prefix("s3://imageml-training/").context("ours")?;
        assert!(fs::exists(bench.object("training", place))?, "{place}");
    }
    let (input, tasks) = (folder.join("64x64/train"), tasks.display().to_string());
    let input = input.display().to_string();
    let again = ["run", "--input", &input, "--dataset", "e", "--sizes", "64x64", "--annotations", &tasks];
    bench.succeed(&again)?;
    let report = bench.json(&["annotations", "report", "e"])?;
    assert_eq!(report["used"], json!({ "records": 3, "regions": 3 }), "{report}");
    Ok(())
}

#[test]
fn curated_shards_have_the_files_that_export_writes() -> anyhow::Result<()> {
    let bench = annotated()?;
    let folder = curate(&bench, "shards", "webdataset")?;
    for (format, file, list) in
        [("coco", "64x64/train.coco.json", "/images"), ("label-studio", "64x64/train.label-studio.json", "")]
    {
        let export = ["annotations", "export", "--dataset", "d", "--version", "1", "--variant", "64x64"];
        let exported = bench.succeed(&[&export[..], &["--format", format, "--split", "train"]].concat())?;
        let exported: Value = serde_json::from_str(&exported.stdout)?;
        let curated = json_file(&folder.join(file))?;
        // In the order of the shards here, in that of image ids there; numbers count from the first.
        let names = |document: &Value| -> anyhow::Result<Vec<String>> {
            let items = document.pointer(list).and_then(Value::as_array).context("a list")?;
            let name = |item: &Value| {
                item.pointer("/data/image").or_else(|| item.get("file_name")).map(Value::to_string)
            };
            let mut names: Vec<_> = items.iter().filter_map(name).collect();
            names.sort();
            Ok(names)
        };
        assert_eq!(names(&curated)?.len(), 3);
        assert_eq!(names(&curated)?, names(&exported)?);
        if format == "coco" {
            assert_eq!(boxes(&curated)?, boxes(&exported)?);
        } else {
            assert_eq!(results(&curated)?, results(&exported)?);
            // 20 of 64 pixels.
            let widths = |result: &Value| result.to_string().contains(r#""width":31.25"#);
            assert!(results(&curated)?.values().any(widths));
        }
    }
    Ok(())
}

/// Records and regions, as research and the files themselves say it (a record is an image in COCO, an
/// annotation or a prediction with a body in Label Studio).
const REAL_FILES: [(&str, u64, u64); 10] = [
    ("coco/mmpose_test_coco_keypoints.json", 4, 14),
    ("coco/roboflow_raccoon_annotations.coco.json", 196, 213),
    ("ls-sdk/test_import_coco_coco_import_input.json", 2, 2),
    ("ls-sdk/test_export_coco_data.json", 1, 4),
    ("ls-sdk/test_export_yolo_data.json", 3, 6),
    ("ls-sdk/test_export_yolo_data_obb.json", 3, 25),
    ("ls-sdk/test_export_yolo_data_polygons.json", 1, 1),
    ("ls-sdk/test_export_yolo_data_keypoints.json", 1, 4),
    ("ls_server_1.23.2_all_shapes_annotations.json", 1, 7),
    ("ls_import_tasks_with_predictions.json", 2, 10),
];

#[test]
fn real_files_are_imported_whole() -> anyhow::Result<()> {
    let Some(data) = shared("annotations") else { return Ok(()) };
    let bench = Bench::new()?;
    let paths: Vec<_> = REAL_FILES.iter().map(|(file, ..)| data.join(file).display().to_string()).collect();
    let mut import = vec!["annotations", "import", "--dataset", "d"];
    import.extend(paths.iter().map(String::as_str));
    let imported = bench.json(&import)?;
    for ((file, records, regions), said) in REAL_FILES.iter().zip(list(&imported, "/files")?) {
        let summary = &said["import"]["summary"];
        let found = (&summary["records"], &summary["regions"], &summary["refused"]);
        assert_eq!(found, (&json!(records), &json!(regions), &json!(0)), "{file}: {said}");
    }
    // Results name no images.
    let results = data.join("coco/cocoapi_fakesegm100_results.json").display().to_string();
    let ran = bench.imageml(&["annotations", "import", "--dataset", "d", &results])?;
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(ran.stdout.contains("rejected: invalid_annotations: a list of COCO results"), "{ran}");
    // `Butterfly` in two tasks, `butterfly` in the third and in the configuration.
    let [config, tasks] = ["test_export_yolo_label_config_obb.xml", "test_export_yolo_data_obb.json"]
        .map(|name| data.join("ls-sdk").join(name).display().to_string());
    let strict = ["annotations", "import", "--dataset", "e", "--label-config", &config, &tasks];
    let summary = bench.json(&strict)?["files"][0]["import"]["summary"].clone();
    assert_eq!((&summary["records"], &summary["refused"]), (&json!(1), &json!(2)), "{summary}");
    assert_eq!(summary["refusals"], json!({ "unknown_label": 24 }));
    Ok(())
}

#[test]
fn killing_the_converter_in_the_middle_loses_no_record() -> anyhow::Result<()> {
    const TASKS: u64 = 5_000;
    let bench = Bench::new()?;
    let tasks: Vec<_> = (0..TASKS).map(task).collect();
    let file = write(&bench, "export.json", &json!(tasks))?;
    let scratch = bench.path("tmp");
    fs::create_dir(&scratch)?;
    let mut command = bench.command(&["annotations", "import", &file, "--dataset", "d", "--json"]);
    command.env("TMPDIR", &scratch);
    let mut import = Running::start(command)?;
    // After the first result, when the second request is there, the records of the first are in the store.
    let conversions = Conversions { scratch: &scratch };
    let first = Cell::new(None);
    import.wait_until(|| {
        first.set(conversions.result());
        first.get().is_some()
    })?;
    import.wait_until(|| first.get().is_some_and(|first| conversions.requested_after(first)))?;
    let children = testkit::children_of(import.id())?;
    let [converter] = children.as_slice() else { anyhow::bail!("not the converter alone: {children:?}") };
    let converter = i32::try_from(*converter).ok().and_then(Pid::from_raw).context("a process id")?;
    kill_process(converter, Signal::KILL)?;
    let ran = import.wait()?;
    assert_eq!(ran.code, Some(0), "{ran}");
    assert!(ran.stderr.contains("label studio worker died"), "{ran}");
    let summary = &ran.document()?["files"][0]["import"]["summary"];
    assert_eq!((&summary["records"], &summary["refused"]), (&json!(TASKS), &json!(0)));
    assert_eq!(summary["checked_by_sdk"], json!({ "box": TASKS }), "each box was checked once");
    Ok(())
}

/// A task with one box.
fn task(number: u64) -> Value {
    let value = json!({
        "x": 10.0, "y": 20.0, "width": 30.0, "height": 40.0, "rotation": 0, "rectanglelabels": ["cat"],
    });
    let result = json!([{
        "id": format!("r{number}"), "type": "rectanglelabels", "from_name": "label", "to_name": "image",
        "original_width": 640, "original_height": 480, "image_rotation": 0, "value": value,
    }]);
    json!({
        "id": number, "data": { "image": format!("s3://inbox/d/{number}.jpg") },
        "annotations": [{ "id": number, "completed_by": 1, "result": result }],
    })
}

#[test]
fn of_several_files_in_one_command_the_last_counts() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(1)?;
    let file = |name: &str, x: f64| write(&bench, name, &coco(&[("00.jpg", 7, [x, 20.0, 50.0, 40.0])], &[]));
    let files = ["b.json", "c.json", "a.json"].iter().zip([10.0, 20.0, 30.0]);
    let files = files.map(|(name, x)| file(name, x)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut import = vec!["annotations", "import", "--dataset", "d"];
    import.extend(files.iter().map(String::as_str));
    bench.succeed(&import)?;
    bench.run(&[])?;
    let export = ["annotations", "export", "--dataset", "d", "--version", "1", "--variant", "360p"];
    let exported: Value = serde_json::from_str(&bench.succeed(&export)?.stdout)?;
    assert_eq!(exported["annotations"][0]["bbox"], json!([30.0, 20.0, 50.0, 40.0]));
    // Nothing is lost without a word: the two others have a record each, of which none is in use.
    let report = bench.json(&["annotations", "report", "d"])?;
    let used: Vec<_> =
        list(&report, "/imports")?.iter().map(|import| import["records_in_use"].clone()).collect();
    assert_eq!(used, [0, 0, 1]);
    Ok(())
}

#[test]
fn an_own_export_does_not_take_the_place_of_what_it_was_made_of() -> anyhow::Result<()> {
    let bench = annotated()?;
    for (format, version) in [("label-studio", 2), ("coco", 3)] {
        let export = ["annotations", "export", "--dataset", "d", "--version", "1", "--variant", "64x64"];
        let file = bench.path(&format!("{format}.json")).display().to_string();
        let said = bench.json(&[&export[..], &["--format", format, "--output", &file]].concat())?;
        assert_eq!(said["images"], 3);
        bench.succeed(&["annotations", "import", &file, "--dataset", "d"])?;
        bench.run(&[])?;
        let report = bench.json(&["annotations", "report", "d"])?;
        // It calls pictures by other names: said, and what was there before is used.
        assert_eq!(report["used"], json!({ "records": 3, "regions": 3 }), "{format}: {report}");
        let refused = list(&report, "/refused")?;
        assert_eq!(refused.len(), 3, "{version}: {refused:?}");
        assert!(refused.iter().all(|refusal| refusal["code"] == "image_not_found"), "{refused:?}");
        assert!(text(&refused[0], "/detail")?.ends_with("what an earlier file says of it is used"));
    }
    Ok(())
}

#[test]
fn the_report_lists_what_was_refused_when_it_was_read() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(2)?;
    let mut partly = coco(&[("00.jpg", 7, [0.0, 0.0, 5.0, 5.0]), ("01.jpg", 7, [0.0, 0.0, 5.0, 5.0])], &[]);
    partly["annotations"][1]["bbox"] = json!([0, 0, "5", 5]);
    let partly = write(&bench, "partly.json", &partly)?;
    let cut = bench.path("cut.json");
    fs::write(&cut, r#"[{"id": 1, "data": {"image": "00.j"#)?;
    let cut = cut.display().to_string();
    // --strict asks for files that are imported whole.
    for file in [&partly, &cut] {
        let ran = bench.try_run(&["--strict", "--annotations", file])?;
        assert_eq!(ran.code, Some(1), "{ran}");
        assert!(ran.stderr.contains("1 annotation files were not imported whole (--strict)"), "{ran}");
        let said = &ran.document()?["annotation_files"][0];
        assert_eq!(said.get("rejected").is_some(), file == &cut, "{said}");
    }
    let report = bench.json(&["annotations", "report", "d"])?;
    let [refused] = list(&report, "/refused")?.as_slice() else { panic!("{report}") };
    assert_eq!((&refused["code"], &refused["annotation_id"]), (&json!("malformed"), &json!(1)));
    assert!(text(refused, "/file")?.ends_with("/partly.json"), "{refused}");
    let [rejected] = list(&report, "/rejected")?.as_slice() else { panic!("{report}") };
    assert_eq!(rejected["reason"], "invalid_annotations");
    assert!(
        text(rejected, "/file")?.ends_with("/cut.json") && text(rejected, "/detail")?.contains("truncated")
    );
    let printed = bench.succeed(&["annotations", "report", "d"])?.stdout;
    assert!(printed.contains("partly.json") && printed.contains("annotation 1"), "{printed}");
    Ok(())
}

#[test]
fn what_is_no_annotation_file_is_not_taken_for_an_image() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(1)?;
    let picture = bench.input().join("00.jpg").display().to_string();
    let folder = bench.input().display().to_string();
    for (path, expected) in
        [(picture, "is no JSON"), (folder, "is no file"), ("/no/where.json".to_owned(), "No such file")]
    {
        let ran = bench.imageml(&["annotations", "import", &path, "--dataset", "d"])?;
        assert_eq!(ran.code, Some(1), "{ran}");
        assert_eq!(ran.stderr.matches(expected).count(), 1, "{ran}");
    }
    Ok(())
}

#[test]
fn an_import_without_a_converter_can_be_repeated_with_one() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(1)?;
    let file = write(&bench, "boxes.json", &coco(&[("00.jpg", 7, [0.0, 0.0, 5.0, 5.0])], &[]))?;
    let import = ["annotations", "import", &file, "--dataset", "d"];
    let ran = bench.imageml(&[&import[..], &["--label-studio-root", "/nonexistent"]].concat())?;
    assert!(ran.code == Some(1) && ran.stdout.contains("rejected: converter_missing"), "{ran}");
    assert!(bench.succeed(&import)?.stdout.contains("1 records with 1 regions"));
    Ok(())
}

#[test]
fn a_wrong_frame_that_one_image_shows_is_not_believed_of_another() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(1)?;
    for tag in [2, 3, 6] {
        pictures::turned_jpeg(&bench.input().join(format!("turned{tag}.jpg")), tag.into(), 160, 120, tag)?;
    }
    let names = ["00.jpg", "turned2.jpg", "turned3.jpg", "turned6.jpg"];
    let boxes: Vec<_> = names.iter().map(|name| (*name, 7, [10.0, 20.0, 50.0, 40.0])).collect();
    // 160 by 120: the stored pixels of all of them, and the displayed ones of all but the last.
    let file = write(&bench, "stored.json", &coco(&boxes, &[]))?;
    bench.run(&["--annotations", &file])?;
    let report = bench.json(&["annotations", "report", "d"])?;
    assert_eq!(report["used"], json!({ "records": 1, "regions": 1 }), "{report}");
    let refused: Vec<_> = list(&report, "/refused")?.iter().map(|one| one["code"].clone()).collect();
    assert_eq!(refused, ["size_mismatch"; 3]);
    // Said to be so, they are all taken.
    bench.run(&["--annotations", &file, "--coco-frame", "stored"])?;
    let report = bench.json(&["annotations", "report", "d"])?;
    assert_eq!(report["used"], json!({ "records": 4, "regions": 4 }), "{report}");
    Ok(())
}
