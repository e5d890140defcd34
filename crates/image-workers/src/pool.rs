//! Workers for a stage.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use imaging::Inspection;
use pipeline::{CpuPool, MemoryBudget, Panicked, StageError};
use types::{NormalizationPolicy, RejectCode, RejectReason};

use crate::child::Death;
use crate::config::WorkerSettings;
use crate::crew::{Crew, Machine};
use crate::executor::{Done, Progress, Rendered, Verdict};
use crate::picture::{Answer, Job, Picture, SetAside};

/// Workers that a picture may end before it is refused: the first could have been somebody else's victim.
const DEATHS: u32 = 3;

/// Inspects and normalizes pictures, as many at once as there are CPU threads.
#[derive(Debug, Clone)]
pub struct ImageWorkers {
    crew: Arc<Crew>,
}

impl ImageWorkers {
    /// No worker is started before there is work.
    pub fn new(settings: WorkerSettings) -> Self {
        Self { crew: Arc::new(Crew::new(settings)) }
    }

    /// The bounds of one picture.
    pub fn limits(&self) -> imaging::Limits {
        self.crew.settings().limits
    }

    /// See [`imaging::inspect`].
    ///
    /// # Errors
    /// The picture is refused; the file cannot be read; no worker can be started.
    pub async fn inspect(
        &self,
        file: &Path,
        cpu: &CpuPool,
        memory: &MemoryBudget,
    ) -> Result<Inspection, StageError> {
        match self.work(file, Job::Inspect, cpu, memory).await? {
            Done::Inspected(facts) => Ok(*facts),
            Done::Normalized(_) => Err(unasked()),
        }
    }

    /// Decodes `file` once and writes the variants of `policy` to `outputs`, in the policy's order. The files are made
    /// new; whoever fails leaves some of them, or parts.
    ///
    /// # Errors
    /// The picture is refused; a file cannot be read or written; no worker can be started.
    pub async fn normalize(
        &self,
        file: &Path,
        policy: &Arc<NormalizationPolicy>,
        outputs: Vec<PathBuf>,
        cpu: &CpuPool,
        memory: &MemoryBudget,
    ) -> Result<Rendered, StageError> {
        let sizes = outputs.len();
        let job = Job::Normalize { policy: Arc::clone(policy), outputs: outputs.into() };
        match self.work(file, job, cpu, memory).await? {
            Done::Normalized(rendered) if rendered.variants.len() == sizes => Ok(rendered),
            Done::Normalized(_) | Done::Inspected(_) => Err(unasked()),
        }
    }

    async fn work(
        &self,
        file: &Path,
        job: Job,
        cpu: &CpuPool,
        memory: &MemoryBudget,
    ) -> Result<Done, StageError> {
        let machine = Machine { cpu: cpu.clone(), memory: memory.clone() };
        let mut deaths = 0;
        loop {
            let death = match self.attempt(file, &job, &machine).await? {
                Ok(verdict) => return verdict.map_err(StageError::Rejected),
                Err(death) => death,
            };
            deaths += 1;
            tracing::warn!(image.file = %file.display(), %death, deaths, "a picture ended its worker");
            if deaths == DEATHS {
                let detail = format!("decoding ended {DEATHS} workers: {death}");
                return Err(StageError::Rejected(RejectReason::new(RejectCode::DecoderFailure, detail)));
            }
        }
    }

    /// In one go where a fair share of the memory is free and enough; else once more, with as much as it said that it needs.
    async fn attempt(
        &self,
        file: &Path,
        job: &Job,
        machine: &Machine,
    ) -> Result<Result<Verdict<Done>, Death>, StageError> {
        let mut memory = None;
        loop {
            let has_memory = memory.is_some();
            match self.ask(Picture::new(file, job, memory), machine).await? {
                Ok(Progress::Done(verdict)) => return Ok(Ok(verdict)),
                Ok(Progress::Needs(_)) if has_memory => return Err(unasked()),
                Ok(Progress::Needs(bytes)) => {
                    memory = Some(SetAside::new(bytes, machine.memory.acquire(bytes).await));
                }
                Err(trouble) => return trouble.into_result(),
            }
        }
    }

    async fn ask(
        &self,
        (picture, answer): (Picture, tokio::sync::oneshot::Receiver<Answer>),
        machine: &Machine,
    ) -> Result<Answer, Panicked> {
        self.crew.add(picture, machine);
        answer.await.map_err(|_| Panicked)
    }
}

fn unasked() -> StageError {
    StageError::Helper("the worker answered another question".to_owned())
}
