//! Pictures that end their workers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use image_workers::{ImageWorkers, WorkerSettings};
use pipeline::StageError;
use types::RejectCode;

use crate::{machine, picture, script, settings};

/// Children of this process that run `program`.
fn workers_of(program: &Path) -> Result<Vec<i32>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")? {
        let folder = entry?.path();
        let Some(pid) = folder.file_name().and_then(|name| name.to_str()?.parse::<i32>().ok()) else {
            continue;
        };
        let stat = std::fs::read_to_string(folder.join("stat")).unwrap_or_default();
        let parent = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(1)?.parse::<u32>().ok());
        let runs = std::fs::read_link(folder.join("exe")).is_ok_and(|exe| exe == program);
        if parent == Some(std::process::id()) && runs {
            found.push(pid);
        }
    }
    Ok(found)
}

#[tokio::test]
async fn a_worker_that_dies_or_hangs_is_replaced_until_the_picture_is_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = picture(folder.path());
    let (cpu, memory) = machine()?;
    let starts = folder.path().join("starts");
    for (end, expected) in [
        ("kill -SEGV $$", "signal: 11"),
        ("sleep 60", "no answer in time"),
        // 200 bytes, one at a time.
        ("printf '\\310\\000\\000\\000' >&0; while sleep 0.1; do printf ' ' >&0; done", "no answer in time"),
        ("printf '\\001\\000\\000\\000x' >&0; sleep 60", "signal: 9"),
    ] {
        std::fs::write(&starts, "")?;
        let program = script(
            folder.path(),
            &format!("echo x >> {}; printf '\\007\\000\\000\\000\"Ready\"' >&0; {end}", starts.display()),
        )?;
        let timeout = Duration::from_millis(300);
        let workers = ImageWorkers::new(WorkerSettings { program, timeout, ..settings() });
        match workers.inspect(&file, &cpu, &memory).await {
            Err(StageError::Rejected(reason)) => {
                assert_eq!(reason.code, RejectCode::DecoderFailure);
                assert!(reason.detail.contains(expected), "{}", reason.detail);
            }
            other => anyhow::bail!("{other:?}"),
        }
        assert_eq!(std::fs::read_to_string(&starts)?.lines().count(), 3, "{end}");
    }
    Ok(())
}

#[tokio::test]
async fn a_worker_that_does_not_start_is_no_fault_of_the_picture() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = picture(folder.path());
    let (cpu, memory) = machine()?;
    let program = script(folder.path(), "exit 3")?;
    let workers = ImageWorkers::new(WorkerSettings { program, ..settings() });
    let refused = workers.inspect(&file, &cpu, &memory).await;
    assert!(matches!(&refused, Err(StageError::Helper(why)) if why.contains("did not start")), "{refused:?}");
    Ok(())
}

/// A copy of the worker for one test alone, since tests of this program run side by side.
fn own_program(folder: &Path) -> Result<PathBuf> {
    let program = folder.join("worker");
    std::fs::copy(settings().program, &program)?;
    Ok(program)
}

#[tokio::test]
async fn the_next_picture_after_a_death_has_a_new_worker() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (file, program) = (picture(folder.path()), own_program(folder.path())?);
    let (cpu, memory) = machine()?;
    let workers = ImageWorkers::new(WorkerSettings { program: program.clone(), ..settings() });
    workers.inspect(&file, &cpu, &memory).await?;
    let first = workers_of(&program)?;
    let [pid] = first[..] else { anyhow::bail!("one worker, not {first:?}") };
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(pid).context("a process")?,
        rustix::process::Signal::KILL,
    )?;
    workers.inspect(&file, &cpu, &memory).await?;
    let second = workers_of(&program)?;
    assert!(second.len() == 1 && second != first, "{first:?}, then {second:?}");
    Ok(())
}

#[tokio::test]
async fn workers_are_replaced_after_their_share_and_end_with_their_owner() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (file, program) = (picture(folder.path()), own_program(folder.path())?);
    let (cpu, memory) = machine()?;
    let of_two = WorkerSettings { program: program.clone(), pictures_per_process: 2, ..settings() };
    let workers = ImageWorkers::new(of_two);
    let mut alive = Vec::new();
    for _ in 0..4 {
        workers.inspect(&file, &cpu, &memory).await?;
        alive.push(workers_of(&program)?);
    }
    assert_eq!(alive.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 1, 0]);
    assert_ne!(alive[0], alive[2]);
    workers.inspect(&file, &cpu, &memory).await?;
    drop(workers);
    assert!(workers_of(&program)?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_worker_has_no_environment_and_a_bound_on_its_memory() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (file, program) = (picture(folder.path()), own_program(folder.path())?);
    let (cpu, memory) = machine()?;
    let workers = ImageWorkers::new(WorkerSettings { program: program.clone(), ..settings() });
    workers.inspect(&file, &cpu, &memory).await?;
    let alive = workers_of(&program)?;
    let [pid] = alive[..] else { anyhow::bail!("one worker, not {alive:?}") };
    let environment = std::fs::read_to_string(format!("/proc/{pid}/environ"))?;
    let names = environment.split_terminator('\0').filter_map(|pair| pair.split('=').next());
    // The C library cuts its settings apart in place.
    let foreign: Vec<_> =
        names.filter(|name| *name != "GLIBC_TUNABLES" && !name.starts_with("glibc.")).collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits"))?;
    let space = limits.lines().find_map(|line| line.strip_prefix("Max address space"));
    let soft: u64 =
        space.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).context("a number")?;
    assert!(soft < 1 << 30, "{soft}");
    Ok(())
}
