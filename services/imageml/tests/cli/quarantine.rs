//! `imageml rejected` and `imageml processed`.

use std::fs;

use serde_json::json;

use crate::bench::{Bench, list, text};
use crate::pictures;

/// Two good pictures, one half, one empty.
fn bench() -> anyhow::Result<Bench> {
    let bench = Bench::with_pictures(2)?;
    pictures::truncated_jpeg(&bench.input().join("half.jpg"), 60)?;
    fs::write(bench.input().join("nothing.jpg"), "")?;
    Ok(bench)
}

#[test]
fn rejected_lists_every_object_with_its_reason() -> anyhow::Result<()> {
    let bench = bench()?;
    bench.run(&[])?;
    let document = bench.json(&["rejected", "list", "d"])?;
    assert_eq!(document["dataset"], "d");
    let rejected = list(&document, "/rejected")?;
    assert_eq!(rejected.len(), 2);
    for (record, (name, reason)) in rejected.iter().zip([("half.jpg", "truncated"), ("nothing.jpg", "empty")])
    {
        assert!(text(record, "/uri")?.ends_with(&format!("/{name}")), "{record}");
        assert_eq!(record["reason"], reason);
        assert_eq!(record["stage"], "ingest");
        assert_eq!(record["attempts"], 1);
    }
    let table = bench.succeed(&["rejected", "list", "d"])?.stdout;
    assert!(table.lines().any(|line| line.contains("half.jpg") && line.contains("truncated")), "{table}");
    Ok(())
}

#[test]
fn nothing_rejected_says_so() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(1)?;
    bench.run(&[])?;
    assert_eq!(bench.succeed(&["rejected", "list", "d"])?.stdout, "nothing was rejected\n");
    Ok(())
}

#[test]
fn names_do_not_steer_the_terminal() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(1)?;
    fs::write(bench.input().join("red\u{1b}[31m\nline.jpg"), "not a picture")?;
    let input = bench.input().display().to_string();
    let ran = bench.succeed(&["run", "--input", &input, "--dataset", "d", "--sizes", "64x64"])?;
    let table = bench.succeed(&["rejected", "list", "d"])?.stdout;
    for said in [ran.stdout, table] {
        assert!(said.contains(r"red\u{1b}[31m\u{a}line.jpg"), "{said}");
        assert!(!said.contains('\u{1b}'), "{said}");
    }
    Ok(())
}

#[test]
fn an_unknown_dataset_is_a_failure() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(1)?;
    bench.run(&[])?;
    let commands: [&[&str]; 4] = [
        &["rejected", "list", "other"],
        &["rejected", "redrive", "other"],
        &["dataset", "show", "other"],
        &["dataset", "verify", "other@1"],
    ];
    for command in commands {
        let ran = bench.imageml(command)?;
        assert_eq!(ran.code, Some(1), "{command:?}: {ran}");
        assert!(ran.stderr.contains("other"), "{command:?}: {ran}");
    }
    Ok(())
}

#[test]
fn a_dry_redrive_counts_and_changes_nothing() -> anyhow::Result<()> {
    let bench = bench()?;
    bench.run(&[])?;
    let dry = bench.json(&["rejected", "redrive", "d", "--dry-run"])?;
    assert_eq!(dry, json!({ "dataset": "d", "redriven": 2, "dry_run": true }));
    let one = bench.json(&["rejected", "redrive", "d", "--dry-run", "--reason", "truncated"])?;
    assert_eq!(one["redriven"], 1);
    assert_eq!(list(&bench.json(&["rejected", "list", "d"])?, "/rejected")?.len(), 2);
    let said = bench.succeed(&["rejected", "redrive", "d", "--dry-run"])?.stdout;
    assert_eq!(said, "2 objects would go back to work\n");
    Ok(())
}

#[test]
fn a_redriven_object_that_is_still_bad_is_rejected_again() -> anyhow::Result<()> {
    let bench = bench()?;
    let first = bench.run(&[])?;
    let redriven = bench.json(&["rejected", "redrive", "d", "--reason", "empty"])?;
    assert_eq!(redriven["redriven"], 1);
    assert_eq!(list(&bench.json(&["rejected", "list", "d"])?, "/rejected")?.len(), 1);
    let ran = bench.try_run(&[])?;
    assert!(ran.stderr.contains("ingest: 0 done, 1 rejected, 3 before"), "{ran}");
    let second = ran.document()?;
    for field in ["version", "images", "rejected", "shards"] {
        assert_eq!(first[field], second[field]);
    }
    Ok(())
}

