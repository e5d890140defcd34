//! A picture that somebody waits for.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pipeline::{MemoryPermit, StageError};
use tokio::sync::oneshot;
use types::NormalizationPolicy;

use crate::child::Death;
use crate::executor::{Progress, Task};
use crate::wire::Work;

/// What is to be done with a picture.
#[derive(Debug, Clone)]
pub(crate) enum Job {
    Inspect,
    Normalize { policy: Arc<NormalizationPolicy>, outputs: Arc<[PathBuf]> },
}

/// Memory that was set aside: for a picture that has said how much it needs, or a fair share for those that have not.
#[derive(Debug)]
pub(crate) struct SetAside {
    bytes: u64,
    _permit: MemoryPermit,
}

impl SetAside {
    pub(crate) fn new(bytes: u64, permit: MemoryPermit) -> Self {
        Self { bytes, _permit: permit }
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// What there is to tell about a picture.
pub(crate) type Answer = Result<Progress, Trouble>;

/// A picture, and who waits for it.
#[derive(Debug)]
pub(crate) struct Picture {
    path: PathBuf,
    job: Job,
    memory: Option<SetAside>,
    waits: oneshot::Sender<Answer>,
}

/// Why there is no result.
#[derive(Debug)]
pub(crate) enum Trouble {
    Death(Death),
    File(PathBuf, io::Error),
    /// A worker could not be started, or said something else than was asked.
    Worker(io::Error),
}

impl Picture {
    pub(crate) fn new(path: &Path, job: &Job, memory: Option<SetAside>) -> (Self, oneshot::Receiver<Answer>) {
        let (waits, answer) = oneshot::channel();
        (Self { path: path.to_owned(), job: job.clone(), memory, waits }, answer)
    }

    /// Memory that is its own.
    pub(crate) fn own_memory(&self) -> Option<u64> {
        self.memory.as_ref().map(SetAside::bytes)
    }

    /// Whether somebody waits still.
    pub(crate) fn is_wanted(&self) -> bool {
        !self.waits.is_closed()
    }

    /// Its file, with its length.
    pub(crate) fn open(&self) -> Result<(File, u64), Trouble> {
        let opened = File::open(&self.path).and_then(|file| Ok((file.metadata()?.len(), file)));
        opened.map(|(bytes, file)| (file, bytes)).map_err(|error| self.failed(error))
    }

    /// The files to write to, made new.
    pub(crate) fn outputs(&self) -> Result<Vec<File>, Trouble> {
        let Job::Normalize { outputs, .. } = &self.job else { return Ok(Vec::new()) };
        let create = |path: &PathBuf| File::create(path).map_err(|error| Trouble::File(path.clone(), error));
        outputs.iter().map(create).collect()
    }

    pub(crate) fn task(&self, outputs: Vec<File>) -> Task {
        match &self.job {
            Job::Inspect => Task::Inspect,
            Job::Normalize { policy, .. } => Task::Normalize(policy.as_ref().clone(), outputs),
        }
    }

    pub(crate) fn work(&self) -> Work {
        match &self.job {
            Job::Inspect => Work::Inspect,
            Job::Normalize { policy, .. } => Work::Normalize(policy.as_ref().into()),
        }
    }

    /// A failure of its files.
    pub(crate) fn failed(&self, error: io::Error) -> Trouble {
        Trouble::File(self.path.clone(), error)
    }

    /// Ends the waiting.
    pub(crate) fn answer(self, answer: Answer) {
        let Self { memory, waits, .. } = self;
        // Before anybody hears of the end, so that what is at rest holds nothing.
        drop(memory);
        if waits.send(answer).is_err() {
            tracing::debug!("nobody waits for this picture any more");
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
