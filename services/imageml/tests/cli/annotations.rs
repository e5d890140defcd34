//! Annotations, from files to samples: `imageml run --annotations`, `imageml annotations …`, curation by label.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::Context;
use serde_json::{Value, json};
use types::Split;

use crate::bench::{Bench, files_below, list, members, number, shared, text};

/// Boxes on pictures of 160 by 120 pixels: (file name, category, box).
pub(crate) fn coco(boxes: &[(&str, u32, [f64; 4])], empty: &[&str]) -> Value {
    let mut images: Vec<&str> = boxes.iter().map(|(name, ..)| *name).chain(empty.iter().copied()).collect();
    images.dedup();
    let id_of = |name: &str| images.iter().position(|image| *image == name);
    json!({
        "images": images.iter().map(|name| json!({
            "id": id_of(name), "file_name": name, "width": 160, "height": 120,
        })).collect::<Vec<_>>(),
        "annotations": boxes.iter().enumerate().map(|(id, (name, category, bbox))| json!({
            "id": id, "image_id": id_of(name), "category_id": category, "bbox": bbox,
            "area": bbox[2] * bbox[3], "iscrowd": 0,
        })).collect::<Vec<_>>(),
        "categories": [{ "id": 3, "name": "cat" }, { "id": 7, "name": "dog" }],
    })
}

/// A file of the bench; its path.
pub(crate) fn write(bench: &Bench, name: &str, document: &Value) -> anyhow::Result<String> {
    let path = bench.path(name);
    fs::write(&path, document.to_string())?;
    Ok(path.display().to_string())
}

/// The renditions, with the times at which they were written.
fn silver(bench: &Bench) -> anyhow::Result<Vec<(String, SystemTime)>> {
    let folder = bench.object("silver", "d/normalized");
    let time = |name: String| Ok((name.clone(), fs::metadata(folder.join(&name))?.modified()?));
    files_below(&folder)?.into_iter().map(time).collect()
}

/// Every sample of a variant, by the key of its picture.
fn samples(bench: &Bench, version: &str, variant: &str) -> anyhow::Result<Vec<(String, Value)>> {
    samples_in(&bench.object("gold", &format!("d/{version}/{variant}")))
}

fn samples_in(folder: &Path) -> anyhow::Result<Vec<(String, Value)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "tar") {
            for (_, bytes) in members(&path, ".json")? {
                let sample: Value = serde_json::from_slice(&bytes)?;
                found.push((text(&sample, "/source/key")?.to_owned(), sample));
            }
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(found)
}

#[test]
fn boxes_follow_the_pixels_into_every_variant() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(3)?;
    let file = coco(&[("00.jpg", 7, [10.0, 20.0, 50.0, 40.0])], &["01.jpg"]);
    let file = write(&bench, "boxes.json", &file)?;
    let ran = bench.try_run(&["--annotations", &file])?;
    assert!(ran.stderr.contains("2 records with 1 regions (1 boxes) from coco"), "{ran}");
    // 160x120 into 64x64: scale 0.4, and 8 pixels of border above and below.
    let places = [("360p", json!([10.0, 20.0, 50.0, 40.0])), ("64x64", json!([4.0, 16.0, 20.0, 16.0]))];
    for (variant, bbox) in places {
        let samples = samples(&bench, "v1", variant)?;
        let [(_, boxed), (_, empty), (_, unseen)] = samples.as_slice() else { panic!("{samples:?}") };
        assert_eq!(list(boxed, "/annotations")?.len(), 1);
        let region = &boxed["annotations"][0];
        assert_eq!((&region["bbox"], &region["category"]), (&bbox, &json!("dog")));
        assert_eq!((&region["category_id"], &region["id"]), (&json!(7), &json!("0")));
        assert_eq!(boxed["annotation"]["source"], json!({ "format": "coco", "image_id": 0 }));
        // Looked at, with nothing there, is not the same as not looked at.
        assert_eq!((&empty["reviewed"], &empty["annotations"]), (&json!(true), &json!([])));
        assert_eq!((&unseen["reviewed"], &unseen["annotations"]), (&json!(false), &json!([])));
    }
    Ok(())
}

