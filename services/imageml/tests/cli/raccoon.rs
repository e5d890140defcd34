//! 200 real photographs, and the loaders that people use.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::ensure;
use serde_json::json;
use types::Sha256;

use crate::bench::{Bench, Running, list, number, shared, text};

#[test]
fn real_photographs_are_published_and_read_by_every_loader() -> anyhow::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let Some(images) = shared("raccoon/images") else { return Ok(()) };
    let bench = Bench::new()?;
    let input = images.canonicalize()?.display().to_string();
    let document = bench.json(&["run", "--input", &input, "--dataset", "raccoon"])?;
    assert_eq!(document["version"], 1);
    assert_eq!(document["images"], json!({ "seen": 200, "ingested": 196, "duplicates": 4, "rejected": 0 }));
    for variant in ["1080p", "720p", "800x600"] {
        assert_eq!(number(&document, &format!("/variants/{variant}/written"))?, 196);
        let shards = list(&document, "/shards")?.iter().filter(|shard| shard["variant"] == variant);
        assert_eq!(shards.filter_map(|shard| shard["samples"].as_u64()).sum::<u64>(), 196);
    }
    for shard in list(&document, "/shards")? {
        let bytes = fs::read(text(shard, "/path")?)?;
        assert_eq!(Sha256::of(&bytes).to_string(), text(shard, "/sha256")?);
    }
    bench.succeed(&["dataset", "verify", "raccoon@1"])?;

    let python =
        std::env::var_os("IMAGEML_TEST_PYTHON").map_or_else(|| root.join(".venv/bin/python"), PathBuf::from);
    ensure!(python.exists(), "{} is missing: run `make setup-python`", python.display());
    let mut check = Command::new(&python);
    check.arg(root.join("tests/loaders/check_version.py")).arg(bench.object("gold", "raccoon/v1"));
    let ran = Running::start(check)?.wait()?;
    assert_eq!(ran.code, Some(0), "{ran}");
    for loader in ["files", "webdataset", "wids", "dali", "energon", "samples.parquet"] {
        for variant in ["1080p", "720p", "800x600"] {
            assert!(
                ran.stdout.contains(&format!("ok    {variant} {loader}:")),
                "no {loader} of {variant}: {ran}"
            );
        }
    }
    Ok(())
}
