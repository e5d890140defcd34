//! `imageml normalize`: a folder in, a folder out.

use std::fs;

use anyhow::Context;
use serde_json::json;

use crate::bench::{Bench, Ran, files_below, number};
use crate::pictures;

fn normalize(bench: &Bench, more: &[&str]) -> anyhow::Result<Ran> {
    let (input, output) = (bench.input(), bench.path("output"));
    let (input, output) = (input.to_str().context("a plain path")?, output.to_str().context("a plain path")?);
    bench.imageml(&[&["normalize", "--input", input, "--output", output], more].concat())
}

#[test]
fn every_picture_has_every_size() -> anyhow::Result<()> {
    let bench = Bench::new()?;
    pictures::jpeg(&bench.input().join("wide.jpg"), 1, 800, 300)?;
    pictures::png(&bench.input().join("below/tall.png"), 2, 300, 800)?;
    pictures::jpeg(&bench.input().join("small.jpg"), 3, 100, 50)?;
    let ran = normalize(&bench, &["--sizes", "360p,200x100,50x50:crop", "--json"])?;
    assert_eq!(ran.code, Some(0), "{ran}");
    // 360p is the box of 640 × 360: the wide one is limited by its width, the tall one by its height, the small
    // one is left as it is. The other two are what they say.
    let expected = [
        ("200x100/below/tall.png.jpg", (200, 100)),
        ("200x100/small.jpg", (200, 100)),
        ("200x100/wide.jpg", (200, 100)),
        ("360p/below/tall.png.jpg", (135, 360)),
        ("360p/small.jpg", (100, 50)),
        ("360p/wide.jpg", (640, 240)),
        ("50x50-crop/below/tall.png.jpg", (50, 50)),
        ("50x50-crop/small.jpg", (50, 50)),
        ("50x50-crop/wide.jpg", (50, 50)),
    ];
    let output = bench.path("output");
    assert_eq!(files_below(&output)?, expected.map(|(name, _)| name));
    for (name, size) in expected {
        let picture = image::open(output.join(name))?;
        assert_eq!((picture.width(), picture.height()), size, "{name}");
    }
    let document = ran.document()?;
    assert_eq!(document["images"], json!({ "seen": 3, "rejected": 0 }));
    for variant in ["360p", "200x100", "50x50-crop"] {
        assert_eq!(number(&document, &format!("/variants/{variant}/written"))?, 3);
        let files = fs::read_dir(output.join(variant))?.count();
        assert_eq!(files, 3, "{variant}: two files and a folder");
    }
    assert!(!bench.home().exists(), "no home is needed");
    Ok(())
}

#[test]
fn bytes_told_are_bytes_written() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(2)?;
    let document = normalize(&bench, &["--sizes", "64x64", "--format", "png", "--json"])?.document()?;
    let output = bench.path("output/64x64");
    assert_eq!(files_below(&output)?, ["00.jpg.png", "01.jpg.png"]);
    let sizes = files_below(&output)?.into_iter().map(|name| fs::metadata(output.join(name)));
    let total: u64 = sizes.map(|found| found.map(|found| found.len())).sum::<Result<_, _>>()?;
    assert_eq!(number(&document, "/variants/64x64/bytes")?, total);
    Ok(())
}

#[test]
fn what_cannot_be_read_is_listed_and_the_rest_written() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(1)?;
    pictures::truncated_jpeg(&bench.input().join("half.jpg"), 9)?;
    fs::write(bench.input().join("nothing.png"), "")?;
    let ran = normalize(&bench, &["--sizes", "64x64", "--json"])?;
    assert_eq!(ran.code, Some(0), "{ran}");
    let document = ran.document()?;
    assert_eq!(document["images"], json!({ "seen": 3, "rejected": 2 }));
    assert_eq!(document["rejected"][0]["key"], "half.jpg");
    assert_eq!(document["rejected"][0]["reason"], "truncated");
    assert_eq!(document["rejected"][1]["reason"], "empty");
    assert_eq!(files_below(&bench.path("output"))?, ["64x64/00.jpg"]);
    let strict = normalize(&bench, &["--sizes", "64x64", "--strict"])?;
    assert_eq!(strict.code, Some(1), "{strict}");
    assert!(strict.stdout.contains("rejected half.jpg: truncated"), "{strict}");
    Ok(())
}

#[test]
fn wrong_folders_and_sizes_are_refused() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(1)?;
    let sizes = normalize(&bench, &["--sizes", "huge"])?;
    assert_eq!(sizes.code, Some(2), "{sizes}");
    assert!(sizes.stderr.contains("WIDTHxHEIGHT[:pad|:crop|:stretch]"), "{sizes}");
    let input = bench.input();
    let input = input.to_str().context("a plain path")?;
    let inside = bench.imageml(&["normalize", "--input", input, "--output", &format!("{input}/small")])?;
    assert_eq!(inside.code, Some(1), "{inside}");
    assert!(inside.stderr.contains("choose folders apart from each other"), "{inside}");
    // The other way round it would overwrite the pictures themselves.
    let over = bench.imageml(&["normalize", "--input", input, "--output", input, "--sizes", "64x64"])?;
    assert_eq!(over.code, Some(1), "{over}");
    let size = bench.input().join("64x64");
    fs::create_dir(&size)?;
    let size = size.to_str().context("a plain path")?;
    let onto = bench.imageml(&["normalize", "--input", size, "--output", input, "--sizes", "64x64"])?;
    assert_eq!(onto.code, Some(1), "{onto}");
    assert!(onto.stderr.contains("choose folders apart from each other"), "{onto}");
    let missing =
        bench.imageml(&["normalize", "--input", &format!("{input}/none"), "--output", "/nowhere"])?;
    assert_ne!(missing.code, Some(0), "{missing}");
    assert!(missing.stderr.contains("--input"), "{missing}");
    Ok(())
}

#[test]
fn two_files_that_would_become_one_are_refused() -> anyhow::Result<()> {
    let bench = Bench::new()?;
    pictures::png(&bench.input().join("a.png"), 1, 20, 20)?;
    pictures::jpeg(&bench.input().join("a.png.jpg"), 2, 20, 20)?;
    let ran = normalize(&bench, &["--sizes", "64x64"])?;
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(ran.stderr.contains("two inputs would both become a.png.jpg"), "{ran}");
    assert!(!bench.path("output").exists());
    Ok(())
}