#[test]
fn new_annotations_make_a_version_and_no_pixels() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(3)?;
    bench.run(&[])?;
    let before = silver(&bench)?;
    let file = write(&bench, "boxes.json", &coco(&[("00.jpg", 7, [10.0, 20.0, 50.0, 40.0])], &[]))?;
    // Imported by a command of its own, while nothing is made of it yet.
    bench.json(&["annotations", "import", &file, "--dataset", "d"])?;
    assert_eq!(bench.run(&[])?["version"], 2);
    assert_eq!(bench.run(&[])?["version"], 2, "nothing is new");

    // The same file, corrected: its records are replaced, by image.
    write(&bench, "boxes.json", &coco(&[("00.jpg", 3, [11.0, 20.0, 50.0, 40.0])], &["02.jpg"]))?;
    bench.json(&["annotations", "import", &file, "--dataset", "d"])?;
    assert_eq!(bench.run(&[])?["version"], 3);
    let boxed = |version: &str| anyhow::Ok(samples(&bench, version, "360p")?[0].1["annotations"][0].clone());
    assert_eq!(boxed("v2")?["bbox"], json!([10.0, 20.0, 50.0, 40.0]));
    assert_eq!(boxed("v3")?["bbox"], json!([11.0, 20.0, 50.0, 40.0]));
    assert_eq!(boxed("v3")?["category"], "cat");
    assert_eq!(before, silver(&bench)?, "renditions were made again");
    bench.succeed(&["dataset", "verify", "d@3"])?;

    let report = bench.json(&["annotations", "report", "d"])?;
    let counts: Vec<_> = list(&report, "/imports")?.iter().map(|import| import["active"].clone()).collect();
    assert_eq!(counts, [false, true], "history is kept");
    assert_eq!(report["categories"], json!([{ "id": 3, "name": "cat" }, { "id": 7, "name": "dog" }]));
    Ok(())
}

#[test]
fn a_record_that_fits_no_image_or_another_size_is_refused_by_name() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(2)?;
    let mut file =
        coco(&[("00.jpg", 7, [0.0, 0.0, 5.0, 5.0]), ("01.jpg", 7, [0.0, 0.0, 5.0, 5.0])], &["no.jpg"]);
    file["images"][1]["width"] = json!(120);
    file["images"][1]["height"] = json!(160);
    let dangling = json!({ "id": 9, "image_id": 77, "category_id": 7, "bbox": [0, 0, 1, 1] });
    file["annotations"].as_array_mut().context("a list")?.push(dangling);
    let file = write(&bench, "boxes.json", &file)?;
    bench.run(&["--annotations", &file])?;
    let report = bench.json(&["annotations", "report", "d"])?;
    let codes: Vec<_> = list(&report, "/refused")?.iter().map(|refused| refused["code"].clone()).collect();
    assert!(codes.contains(&json!("image_not_found")) && codes.contains(&json!("size_mismatch")), "{report}");
    assert_eq!(report["used"], json!({ "records": 1, "regions": 1 }));
    // What was wrong with the file itself is counted with its import, and listed beside its copy.
    let import = &report["imports"][0]["import"];
    assert_eq!(import["summary"]["refusals"], json!({ "dangling_reference": 1 }));
    let listed = bench.object("bronze", &format!("d/annotations/{}", report_name(import)?));
    let listed: Value = serde_json::from_slice(&fs::read(listed)?)?;
    assert_eq!(listed["refusals"][0]["annotation_id"], 9);
    Ok(())
}

fn report_name(import: &Value) -> anyhow::Result<String> {
    let archive = text(import, "/archive_uri")?;
    let name = archive.rsplit('/').next().unwrap_or_default();
    Ok(format!("{name}.report.json"))
}

