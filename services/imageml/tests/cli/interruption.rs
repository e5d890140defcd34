//! Runs that are stopped, killed, or in each other's way.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::ensure;
use rustix::process::Signal;

use crate::bench::{Bench, Running, contents, files_below};

/// Enough work that none of these runs is over before it is stopped.
const PICTURES: u32 = 48;

/// One at a time, so that the end is far when the first is done.
const SLOWLY: [&str; 2] = ["--cpu-threads", "1"];

/// A run that has made its first rendition, with most of them still to come.
fn half_way(bench: &Bench) -> anyhow::Result<Running> {
    let mut running = Running::start(bench.run_command(&SLOWLY))?;
    let silver = bench.object("silver", "d/normalized/64x64");
    running.wait_until(|| fs::read_dir(&silver).is_ok_and(|mut found| found.next().is_some()))?;
    Ok(running)
}

fn undisturbed() -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let bench = Bench::with_pictures(PICTURES)?;
    bench.run(&[])?;
    contents(&bench.object("gold", "d/v1"))
}

#[test]
fn an_interrupted_run_goes_on_where_it_was() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(PICTURES)?;
    let running = half_way(&bench)?;
    running.signal(Signal::INT)?;
    let ran = running.wait()?;
    assert_eq!(ran.code, Some(1), "{ran}");
    assert!(ran.stderr.contains("interrupted; run the same command again to go on"), "{ran}");
    assert!(!bench.object("gold", "d/v1/manifest.json").exists());
    nothing_staged(&bench)?;
    let done = files_below(&bench.object("silver", "d/normalized/64x64"))?.len();
    ensure!(done < PICTURES as usize, "it was not interrupted");
    let again = bench.try_run(&[])?;
    assert_eq!(again.code, Some(0), "{again}");
    assert!(again.stderr.contains(&format!("ingest: 0 done, {PICTURES} before")), "{again}");
    assert!(
        again.stderr.contains(&format!("normalize: {} done, {done} before", PICTURES as usize - done)),
        "{again}"
    );
    assert!(contents(&bench.object("gold", "d/v1"))? == undisturbed()?, "not the same version");
    Ok(())
}

#[test]
fn two_runs_in_one_home_are_refused() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(PICTURES)?;
    let first = half_way(&bench)?;
    let second = bench.try_run(&[])?;
    assert_eq!(second.code, Some(1), "{second}");
    assert!(second.stderr.contains("another imageml process is using"), "{second}");
    // Looking is not refused.
    bench.succeed(&["dataset", "list"])?;
    bench.succeed(&["rejected", "list", "d"])?;
    let first = first.wait()?;
    assert_eq!(first.code, Some(0), "{first}");
    assert_eq!(first.document()?["images"]["ingested"], PICTURES);
    Ok(())
}

#[test]
fn a_killed_run_ends_like_an_undisturbed_one() -> anyhow::Result<()> {
    let bench = Bench::with_pictures(PICTURES)?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut script = Command::new("bash");
    script.arg(root.join("scripts/kill-resume.sh"));
    script.arg("--binary").arg(env!("CARGO_BIN_EXE_imageml"));
    script.arg("--input").arg(bench.input()).args(["--kills", "4", "--seed", "7"]);
    let ran = Running::start(script)?.wait()?;
    assert_eq!(ran.code, Some(0), "{ran}");
    assert_eq!(ran.stdout.lines().filter(|line| line.starts_with("kill ")).count(), 4, "{ran}");
    Ok(())
}

/// The staging area holds its lock and no work.
fn nothing_staged(bench: &Bench) -> anyhow::Result<()> {
    let left: Vec<_> =
        files_below(&bench.home().join("nvme"))?.into_iter().filter(|name| name != ".lock").collect();
    ensure!(left.is_empty(), "left behind: {left:?}");
    Ok(())
}
