//! `imageml curate`: a training dataset from a published version.

use std::collections::BTreeSet;
use std::fs;

use anyhow::Context;
use serde_json::{Value, json};
use types::{DatasetVersionManifest, Split};

use crate::bench::{Bench, Ran, contents, files_below, list, text};
use crate::pictures;

/// Twelve pictures in three splits.
fn bench() -> anyhow::Result<Bench> {
    let bench = Bench::with_pictures(10)?;
    for number in 20..22 {
        pictures::jpeg(&bench.input().join(format!("{number}.jpg")), number, 320, 240)?;
    }
    bench.run(&["--split", "40/30/30"])?;
    Ok(bench)
}

fn curate(bench: &Bench, more: &Value) -> anyhow::Result<Ran> {
    let mut request = json!({ "name": "t", "dataset": "d", "version": 1, "variant": "64x64" });
    if let (Some(request), Some(more)) = (request.as_object_mut(), more.as_object()) {
        request.extend(more.clone());
    }
    let path = bench.path("request.json");
    fs::write(&path, request.to_string())?;
    bench.imageml(&["curate", path.to_str().context("a plain path")?, "--json"])
}

fn manifest(bench: &Bench, bucket: &str, version: &str) -> anyhow::Result<DatasetVersionManifest> {
    Ok(serde_json::from_slice(&fs::read(bench.object(bucket, &format!("{version}/manifest.json")))?)?)
}

fn samples_of(manifest: &DatasetVersionManifest, split: Split) -> u64 {
    manifest.variants.get("64x64").and_then(|variant| variant.splits.get(&split)).copied().unwrap_or_default()
}

#[test]
fn a_request_without_filters_takes_the_variant_whole() -> anyhow::Result<()> {
    let bench = bench()?;
    let ran = curate(&bench, &json!({}))?;
    assert_eq!(ran.code, Some(0), "{ran}");
    let document = ran.document()?;
    assert_eq!((&document["dataset"], &document["version"]), (&json!("t"), &json!(1)));
    assert_eq!(document["manifest_uri"], "s3://imageml-training/t/v1/manifest.json");
    assert!(fs::exists(text(&document, "/manifest_path")?)?);
    let (source, made) = (manifest(&bench, "gold", "d/v1")?, manifest(&bench, "training", "t/v1")?);
    for split in Split::ALL {
        assert_eq!(samples_of(&made, split), samples_of(&source, split), "{split}");
    }
    assert_eq!(made.variants.keys().collect::<Vec<_>>(), ["64x64"]);
    bench.succeed(&["dataset", "verify", "t@1"])?;
    let card = fs::read_to_string(bench.object("training", "t/v1/README.md"))?;
    assert!(card.contains("12") && card.contains("64x64"), "{card}");
    Ok(())
}

#[test]
fn the_same_request_again_makes_no_second_version() -> anyhow::Result<()> {
    let bench = bench()?;
    let first = curate(&bench, &json!({}))?.document()?;
    let before = contents(&bench.object("training", "t"))?;
    let second = curate(&bench, &json!({}))?.document()?;
    assert_eq!(first, second);
    assert!(before == contents(&bench.object("training", "t"))?, "the second run wrote something");
    Ok(())
}

#[test]
fn another_request_of_the_same_name_makes_the_next_version() -> anyhow::Result<()> {
    let bench = bench()?;
    assert_eq!(curate(&bench, &json!({}))?.document()?["version"], 1);
    assert_eq!(curate(&bench, &json!({ "splits": ["train"] }))?.document()?["version"], 2);
    // The first again: that is version 1, not the latest.
    assert_eq!(curate(&bench, &json!({}))?.document()?["version"], 1);
    Ok(())
}

