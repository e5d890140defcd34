//! `imageml run`: what it publishes and what it says.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use types::{DatasetVersionManifest, Sha256};

use crate::bench::{Bench, contents, fields, list, members, number, text};
use crate::pictures;

#[test]
fn the_document_has_the_promised_fields() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(4)?;
    pictures::truncated_jpeg(&bench.input().join("half.jpg"), 90)?;
    let document = bench.run(&[])?;
    assert_eq!(
        fields(&document),
        [
            "annotation_files",
            "dataset",
            "elapsed_seconds",
            "images",
            "manifest_path",
            "manifest_uri",
            "rejected",
            "shards",
            "variants",
            "version"
        ]
    );
    assert_eq!(document["dataset"], "d");
    assert_eq!(document["version"], 1);
    assert!(document["elapsed_seconds"].as_f64().is_some_and(|seconds| seconds > 0.0));
    assert_eq!(fields(&document["images"]), ["duplicates", "ingested", "rejected", "seen"]);
    assert_eq!(fields(&document["rejected"][0]), ["detail", "key", "reason"]);
    assert_eq!(fields(&document["variants"]), ["360p", "64x64"]);
    assert_eq!(fields(&document["variants"]["360p"]), ["bytes", "written"]);
    assert_eq!(
        fields(&document["shards"][0]),
        ["bytes", "path", "samples", "sha256", "split", "uri", "variant"]
    );
    Ok(())
}

#[test]
fn every_image_is_accounted_for() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(5)?;
    let input = bench.input();
    pictures::png(&input.join("below/a folder/é+%2F.png"), 50, 90, 160)?;
    fs::copy(input.join("03.jpg"), input.join("copy of 3.jpg"))?;
    fs::copy(input.join("03.jpg"), input.join("below/3.png"))?;
    pictures::truncated_jpeg(&input.join("half.jpg"), 60)?;
    fs::write(input.join("notes.jpg"), "not a picture")?;
    fs::write(input.join("nothing.png"), "")?;
    fs::write(input.join(".DS_Store"), "what a desktop leaves behind")?;
    let document = bench.run(&[])?;
    assert_eq!(document["images"], json!({ "seen": 11, "ingested": 6, "duplicates": 2, "rejected": 3 }));
    let reasons: Vec<_> = list(&document, "/rejected")?.iter().map(|r| (&r["key"], &r["reason"])).collect();
    assert_eq!(
        reasons,
        [
            (&json!("half.jpg"), &json!("truncated")),
            (&json!("notes.jpg"), &json!("not_an_image")),
            (&json!("nothing.png"), &json!("empty")),
        ]
    );
    for variant in ["360p", "64x64"] {
        assert_eq!(number(&document, &format!("/variants/{variant}/written"))?, 6);
        let shards = list(&document, "/shards")?.iter().filter(|shard| shard["variant"] == variant);
        assert_eq!(shards.filter_map(|shard| shard["samples"].as_u64()).sum::<u64>(), 6);
    }
    Ok(())
}

#[test]
fn shards_and_manifest_lie_where_the_document_says() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(6)?;
    let document = bench.run(&["--split", "50/25/25"])?;
    let shards = list(&document, "/shards")?;
    for shard in shards {
        let bytes = fs::read(text(shard, "/path")?)?;
        assert_eq!(Sha256::of(&bytes).to_string(), text(shard, "/sha256")?);
        assert_eq!(bytes.len() as u64, number(shard, "/bytes")?);
        assert_eq!(
            members(Path::new(text(shard, "/path")?), ".json")?.len() as u64,
            number(shard, "/samples")?
        );
    }
    let manifest = fs::read(text(&document, "/manifest_path")?)?;
    let parsed: DatasetVersionManifest = serde_json::from_slice(&manifest)?;
    assert_eq!(parsed.version.get(), 1);
    let listed: Vec<_> = parsed.shards.iter().map(|shard| shard.uri.to_string()).collect();
    let told: Vec<_> = shards.iter().filter_map(|shard| shard["uri"].as_str()).collect();
    assert_eq!(listed, told);
    let known = bench.json(&["dataset", "show", "d"])?;
    assert_eq!(text(&known, "/versions/0/manifest_sha256")?, Sha256::of(&manifest).to_string());
    assert_eq!(text(&known, "/versions/0/manifest_uri")?, text(&document, "/manifest_uri")?);
    Ok(())
}

#[test]
fn every_file_of_a_version_is_in_its_manifest() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(3)?;
    let document = bench.run(&[])?;
    let manifest = fs::read(text(&document, "/manifest_path")?)?;
    let manifest: DatasetVersionManifest = serde_json::from_slice(&manifest)?;
    let folder = bench.object("gold", "d/v1");
    let mut listed: BTreeMap<String, Sha256> = manifest.files;
    for shard in manifest.shards {
        let name = shard.uri.key().strip_prefix("d/v1/").context("a shard outside of the version")?;
        listed.insert(name.to_owned(), shard.sha256);
    }
    let there = contents(&folder)?.into_iter().filter(|(name, _)| name != "manifest.json");
    let there: BTreeMap<_, _> = there.map(|(name, bytes)| (name, Sha256::of(&bytes))).collect();
    assert_eq!(listed, there);
    Ok(())
}

