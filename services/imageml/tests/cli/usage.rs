//! What is refused before any work begins, and the help.

use std::fs;

use anyhow::{Context, ensure};

use crate::bench::Bench;

#[test]
fn an_unknown_size_is_refused_with_the_grammar() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(1)?;
    for sizes in ["1081p", "720p,720p", "0x100", "100x99999", "", "100x100:zoom"] {
        let ran = bench.try_run(&["--sizes", sizes])?;
        assert_eq!(ran.code, Some(2), "{sizes:?}: {ran}");
        assert!(ran.stderr.contains("WIDTHxHEIGHT[:pad|:crop|:stretch]"), "{sizes:?}: {ran}");
    }
    ensure!(!bench.home().exists(), "a refused command left a home behind");
    Ok(())
}

#[test]
fn an_input_that_is_not_there_is_wrong_usage() -> anyhow::Result<()> {
    let bench = Bench::new()?;
    fs::write(bench.path("a file"), "no folder")?;
    for input in ["missing", "a file", "s3://", "s3:///key", "s3://Not_A_Bucket/x"] {
        let path = bench.path(input);
        let input = if input.starts_with("s3:") { input } else { path.to_str().context("a plain path")? };
        let ran = bench.imageml(&["run", "--dataset", "d", "--input", input])?;
        assert_eq!(ran.code, Some(2), "{input}: {ran}");
        assert!(ran.stderr.contains("--input"), "{input}: {ran}");
    }
    Ok(())
}

#[test]
fn wrong_arguments_exit_2() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(1)?;
    let input = bench.input();
    let input = input.to_str().context("a plain path")?;
    let run = ["run", "--dataset", "d", "--input", input];
    let wrong: [&[&str]; 11] = [
        &["--frobnicate"],
        &["--quality", "0"],
        &["--quality", "101"],
        &["--format", "gif"],
        &["--cpu-threads", "0"],
        &["--split", "90/5"],
        &["--split", "90/5/6"],
        &["--shard-size", "many"],
        &["--background", "red"],
        &["--nvme-quota", "-1"],
        // JPEG has no transparency to keep.
        &["--keep-alpha"],
    ];
    for more in wrong {
        let ran = bench.imageml(&[&run, more].concat())?;
        assert_eq!(ran.code, Some(2), "{more:?}: {ran}");
        assert!(ran.stderr.contains("error:"), "{more:?}: {ran}");
    }
    let commands: [&[&str]; 9] = [
        &[],
        &["frobnicate"],
        &["run"],
        &["run", "--dataset", "No Name", "--input", input],
        &["dataset", "verify", "d"],
        &["dataset", "verify", "d@0"],
        &["dataset", "lineage", "/no/uri"],
        &["processed", "--stage", "paint", "s3://bucket/key"],
        &["rejected", "redrive", "d", "--reason", "ugly"],
    ];
    for command in commands {
        let ran = bench.imageml(command)?;
        assert_eq!(ran.code, Some(2), "{command:?}: {ran}");
    }
    Ok(())
}

#[test]
fn a_home_without_datasets_is_a_failure_that_says_what_to_do() -> anyhow::Result<()> {
    let bench = Bench::new()?;
    let commands: [&[&str]; 4] = [
        &["dataset", "list"],
        &["dataset", "verify", "d@1"],
        &["rejected", "list", "d"],
        &["processed", "--stage", "ingest", "s3://bucket/key"],
    ];
    for command in commands {
        let ran = bench.imageml(command)?;
        assert_eq!(ran.code, Some(1), "{command:?}: {ran}");
        assert!(ran.stderr.contains("`imageml run` makes one"), "{command:?}: {ran}");
    }
    ensure!(!bench.home().exists(), "looking made a home");
    Ok(())
}

#[test]
fn help_is_as_it_was_reviewed() -> anyhow::Result<()> {
    let bench = Bench::new()?;
    insta::assert_snapshot!("imageml_help", bench.succeed(&["--help"])?.stdout);
    // The tester's own home is in the environment, and so in the help.
    let run = bench.succeed(&["run", "--help"])?.stdout;
    let home = bench.home().display().to_string();
    insta::assert_snapshot!("imageml_run_help", run.replace(&home, ""));
    Ok(())
}