#[test]
fn strict_imports_take_all_or_nothing() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(1)?;
    let mut file = coco(&[("00.jpg", 7, [0.0, 0.0, 5.0, 5.0])], &["01.jpg"]);
    file["images"][1]["width"] = Value::Null;
    let file = write(&bench, "boxes.json", &file)?;
    let strict = ["annotations", "import", &file, "--dataset", "d", "--strict-annotations"];
    let ran = bench.imageml(&strict)?;
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(ran.stdout.contains("rejected: invalid_annotations: 1 refused"), "{ran}");
    bench.succeed(&["annotations", "import", &file, "--dataset", "d"])?;
    Ok(())
}

#[test]
fn without_a_converter_annotation_files_wait_and_images_do_not() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(2)?;
    let file = coco(&[("00.jpg", 7, [0.0, 0.0, 5.0, 5.0])], &[]);
    fs::write(bench.input().join("boxes.json"), file.to_string())?;
    let nowhere = ["--label-studio-root", "/nonexistent"];
    bench.run(&nowhere)?;
    let rejected = bench.succeed(&["rejected", "list", "d"])?.stdout;
    assert!(rejected.contains("converter_missing") && rejected.contains("make setup-python"), "{rejected}");
    assert_eq!(samples(&bench, "v1", "360p")?.len(), 2);
    // Once it is there, the next run takes the file.
    bench.run(&[])?;
    assert_eq!(samples(&bench, "v2", "360p")?[0].1["reviewed"], true);
    Ok(())
}

#[test]
fn an_exported_version_is_imported_as_it_was() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(3)?;
    let boxes = [("00.jpg", 7, [10.0, 20.0, 50.0, 40.0]), ("00.jpg", 3, [1.5, 2.0, 3.0, 4.25])];
    let file = write(&bench, "boxes.json", &coco(&boxes, &["01.jpg"]))?;
    bench.run(&["--annotations", &file])?;
    let export = ["annotations", "export", "--dataset", "d", "--version", "1", "--variant", "64x64"];
    let exported: Value = serde_json::from_str(&bench.succeed(&export)?.stdout)?;
    assert_eq!(list(&exported, "/images")?.len(), 2);
    assert_eq!(list(&exported, "/annotations")?.len(), 2);
    let boxed = list(&exported, "/annotations")?.iter().find(|one| one["category_id"] == 7);
    assert_eq!(boxed.map(|one| &one["bbox"]), Some(&json!([4.0, 16.0, 20.0, 16.0])));
    assert_eq!(exported["categories"], json!([{ "id": 3, "name": "cat" }, { "id": 7, "name": "dog" }]));
    // The pictures of the version as a dataset of their own, and what is said of them.
    let pictures = bench.path("pictures");
    fs::create_dir(&pictures)?;
    for image in list(&exported, "/images")? {
        let name = text(image, "/file_name")?;
        fs::write(pictures.join(name), picture(&bench, name)?)?;
    }
    let again = write(&bench, "exported.json", &exported)?;
    let input = pictures.display().to_string();
    bench.succeed(&[
        "run",
        "--input",
        &input,
        "--dataset",
        "e",
        "--sizes",
        "64x64",
        "--annotations",
        &again,
    ])?;
    let report = bench.json(&["annotations", "report", "e"])?;
    assert_eq!(report["used"], json!({ "records": 2, "regions": 2 }), "{report}");
    Ok(())
}

fn picture(bench: &Bench, name: &str) -> anyhow::Result<Vec<u8>> {
    for split in Split::ALL {
        let tar = bench.object("gold", &format!("d/v1/64x64/{split}-000000.tar"));
        if fs::exists(&tar)? {
            for (member, bytes) in members(&tar, ".jpg")? {
                if member == name {
                    return Ok(bytes);
                }
            }
        }
    }
    anyhow::bail!("no {name} in the version")
}

