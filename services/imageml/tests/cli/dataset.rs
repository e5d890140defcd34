//! `imageml dataset`: list, show, lineage, verify.

use std::fs;

use anyhow::Context;
use types::{DatasetVersionManifest, Sha256};

use crate::bench::{Bench, list, number, text};
use crate::pictures;

fn bench() -> anyhow::Result<Bench> {
    let bench = Bench::with_pictures(3)?;
    fs::copy(bench.input().join("00.jpg"), bench.input().join("again.jpg"))?;
    fs::write(bench.input().join("nothing.jpg"), "")?;
    bench.run(&[])?;
    Ok(bench)
}

#[test]
fn list_and_show_count_what_there_is() -> anyhow::Result<()> {
    let bench = bench()?;
    let datasets = bench.json(&["dataset", "list"])?;
    let shown = bench.json(&["dataset", "show", "d"])?;
    assert_eq!(list(&datasets, "")?.len(), 1);
    for document in [&datasets[0], &shown] {
        assert_eq!(document["dataset"], "d");
        assert_eq!(document["latest"], 1);
        assert_eq!(document["images"], 3);
        assert_eq!(document["duplicates"], 1);
        assert_eq!(document["rejected"], 1);
        assert_eq!(text(document, "/normalization_policy_hash")?.len(), 64);
    }
    assert_eq!(list(&shown, "/versions")?.len(), 1);
    assert_eq!(shown["versions"][0]["state"], "published");
    assert_eq!(shown["versions"][0]["manifest_uri"], "s3://imageml-gold/d/v1/manifest.json");
    let table = bench.succeed(&["dataset", "list"])?.stdout;
    assert!(table.lines().any(|line| line.split_whitespace().eq(["d", "v1", "3", "1", "1"])), "{table}");
    let table = bench.succeed(&["dataset", "show", "d"])?.stdout;
    assert!(table.starts_with("d: 3 images, 1 duplicates, 1 rejected\n"), "{table}");
    assert!(table.contains("s3://imageml-gold/d/v1/manifest.json"), "{table}");
    Ok(())
}

#[test]
fn lineage_leads_from_the_input_to_the_version_and_back() -> anyhow::Result<()> {
    let bench = bench()?;
    let bronze = bench.bronze("d", "00.jpg")?;
    let bronze = bronze.as_str();
    let document = bench.json(&["dataset", "lineage", bronze])?;
    let up = list(&document, "/ancestors")?;
    assert_eq!(up.len(), 1);
    assert_eq!(up[0]["relation"], "copied");
    let down = list(&document, "/descendants")?;
    let children = |relation: &str| {
        let edges = down.iter().filter(|edge| edge["relation"] == relation);
        edges.filter_map(|edge| edge["child"].as_str()).collect::<Vec<_>>()
    };
    // Two sizes: two renditions, each in one tar, both tars in one manifest.
    assert_eq!(children("rendered").len(), 2);
    assert_eq!(children("packed").len(), 2);
    assert_eq!(children("listed"), ["s3://imageml-gold/d/v1/manifest.json"; 2]);
    let original = text(&up[0], "/parent")?;
    let table = bench.succeed(&["dataset", "lineage", bronze])?.stdout;
    assert!(table.contains(original) && table.contains("rendered"), "{table}");
    let manifest = bench.json(&["dataset", "lineage", "s3://imageml-gold/d/v1/manifest.json"])?;
    let ancestors = list(&manifest, "/ancestors")?;
    assert!(ancestors.iter().any(|edge| edge["parent"] == original), "{manifest}");
    let unknown = bench.succeed(&["dataset", "lineage", "s3://bucket/unheard-of"])?.stdout;
    assert_eq!(unknown, "nothing is known about s3://bucket/unheard-of\n");
    Ok(())
}

#[test]
fn lineage_shows_no_more_steps_than_wanted() -> anyhow::Result<()> {
    let bench = bench()?;
    let document =
        bench.json(&["dataset", "lineage", "s3://imageml-gold/d/v1/manifest.json", "--limit", "2"])?;
    assert_eq!(list(&document, "/ancestors")?.len(), 2);
    Ok(())
}

#[test]
fn a_fresh_version_is_intact_and_its_manifest_the_recorded_one() -> anyhow::Result<()> {
    let bench = bench()?;
    let manifest = fs::read(bench.object("gold", "d/v1/manifest.json"))?;
    let parsed: DatasetVersionManifest = serde_json::from_slice(&manifest)?;
    let shown = bench.json(&["dataset", "show", "d"])?;
    assert_eq!(text(&shown, "/versions/0/manifest_sha256")?, Sha256::of(&manifest).to_string());
    let verified = bench.json(&["dataset", "verify", "d@1"])?;
    assert_eq!(verified["version"], "d@1");
    let objects = 1 + parsed.shards.len() + parsed.files.len();
    assert_eq!(number(&verified, "/objects")?, objects as u64);
    assert_eq!(list(&verified, "/problems")?.len(), 0);
    let said = bench.succeed(&["dataset", "verify", "d@v1"])?.stdout;
    assert_eq!(said, format!("d@1: {objects} objects read, intact\n"));
    Ok(())
}

#[test]
fn one_flipped_bit_is_damage() -> anyhow::Result<()> {
    let bench = bench()?;
    for name in ["64x64/train-000000.tar", "samples.parquet", "manifest.json"] {
        let path = bench.object("gold", &format!("d/v1/{name}"));
        let whole = fs::read(&path)?;
        let mut flipped = whole.clone();
        // In the manifest: inside of a number or a word, so that it still parses or does not; both are damage.
        let middle = flipped.len() / 2;
        *flipped.get_mut(middle).context("not empty")? ^= 1;
        fs::write(&path, &flipped)?;
        let ran = bench.imageml(&["dataset", "verify", "d@1"])?;
        assert_eq!(ran.code, Some(1), "{name}: {ran}");
        assert!(ran.stdout.contains("DAMAGED") && ran.stdout.contains(name), "{name}: {ran}");
        fs::write(&path, whole)?;
        bench.succeed(&["dataset", "verify", "d@1"])?;
    }
    Ok(())
}

#[test]
fn a_missing_file_is_damage() -> anyhow::Result<()> {
    let bench = bench()?;
    fs::remove_file(bench.object("gold", "d/v1/64x64/train-000000.tar"))?;
    let ran = bench.imageml(&["dataset", "verify", "d@1", "--json"])?;
    assert_eq!(ran.code, Some(1), "{ran}");
    let document = ran.document()?;
    assert_eq!(list(&document, "/problems")?.len(), 1);
    assert!(text(&document, "/problems/0")?.contains("64x64/train-000000.tar"), "{document}");
    Ok(())
}

#[test]
fn a_version_that_is_not_there_cannot_be_verified() -> anyhow::Result<()> {
    let bench = bench()?;
    let ran = bench.imageml(&["dataset", "verify", "d@7"])?;
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(ran.stderr.contains('7'), "{ran}");
    Ok(())
}

#[test]
fn datasets_in_one_home_do_not_meet() -> anyhow::Result<()> {
    let bench = bench()?;
    let other = bench.path("other");
    pictures::jpeg(&other.join("0.jpg"), 80, 160, 120)?;
    let other = other.to_str().context("a plain path")?;
    let document = bench.json(&["run", "--input", other, "--dataset", "e", "--sizes", "64x64"])?;
    assert_eq!(document["images"]["seen"], 1);
    assert_eq!(document["version"], 1);
    assert_eq!(bench.run(&[])?["version"], 1);
    assert_eq!(list(&bench.json(&["dataset", "list"])?, "")?.len(), 2);
    Ok(())
}