#[test]
fn splits_and_limits_are_kept() -> anyhow::Result<()> {
    let bench = bench()?;
    let source = manifest(&bench, "gold", "d/v1")?;
    let ran = curate(&bench, &json!({ "splits": ["train", "test"], "limit": 1, "output": "files" }))?;
    assert_eq!(ran.code, Some(0), "{ran}");
    let made = manifest(&bench, "training", "t/v1")?;
    assert!(samples_of(&source, Split::Train) > 1 && samples_of(&source, Split::Val) > 0, "{source:?}");
    assert_eq!(samples_of(&made, Split::Train), 1);
    assert_eq!(samples_of(&made, Split::Val), 0);
    assert_eq!(samples_of(&made, Split::Test), samples_of(&source, Split::Test).min(1));
    bench.succeed(&["dataset", "verify", "t@1"])?;
    Ok(())
}

#[test]
fn the_least_size_is_that_of_the_original() -> anyhow::Result<()> {
    let bench = bench()?;
    let ran = curate(&bench, &json!({ "min_width": 161, "min_height": 240 }))?;
    assert_eq!(ran.code, Some(0), "{ran}");
    let made = manifest(&bench, "training", "t/v1")?;
    assert_eq!(made.variants.get("64x64").map(|variant| variant.samples), Some(2));
    Ok(())
}

#[test]
fn files_lie_by_split_with_their_metadata() -> anyhow::Result<()> {
    let bench = bench()?;
    let ran = curate(&bench, &json!({ "output": "files" }))?;
    assert_eq!(ran.code, Some(0), "{ran}");
    let source = manifest(&bench, "gold", "d/v1")?;
    for split in Split::ALL {
        let folder = bench.object("training", &format!("t/v1/64x64/{split}"));
        let there: BTreeSet<_> =
            files_below(&folder)?.into_iter().filter(|name| name.ends_with(".jpg")).collect();
        assert_eq!(there.len() as u64, samples_of(&source, split), "{split}");
        let described = fs::read_to_string(folder.join("metadata.jsonl"))?;
        let lines = described.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
        let named: BTreeSet<_> =
            lines.iter().filter_map(|line| line["file_name"].as_str().map(str::to_owned)).collect();
        assert_eq!(named, there, "{split}");
        for name in there {
            let picture = image::open(folder.join(name))?;
            assert_eq!((picture.width(), picture.height()), (64, 64));
        }
    }
    bench.succeed(&["dataset", "verify", "t@1"])?;
    Ok(())
}

#[test]
fn a_request_that_nothing_matches_is_rejected_with_its_reason() -> anyhow::Result<()> {
    let bench = bench()?;
    // An earlier success of the same name must not stand in for it.
    assert_eq!(curate(&bench, &json!({}))?.code, Some(0));
    for impossible in [json!({ "variant": "1080p" }), json!({ "min_width": 5000 })] {
        let ran = curate(&bench, &impossible)?;
        assert_eq!(ran.code, Some(1), "{impossible}: {ran}");
        assert!(ran.stderr.contains("imageml rejected list t"), "{impossible}: {ran}");
    }
    let rejected = bench.json(&["rejected", "list", "t"])?;
    assert_eq!(list(&rejected, "/rejected")?.len(), 2);
    for record in list(&rejected, "/rejected")? {
        assert_eq!(record["stage"], "curate");
        assert_eq!(record["reason"], "invalid_request");
    }
    Ok(())
}

#[test]
fn requests_that_make_no_sense_are_refused_at_once() -> anyhow::Result<()> {
    let bench = bench()?;
    let senseless = [
        (json!({ "limit": 0 }), "limit"),
        (json!({ "frobnicate": 1 }), "frobnicate"),
        (json!({ "name": "d" }), "name of its own"),
        (json!({ "version": 9 }), "9"),
        (json!({ "dataset": "other" }), "other"),
        (json!({ "limit_per_class": 0 }), "per class"),
    ];
    for (more, said) in senseless {
        let ran = curate(&bench, &more)?;
        assert!(matches!(ran.code, Some(1 | 2)), "{more}: {ran}");
        assert!(ran.stderr.contains(said), "{more}: {ran}");
    }
    assert!(!bench.object("training", "t").exists());
    Ok(())
}