#[test]
fn a_second_run_does_nothing() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(3)?;
    pictures::truncated_jpeg(&bench.input().join("half.jpg"), 60)?;
    let first = bench.run(&[])?;
    let before = contents(&bench.home().join("s3"))?;
    let again = bench.try_run(&[])?;
    let second = again.document()?;
    assert_eq!(without_time(first), without_time(second));
    assert!(before == contents(&bench.home().join("s3"))?, "the second run wrote something");
    assert!(again.stderr.contains("ingest: 0 done, 4 before"), "{}", again.stderr);
    assert!(again.stderr.contains("normalize: 0 done, 3 before"), "{}", again.stderr);
    Ok(())
}

#[test]
fn new_images_make_the_next_version_and_move_no_sample() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(8)?;
    let split = ["--split", "50/25/25"];
    bench.run(&split)?;
    let first_version = contents(&bench.object("gold", "d/v1"))?;
    for number in 20..24 {
        pictures::jpeg(&bench.input().join(format!("{number}.jpg")), number, 160, 120)?;
    }
    let document = bench.run(&split)?;
    assert_eq!(document["version"], 2);
    assert_eq!(document["images"], json!({ "seen": 12, "ingested": 12, "duplicates": 0, "rejected": 0 }));
    assert!(first_version == contents(&bench.object("gold", "d/v1"))?, "version 1 changed");
    let (before, after) = (samples(&bench.object("gold", "d/v1"))?, samples(&bench.object("gold", "d/v2"))?);
    assert_eq!((before.len(), after.len()), (16, 24));
    for (key, sample) in &before {
        assert_eq!(Some(sample), after.get(key));
    }
    Ok(())
}

#[test]
fn a_removed_image_stays_in_the_dataset() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(3)?;
    bench.run(&[])?;
    fs::remove_file(bench.input().join("01.jpg"))?;
    let document = bench.run(&[])?;
    assert_eq!(document["version"], 1);
    assert_eq!(document["images"]["ingested"], 3);
    Ok(())
}

#[test]
fn other_sizes_make_the_next_version() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(3)?;
    bench.run(&[])?;
    let document = bench.run(&["--sizes", "32x32:crop"])?;
    assert_eq!(document["version"], 2);
    assert_eq!(fields(&document["variants"]), ["32x32-crop"]);
    Ok(())
}

#[test]
fn strict_fails_on_a_rejected_image_after_publishing_the_others() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(2)?;
    assert_eq!(bench.try_run(&["--strict"])?.code, Some(0));
    pictures::truncated_jpeg(&bench.input().join("half.jpg"), 60)?;
    pictures::jpeg(&bench.input().join("more.jpg"), 61, 160, 120)?;
    let ran = bench.try_run(&["--strict"])?;
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(ran.stderr.contains("1 images were rejected (--strict)"), "{ran}");
    assert_eq!(ran.document()?["version"], 2);
    Ok(())
}

#[test]
fn a_folder_without_a_usable_image_is_a_failure_that_says_so() -> anyhow::Result<()> {
    let bench = Bench::new()?;
    let empty = bench.try_run(&[])?;
    assert_eq!(empty.code, Some(1), "{empty}");
    assert!(empty.stderr.contains("no image could be used"), "{empty}");
    fs::write(bench.input().join("notes.txt"), "not a picture")?;
    let useless = bench.try_run(&[])?;
    assert_eq!(useless.code, Some(1), "{useless}");
    assert!(useless.stderr.contains("imageml rejected list d"), "{useless}");
    Ok(())
}

#[test]
fn a_home_inside_the_input_is_refused() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(1)?;
    let inside = bench.input().join("home");
    let ran = bench.try_run(&["--home", inside.to_str().context("a plain path")?])?;
    assert_ne!(ran.code, Some(0), "{ran}");
    let link = bench.path("link");
    std::os::unix::fs::symlink(bench.input(), &link)?;
    let ran = bench.try_run(&["--home", link.join("home").to_str().context("a plain path")?])?;
    assert_ne!(ran.code, Some(0), "through a link: {ran}");
    ensure!(!inside.exists(), "the input folder was written to");
    Ok(())
}

#[test]
fn the_table_for_people_counts_the_same() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(3)?;
    fs::write(bench.input().join("notes.txt"), "not a picture")?;
    let input = bench.input();
    let input = input.to_str().context("a plain path")?;
    let ran = bench.succeed(&["run", "--input", input, "--dataset", "d", "--sizes", "64x64"])?;
    assert!(ran.stdout.contains("rejected notes.txt: not_an_image"), "{ran}");
    assert!(ran.stdout.contains("d v1: 4 images seen, 3 ingested, 0 duplicates, 1 rejected"), "{ran}");
    assert!(!ran.stderr.contains('\u{1b}'), "escape sequences in what is no terminal: {ran}");
    Ok(())
}

fn without_time(mut document: Value) -> Value {
    if let Some(fields) = document.as_object_mut() {
        fields.remove("elapsed_seconds");
    }
    document
}

/// The samples of a version, all variants and splits: (variant, split, key) and what is said of each.
fn samples(version: &Path) -> anyhow::Result<BTreeMap<(String, String, String), Value>> {
    let manifest: DatasetVersionManifest = serde_json::from_slice(&fs::read(version.join("manifest.json"))?)?;
    let mut all = BTreeMap::new();
    for shard in manifest.shards {
        let tar = version.join(&shard.variant).join(shard.uri.key().rsplit('/').next().context("a key")?);
        for (name, json) in members(&tar, ".json")? {
            let key = name.trim_end_matches(".json").to_owned();
            all.insert((shard.variant.clone(), shard.split.to_string(), key), serde_json::from_slice(&json)?);
        }
    }
    Ok(all)
}
