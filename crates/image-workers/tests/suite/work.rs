//! Workers answer what the work in this process gives.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use image_workers::{ImageWorkers, Rendered, WorkerSettings};
use pipeline::StageError;
use types::{NormalizationPolicy, RejectCode, Sha256};

use crate::{in_process, machine, outputs, picture, settings};

/// The answer, and the files.
async fn normalize(settings: WorkerSettings, file: &Path) -> Result<(Rendered, Vec<Vec<u8>>)> {
    let (cpu, memory) = machine()?;
    let folder = tempfile::tempdir()?;
    let outputs = outputs(folder.path(), 0);
    let workers = ImageWorkers::new(settings);
    let policy = Arc::new(NormalizationPolicy::default());
    let rendered = workers.normalize(file, &policy, outputs.clone(), &cpu, &memory).await?;
    let files = outputs.iter().map(std::fs::read).collect::<Result<_, _>>()?;
    Ok((rendered, files))
}

#[tokio::test]
async fn a_worker_writes_what_this_process_would() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = picture(folder.path());
    let (rendered, files) = normalize(settings(), &file).await?;
    assert_eq!((rendered.clone(), files.clone()), normalize(in_process(), &file).await?);
    assert_eq!(rendered.variants.len(), 3);
    for (variant, content) in rendered.variants.iter().zip(&files) {
        assert_eq!((variant.bytes, variant.sha256), (content.len() as u64, Sha256::of(content)));
    }
    Ok(())
}

#[tokio::test]
async fn a_picture_that_has_to_wait_for_memory_comes_out_the_same() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = picture(folder.path());
    let (expected, _) = normalize(settings(), &file).await?;
    let policy = Arc::new(NormalizationPolicy::default());
    let outputs = outputs(folder.path(), 0);
    for settings in [settings(), in_process()] {
        let (cpu, memory) = machine()?;
        let workers = ImageWorkers::new(settings);
        let rendered = || workers.normalize(&file, &policy, outputs.clone(), &cpu, &memory);

        let no_fair_share = memory.acquire(1).await;
        assert_eq!(rendered().await?, expected, "there is enough");
        drop(no_fair_share);

        let nothing = memory.acquire(memory.bytes()).await;
        let mut waiting = Box::pin(rendered());
        let early = tokio::time::timeout(Duration::from_millis(500), &mut waiting).await;
        assert!(early.is_err(), "{early:?}");
        drop(nothing);
        assert_eq!(waiting.await?, expected);
    }
    Ok(())
}

#[tokio::test]
async fn a_worker_tells_the_same_facts() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = picture(folder.path());
    let (cpu, memory) = machine()?;
    let there = ImageWorkers::new(settings()).inspect(&file, &cpu, &memory).await?;
    let here = imaging::inspect(&std::fs::read(&file)?, &imaging::Limits::default())?;
    assert_eq!(there, here);
    Ok(())
}

#[tokio::test]
async fn refused_pictures_have_their_reason_and_cost_no_worker() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (good, cut, long) = (picture(folder.path()), folder.path().join("cut"), folder.path().join("long"));
    let bytes = std::fs::read(&good)?;
    std::fs::write(&cut, &bytes[..bytes.len() / 2])?;
    std::fs::write(&long, [&bytes[..], &[0; 1000]].concat())?;
    let limits = imaging::Limits { max_bytes: bytes.len() as u64, ..imaging::Limits::default() };
    let (cpu, memory) = machine()?;
    for settings in [settings(), in_process()] {
        let workers = ImageWorkers::new(WorkerSettings { limits, ..settings });
        for (file, expected) in [(&cut, RejectCode::Truncated), (&long, RejectCode::LimitExceeded)] {
            match workers.inspect(file, &cpu, &memory).await {
                Err(StageError::Rejected(reason)) => assert_eq!(reason.code, expected),
                other => anyhow::bail!("{other:?}"),
            }
        }
        assert!(workers.inspect(&good, &cpu, &memory).await.is_ok());
        let missing = workers.inspect(&folder.path().join("missing"), &cpu, &memory).await;
        assert!(matches!(missing, Err(StageError::File { .. })), "{missing:?}");
        assert!(memory.try_acquire(memory.bytes()).is_some(), "nobody holds memory any more");
    }
    Ok(())
}
