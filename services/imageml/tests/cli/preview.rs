//! `imageml preview`: samples with their annotations burnt in.

use std::fs;

use serde_json::{Value, json};

use crate::annotations::{coco, write};
use crate::bench::{Bench, list};

/// The sheet, by its pixels.
fn sheet(bench: &Bench, more: &[&str]) -> anyhow::Result<(Value, image::RgbImage)> {
    let path = bench.path("sheet.png");
    let output = path.display().to_string();
    let mut arguments = vec!["preview", "--dataset", "d", "--output", &output];
    arguments.extend(more);
    let said = bench.json(&arguments)?;
    Ok((said, image::load_from_memory(&fs::read(path)?)?.to_rgb8()))
}

#[test]
fn boxes_are_drawn_where_trainers_get_them() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(4)?;
    let boxes = [("00.jpg", 7, [10.0, 20.0, 50.0, 40.0]), ("01.jpg", 3, [0.0, 0.0, 9.0, 9.0])];
    let file = write(&bench, "boxes.json", &coco(&boxes, &["02.jpg"]))?;
    bench.run(&["--annotations", &file, "--split", "100/0/0"])?;

    // Pictures of 160 by 120 in cells of 160: 20 pixels of border above. Before the first cell are a margin of 12 to the
    // left, and title, legend and two margins, 64 together, above.
    let (said, page) = sheet(&bench, &["--variant", "360p", "--cell", "160", "--label", "dog"])?;
    assert_eq!((&said["samples"], &said["reviewed"]), (&json!(["00.jpg"]), &json!(1)));
    assert_eq!((&said["version"], page.width()), (&json!(1), 12 + 160 + 12));
    // Category 7: hue 242.55 degrees. Python: colorsys.hls_to_rgb(242.55/360, 0.55, 0.9).
    let ink = |x: u32, y: u32| {
        let found = page.get_pixel(12 + x, 64 + 20 + y).0;
        found.iter().zip([46_u8, 37, 244]).all(|(found, wanted)| found.abs_diff(wanted) < 40)
    };
    for (x, y) in [(10, 40), (59, 50), (30, 59), (50, 20)] {
        assert!(ink(x, y), "no line at {x}, {y}");
    }
    for (x, y) in [(30, 40), (80, 40), (30, 80), (5, 50)] {
        assert!(!ink(x, y), "a line at {x}, {y}");
    }

    let everything = sheet(&bench, &["--variant", "64x64", "--columns", "2"])?;
    assert_eq!(list(&everything.0, "/samples")?.len(), 4);
    assert_eq!((&everything.0["reviewed"], everything.1.width()), (&json!(3), 12 + 2 * 332));
    let reviewed = sheet(&bench, &["--variant", "64x64", "--reviewed", "--split", "train"])?.0;
    assert_eq!(list(&reviewed, "/samples")?.len(), 3);
    let two = sheet(&bench, &["--variant", "64x64", "--samples", "2"])?.0;
    assert_eq!(list(&two, "/samples")?.len(), 2);
    let orders = ["a", "b", "c", "d"].map(|seed| {
        sheet(&bench, &["--variant", "64x64", "--seed", seed]).map(|(said, _)| said["samples"].to_string())
    });
    let orders = orders.into_iter().collect::<anyhow::Result<std::collections::BTreeSet<_>>>()?;
    assert!(orders.len() > 1, "the seed decides: {orders:?}");
    Ok(())
}

#[test]
fn what_cannot_be_shown_is_said() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(1)?;
    bench.run(&["--split", "100/0/0"])?;
    let output = bench.path("sheet.png").display().to_string();
    for (more, expected) in [
        (vec!["--dataset", "d", "--variant", "9p"], "the version has no variant 9p: it has 360p, 64x64"),
        (vec!["--dataset", "d", "--variant", "64x64", "--label", "cow"], "no sample of d v1 matches"),
        (vec!["--dataset", "d", "--variant", "64x64", "--split", "test"], "no sample of d v1 matches"),
        (vec!["--dataset", "d", "--variant", "64x64", "--version", "7"], "v7"),
        (vec!["--dataset", "nobody", "--variant", "64x64"], "nobody"),
    ] {
        let ran = bench.imageml(&[vec!["preview", "--output", &output], more].concat())?;
        assert_eq!(ran.code, Some(1), "{ran}");
        assert!(ran.stderr.contains(expected), "{expected}: {ran}");
        assert!(!fs::exists(&output)?);
    }
    Ok(())
}