#[test]
fn samples_are_chosen_by_label() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(4)?;
    let boxes = [
        ("00.jpg", 7, [0.0, 0.0, 9.0, 9.0]),
        ("01.jpg", 7, [0.0, 0.0, 9.0, 9.0]),
        ("02.jpg", 3, [0.0, 0.0, 9.0, 9.0]),
    ];
    let file = write(&bench, "boxes.json", &coco(&boxes, &[]))?;
    bench.run(&["--annotations", &file, "--split", "100/0/0"])?;
    let chosen = |name: &str, more: Value| -> anyhow::Result<u64> {
        let mut request = json!({ "name": name, "dataset": "d", "version": 1, "variant": "64x64" });
        if let (Some(request), Some(more)) = (request.as_object_mut(), more.as_object()) {
            request.extend(more.clone());
        }
        let path = write(&bench, "request.json", &request)?;
        let document = bench.json(&["curate", &path])?;
        let manifest: Value = serde_json::from_slice(&fs::read(text(&document, "/manifest_path")?)?)?;
        number(&manifest, "/variants/64x64/samples")
    };
    assert_eq!(chosen("dogs", json!({ "labels": ["dog"] }))?, 2);
    assert_eq!(chosen("one-each", json!({ "limit_per_class": 1, "reviewed": true }))?, 2);
    assert_eq!(chosen("unseen", json!({ "reviewed": false }))?, 1);
    let request = json!({ "name": "x", "dataset": "d", "version": 1, "variant": "64x64", "labels": ["cow"] });
    let ran = bench.imageml(&["curate", &write(&bench, "request.json", &request)?])?;
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(bench.succeed(&["rejected", "list", "x"])?.stdout.contains("no category \"cow\""));
    Ok(())
}

/// The two files say the same of the same photographs in two formats, so the versions made of them say the same.
#[test]
fn label_studio_and_coco_files_of_real_photographs_agree() -> anyhow::Result<()> {
    let Some(data) = shared("raccoon") else { return Ok(()) };
    let [coco, label_studio] = ["coco.json", "ls.json"].map(|file| published_boxes(&data, file));
    let (coco, label_studio) = (coco?, label_studio?);
    assert_eq!(coco.len(), 3 * 196);
    assert_eq!(coco, label_studio);
    Ok(())
}

/// What is said of each sample of each variant: (variant, key) with category, number and box of each region.
fn published_boxes(data: &Path, file: &str) -> anyhow::Result<Vec<(String, String, Value)>> {
    let bench = Bench::new()?;
    let (images, file) = (data.join("images").canonicalize()?, data.join(file));
    let paths = [images.display().to_string(), file.display().to_string()];
    bench.json(&["run", "--input", &paths[0], "--dataset", "d", "--annotations", &paths[1]])?;
    let report = bench.json(&["annotations", "report", "d"])?;
    let summary = &report["imports"][0]["import"]["summary"];
    assert_eq!((&summary["records"], &summary["boxes"]), (&json!(200), &json!(217)), "{file:?}");
    assert_eq!(summary["checked_by_sdk"], json!({ "box": 217 }));
    assert_eq!(report["used"], json!({ "records": 196, "regions": 213 }));
    // Four photographs are there twice, with other boxes: those of the duplicates are kept and named.
    let set_aside = list(&report, "/set_aside")?;
    assert_eq!(set_aside.len(), 4);
    assert!(set_aside.iter().all(|one| one["why"] == "conflict_of_duplicate" && one["regions"] == 1));
    let mut found = Vec::new();
    for variant in ["1080p", "720p", "800x600"] {
        let samples = samples_in(&bench.object("gold", &format!("d/v1/{variant}")))?;
        let mut regions = 0;
        for (key, sample) in samples {
            let said = list(&sample, "/annotations")?;
            regions += said.len();
            let said: Vec<_> =
                said.iter().map(|one| json!([one["category"], one["category_id"], one["bbox"]])).collect();
            found.push((variant.to_owned(), key, Value::from(said)));
        }
        assert_eq!(regions, 213, "{variant}");
    }
    Ok(found)
}
