//! Workers for a stage: started when needed, kept, replaced.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use imaging::Inspection;
use pipeline::{CpuPool, MemoryBudget, StageError};
use tokio::sync::Semaphore;
use types::{NormalizationPolicy, RejectCode, RejectReason};

use crate::child::{Death, Worker};
use crate::config::{Isolation, WorkerSettings};
use crate::executor::{Done, Progress, Rendered, Verdict};
use crate::hand::{Hand, Job, Picture, Trouble};

/// Pictures let in for each worker: the next one is at hand when a worker has finished, without a trip over the runtime.
const PICTURES_PER_WORKER: usize = 2;

/// Workers that a picture may end before it is refused: the first could have been somebody else's victim.
const DEATHS: u32 = 3;

/// Inspects and normalizes pictures, as many at once as there are CPU threads. Pictures that wait for memory have workers of
/// their own meanwhile, as many again at most.
#[derive(Debug, Clone)]
pub struct ImageWorkers {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    settings: WorkerSettings,
    /// One for each picture that is worked on, or is next.
    turns: Semaphore,
    idle: Mutex<Vec<Hand>>,
}

/// How far a picture came with the memory that was free.
#[derive(Debug)]
enum Step {
    Done(Verdict<Done>),
    /// For so many bytes.
    WaitsForMemory(Hand, u64),
}

impl ImageWorkers {
    /// No worker is started before there is work.
    pub fn new(settings: WorkerSettings) -> Self {
        let turns = Semaphore::new(settings.processes.max(1) * PICTURES_PER_WORKER);
        Self { shared: Arc::new(Shared { settings, turns, idle: Mutex::default() }) }
    }

    /// The bounds of one picture.
    pub fn limits(&self) -> imaging::Limits {
        self.shared.settings.limits
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
        let _turn = self.shared.turns.acquire().await.map_err(|_| StageError::Cancelled)?;
        let mut deaths = 0;
        loop {
            let death = match self.attempt(file, &job, cpu, memory).await? {
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

    /// In one go where a fair share of the memory is free and enough; else headers first, then memory, then pixels, all
    /// by one worker.
    async fn attempt(
        &self,
        file: &Path,
        job: &Job,
        cpu: &CpuPool,
        memory: &MemoryBudget,
    ) -> Result<Result<Verdict<Done>, Death>, StageError> {
        let step = {
            let (shared, file, job, memory) =
                (Arc::clone(&self.shared), file.to_owned(), job.clone(), memory.clone());
            cpu.run(move || shared.begin(&file, &job, &memory)).await?
        };
        let (hand, needed) = match step {
            Ok(Step::Done(verdict)) => return Ok(Ok(verdict)),
            Ok(Step::WaitsForMemory(hand, needed)) => (hand, needed),
            Err(trouble) => return trouble.into_result(),
        };
        let permit = memory.acquire(needed).await;
        let (shared, file) = (Arc::clone(&self.shared), file.to_owned());
        let done = cpu
            .run(move || {
                let _permit = permit;
                shared.go_on(hand, &file, needed)
            })
            .await?;
        done.map_or_else(Trouble::into_result, |verdict| Ok(Ok(verdict)))
    }
}

impl Shared {
    fn take(&self) -> Result<Hand, Trouble> {
        let next = || self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let alive = |hand: &mut Hand| match hand {
            Hand::Child(worker) => worker.is_alive(),
            Hand::Here(_) => true,
        };
        let idle = std::iter::from_fn(next).find_map(|mut hand| alive(&mut hand).then_some(hand));
        match (idle, self.settings.isolation) {
            (Some(hand), _) => Ok(hand),
            (None, Isolation::Process) => {
                Worker::start(&self.settings).map(Hand::Child).map_err(Trouble::Worker)
            }
            (None, Isolation::None) => Ok(Hand::Here(Box::default())),
        }
    }

    /// Only after an answer: a worker without one is in an unknown state, and is dropped.
    fn put_back(&self, hand: Hand) {
        let old =
            matches!(&hand, Hand::Child(worker) if worker.pictures() >= self.settings.pictures_per_process);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if !old && idle.len() < self.settings.processes.max(1) {
            idle.push(hand);
        }
    }

    fn begin(&self, path: &Path, job: &Job, memory: &MemoryBudget) -> Result<Step, Trouble> {
        let failed = |error| Trouble::File(path.to_owned(), error);
        let file = File::open(path).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        let mut hand = self.take()?;
        let share = memory.bytes() / self.settings.processes.max(1) as u64;
        let permit = memory.try_acquire(share);
        let allowed = permit.as_ref().map_or(0, |_| share);
        let limits = self.settings.limits;
        let progress = hand.begin(Picture { path, file: &file, bytes, limits }, job, allowed)?;
        drop(permit);
        match progress {
            Progress::Done(verdict) => {
                self.put_back(hand);
                Ok(Step::Done(verdict))
            }
            Progress::Needs(needed) => match memory.try_acquire(needed) {
                Some(_permit) => self.go_on(hand, path, needed).map(Step::Done),
                None => Ok(Step::WaitsForMemory(hand, needed)),
            },
        }
    }

    fn go_on(&self, mut hand: Hand, path: &Path, memory: u64) -> Result<Verdict<Done>, Trouble> {
        let verdict = hand.go_on(path, memory)?;
        self.put_back(hand);
        Ok(verdict)
    }
}

fn unasked() -> StageError {
    StageError::Helper("the worker answered another question".to_owned())
}
