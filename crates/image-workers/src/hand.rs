//! Who works on a picture: a worker, or this process.

use std::fs::File;
use std::io;
use std::iter;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use imaging::Limits;
use pipeline::StageError;
use types::NormalizationPolicy;

use crate::child::{Death, Worker};
use crate::executor::{Done, Executor, Progress, Task, Verdict};
use crate::wire::{Reply, Request, Work};

/// Keeps what it needs from picture to picture.
#[derive(Debug)]
pub(crate) enum Hand {
    Child(Worker),
    Here(Box<Executor>),
}

/// A picture's file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Picture<'a> {
    pub(crate) path: &'a Path,
    pub(crate) file: &'a File,
    pub(crate) bytes: u64,
    pub(crate) limits: Limits,
}

/// What is to be done with a picture.
#[derive(Debug, Clone)]
pub(crate) enum Job {
    Inspect,
    Normalize { policy: Arc<NormalizationPolicy>, outputs: Arc<[PathBuf]> },
}

/// Why a step gave no result.
#[derive(Debug)]
pub(crate) enum Trouble {
    Death(Death),
    File(PathBuf, io::Error),
    /// The worker could not be started, or said something else than was asked.
    Worker(io::Error),
}

impl Hand {
    /// Begins with a picture, and ends if no more than `memory` bytes are needed.
    pub(crate) fn begin(
        &mut self,
        picture: Picture<'_>,
        job: &Job,
        memory: u64,
    ) -> Result<Progress, Trouble> {
        let Picture { path, file, bytes, limits } = picture;
        let outputs = job.outputs()?;
        let worker = match self {
            Self::Here(executor) => {
                let begun = executor.begin(file, bytes, limits, job.task(outputs), memory);
                return begun.map_err(|error| Trouble::File(path.to_owned(), error));
            }
            Self::Child(worker) => worker,
        };
        let request = Request::Begin { bytes, limits, work: job.work(), memory };
        let files: Vec<_> = iter::once(file).chain(&outputs).map(AsFd::as_fd).collect();
        let reply = worker.ask(&request, &files, limits.max_bytes.saturating_add(memory));
        match reply.map_err(Trouble::Death)? {
            Reply::Done(verdict) => Ok(Progress::Done(verdict)),
            Reply::Needs(bytes) => Ok(Progress::Needs(bytes)),
            Reply::Failed(error) => Err(Trouble::File(path.to_owned(), io::Error::other(error))),
            other @ Reply::Ready => Err(unexpected(&other)),
        }
    }

    /// Ends what waits for memory: it has it now.
    pub(crate) fn go_on(&mut self, path: &Path, memory: u64) -> Result<Verdict<Done>, Trouble> {
        let failed = |error| Trouble::File(path.to_owned(), error);
        let worker = match self {
            Self::Here(executor) => return executor.go_on().map_err(failed),
            Self::Child(worker) => worker,
        };
        match worker.ask(&Request::GoOn, &[], memory).map_err(Trouble::Death)? {
            Reply::Done(verdict) => Ok(verdict),
            Reply::Failed(error) => Err(failed(io::Error::other(error))),
            other @ (Reply::Ready | Reply::Needs(_)) => Err(unexpected(&other)),
        }
    }
}

impl Job {
    /// The files to write to, made new.
    fn outputs(&self) -> Result<Vec<File>, Trouble> {
        let Self::Normalize { outputs, .. } = self else { return Ok(Vec::new()) };
        let create = |path: &PathBuf| File::create(path).map_err(|error| Trouble::File(path.clone(), error));
        outputs.iter().map(create).collect()
    }

    fn task(&self, outputs: Vec<File>) -> Task {
        match self {
            Self::Inspect => Task::Inspect,
            Self::Normalize { policy, .. } => Task::Normalize(policy.as_ref().clone(), outputs),
        }
    }

    fn work(&self) -> Work {
        match self {
            Self::Inspect => Work::Inspect,
            Self::Normalize { policy, .. } => Work::Normalize(policy.as_ref().into()),
        }
    }
}

impl Trouble {
    /// Deaths are counted, all else is the stage's.
    pub(crate) fn into_result<T>(self) -> Result<Result<T, Death>, StageError> {
        match self {
            Self::Death(death) => Ok(Err(death)),
            Self::File(path, error) => Err(StageError::file(&path)(error)),
            Self::Worker(error) => Err(StageError::Helper(format!("image worker: {error}"))),
        }
    }
}

fn unexpected(reply: &Reply) -> Trouble {
    Trouble::Worker(io::Error::other(format!("unexpected answer: {reply:?}")))
}