#[test]
fn a_replaced_file_is_ingested_and_no_longer_rejected() -> anyhow::Result<()> {
    let bench = bench()?;
    bench.run(&[])?;
    pictures::jpeg(&bench.input().join("half.jpg"), 60, 160, 120)?;
    let document = bench.run(&[])?;
    assert_eq!(document["version"], 2);
    assert_eq!(document["images"], json!({ "seen": 4, "ingested": 3, "duplicates": 0, "rejected": 1 }));
    assert_eq!(document["rejected"][0]["key"], "nothing.jpg");
    Ok(())
}

#[test]
fn a_file_replaced_after_its_redrive_is_ingested() -> anyhow::Result<()> {
    let bench = bench()?;
    bench.run(&[])?;
    bench.succeed(&["rejected", "redrive", "d", "--reason", "truncated"])?;
    pictures::jpeg(&bench.input().join("half.jpg"), 60, 160, 120)?;
    let document = bench.run(&[])?;
    assert_eq!(document["version"], 2);
    assert_eq!(document["images"], json!({ "seen": 4, "ingested": 3, "duplicates": 0, "rejected": 1 }));
    Ok(())
}

#[test]
fn processed_answers_with_its_exit_code() -> anyhow::Result<()> {
    let bench = bench()?;
    bench.run(&[])?;
    let rejected = bench.json(&["rejected", "list", "d"])?;
    let half = text(&rejected, "/rejected/0/uri")?;
    let good = half.replace("half.jpg", "00.jpg");
    let bronze = bench.bronze("d", "00.jpg")?;
    let bronze = bronze.as_str();
    let cases = [
        ("ingest", good.as_str(), 0, "done"),
        ("normalize", bronze, 0, "done"),
        ("ingest", half, 1, "rejected (truncated"),
        ("curate", bronze, 1, "never seen by curate"),
        ("ingest", "s3://bucket/unheard-of.jpg", 1, "never seen by ingest"),
    ];
    for (stage, uri, code, said) in cases {
        let ran = bench.imageml(&["processed", "--stage", stage, uri])?;
        assert_eq!(ran.code, Some(code), "{stage} {uri}: {ran}");
        assert!(ran.stdout.contains(said), "{stage} {uri}: {ran}");
        let document = bench.imageml(&["processed", "--stage", stage, uri, "--json"])?.document()?;
        assert_eq!(document["processed"], code == 0);
        assert_eq!(document["uri"], uri);
    }
    Ok(())
}

#[test]
fn an_object_larger_than_the_staging_quota_is_rejected_and_the_rest_finishes() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(4)?;
    // 300 × 300 pixels of 3 bytes: 270,054 bytes with the header.
    pictures::bmp(&bench.input().join("large.bmp"), 70, 300, 300)?;
    let document = bench.run(&["--nvme-quota", "220KiB", "--sizes", "64x64"])?;
    assert_eq!(document["images"], json!({ "seen": 5, "ingested": 4, "duplicates": 0, "rejected": 1 }));
    assert_eq!(document["rejected"][0]["key"], "large.bmp");
    assert_eq!(document["rejected"][0]["reason"], "too_large");
    // With more room it is work like any other.
    bench.succeed(&["rejected", "redrive", "d", "--reason", "too_large"])?;
    let document = bench.run(&["--sizes", "64x64"])?;
    assert_eq!(document["images"], json!({ "seen": 5, "ingested": 5, "duplicates": 0, "rejected": 0 }));
    assert_eq!(document["version"], 2);
    Ok(())
}

#[test]
fn work_larger_than_the_staging_quota_waits_its_turn() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(24)?;
    // One rendition of 64 × 64 needs 4 bytes a pixel and 64 KiB for headers, 80 KiB; 24 of them ten times the quota.
    let small = bench.run(&["--nvme-quota", "200KiB", "--sizes", "64x64"])?;
    assert_eq!(small["images"]["ingested"], 24);
    assert_eq!(small["images"]["rejected"], 0);
    let roomy = Bench::with_pictures(24)?;
    let roomy = roomy.run(&["--sizes", "64x64"])?;
    assert_eq!(small["variants"], roomy["variants"]);
    Ok(())
}
