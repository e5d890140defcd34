//! Many pictures at once: each has its own answer, whoever worked on it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use futures::future::join_all;
use image_workers::{ImageWorkers, WorkerSettings};
use pipeline::{CpuPool, MemoryBudget, StageError};
use types::{NormalizationPolicy, RejectCode};

use crate::{in_process, machine, outputs, picture, script, settings};

/// Widths tell the pictures apart; every third is cut short.
fn pictures(folder: &Path, count: usize) -> Result<Vec<(PathBuf, Option<u32>)>> {
    let make = |number: usize| {
        let (path, width) = (folder.join(format!("{number}.jpg")), 100 + u16::try_from(number)?);
        let pixels = vec![90; usize::from(width) * 80 * 3];
        jpeg_encoder::Encoder::new_file(&path, 90)?.encode(
            &pixels,
            width,
            80,
            jpeg_encoder::ColorType::Rgb,
        )?;
        if number % 3 == 2 {
            let bytes = std::fs::read(&path)?;
            std::fs::write(&path, &bytes[..bytes.len() / 2])?;
            return Ok((path, None));
        }
        Ok((path, Some(u32::from(width))))
    };
    (0..count).map(make).collect()
}

#[tokio::test]
async fn each_of_many_pictures_has_its_own_answer() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let pictures = pictures(folder.path(), 60)?;
    let policy = Arc::new(NormalizationPolicy::default());
    for (settings, threads) in [(settings(), 1), (settings(), 2), (in_process(), 2)] {
        let (cpu, memory) = (CpuPool::new(threads)?, MemoryBudget::new(512 << 20));
        let workers =
            ImageWorkers::new(WorkerSettings { processes: threads, pictures_per_process: 7, ..settings });
        let asked = pictures.iter().enumerate().map(|(number, (path, _))| {
            workers.normalize(path, &policy, outputs(folder.path(), number), &cpu, &memory)
        });
        let answers = join_all(asked).await;
        for (number, (answer, (_, width))) in answers.into_iter().zip(&pictures).enumerate() {
            match (answer, width) {
                (Ok(rendered), Some(width)) => {
                    assert_eq!(rendered.width, *width);
                    for (made, path) in rendered.variants.iter().zip(outputs(folder.path(), number)) {
                        assert_eq!(std::fs::read(path)?.len() as u64, made.bytes);
                    }
                }
                (Err(StageError::Rejected(reason)), None) => assert_eq!(reason.code, RejectCode::Truncated),
                other => anyhow::bail!("{number}: {other:?}"),
            }
        }
        let all = memory.try_acquire(memory.bytes());
        ensure!(all.is_some(), "nobody holds memory any more");
    }
    Ok(())
}

/// Two pictures of which each ends three workers: the one that was handed over to the other's worker is not to blame.
#[tokio::test]
async fn a_death_counts_for_the_picture_that_was_worked_on() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = picture(folder.path());
    let (cpu, memory) = machine()?;
    let starts = folder.path().join("starts");
    let ready = r#"printf '\007\000\000\000"Ready"' >&0"#;
    let program =
        script(folder.path(), &format!("echo x >> {}; {ready}; sleep 0.1; kill -SEGV $$", starts.display()))?;
    let workers = ImageWorkers::new(WorkerSettings { program, ..settings() });
    let asked = (0..2).map(|_| workers.inspect(&file, &cpu, &memory));
    for refused in join_all(asked).await {
        let Err(StageError::Rejected(reason)) = refused else { anyhow::bail!("{refused:?}") };
        assert_eq!(reason.code, RejectCode::DecoderFailure);
    }
    assert_eq!(std::fs::read_to_string(&starts)?.lines().count(), 6);
    Ok(())
}

#[tokio::test]
async fn pictures_that_nobody_waits_for_are_left_out() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = picture(folder.path());
    let (cpu, memory) = machine()?;
    let workers = ImageWorkers::new(settings());
    let policy = Arc::new(NormalizationPolicy::default());
    let ask = |number| workers.normalize(&file, &policy, outputs(folder.path(), number), &cpu, &memory);
    let mut given_up: Vec<_> = (0..20).map(|number| Box::pin(ask(number))).collect();
    for asked in &mut given_up {
        assert!(futures::poll!(asked).is_pending());
    }
    drop(given_up);
    ask(20).await?;
    let begun = (0..20).filter(|number| outputs(folder.path(), *number)[0].exists()).count();
    assert!(begun <= 2, "one at work and one behind it, but {begun} were");
    Ok(())
}

#[tokio::test]
async fn who_waits_for_memory_has_it_between_two_pictures() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = picture(folder.path());
    let (cpu, memory) = machine()?;
    let workers = ImageWorkers::new(settings());
    let answered = AtomicUsize::new(0);
    let asked = (0..40).map(|_| async {
        let facts = workers.inspect(&file, &cpu, &memory).await;
        answered.fetch_add(1, Ordering::Relaxed);
        facts
    });
    let other = async {
        while answered.load(Ordering::Relaxed) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        drop(memory.acquire(memory.bytes()).await);
        answered.load(Ordering::Relaxed)
    };
    let (facts, answered_before) = tokio::join!(join_all(asked), other);
    assert!(answered_before < 30, "{answered_before}");
    for facts in facts {
        facts?;
    }
    Ok(())
}
