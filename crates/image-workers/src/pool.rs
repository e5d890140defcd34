//! Workers for a stage: started when needed, kept, replaced.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use imaging::{Inspection, Probe};
use pipeline::{CpuPool, MemoryBudget, StageError};
use tokio::sync::Semaphore;
use types::{NormalizationPolicy, RejectCode, RejectReason};

use crate::child::{Death, Worker};
use crate::config::{Isolation, WorkerSettings};
use crate::executor::{Executor, Rendered, Verdict};
use crate::wire::{Policy, Reply, Request};

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

/// Who works on a picture.
#[derive(Debug)]
enum Hand {
    Child(Worker),
    Here(Box<Executor>),
}

/// What is to be done with a picture.
#[derive(Debug, Clone)]
enum Task {
    Inspect,
    Normalize { policy: Arc<NormalizationPolicy>, outputs: Arc<[PathBuf]> },
}

/// What came of it.
#[derive(Debug)]
enum Done {
    Inspected(Verdict<Box<Inspection>>),
    Normalized(Verdict<Rendered>),
}

/// How far a picture came with the memory that was free.
#[derive(Debug)]
enum Step {
    Done(Done),
    Refused(RejectReason),
    /// For so many bytes.
    WaitsForMemory(Hand, u64),
}

/// Why a step gave no result.
#[derive(Debug)]
enum Trouble {
    Death(Death),
    File(PathBuf, io::Error),
    /// The worker could not be started, or said something else than was asked.
    Worker(io::Error),
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
        match self.work(file, Task::Inspect, cpu, memory).await? {
            Done::Inspected(verdict) => verdict.map(|facts| *facts).map_err(StageError::Rejected),
            Done::Normalized(_) => Err(StageError::Helper("the worker answered another question".to_owned())),
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
        let task = Task::Normalize { policy: Arc::clone(policy), outputs: outputs.into() };
        match self.work(file, task, cpu, memory).await? {
            Done::Normalized(verdict) => verdict.map_err(StageError::Rejected),
            Done::Inspected(_) => Err(StageError::Helper("the worker answered another question".to_owned())),
        }
    }

    async fn work(
        &self,
        file: &Path,
        task: Task,
        cpu: &CpuPool,
        memory: &MemoryBudget,
    ) -> Result<Done, StageError> {
        let _turn = self.shared.turns.acquire().await.map_err(|_| StageError::Cancelled)?;
        let mut deaths = 0;
        loop {
            let death = match self.attempt(file, &task, cpu, memory).await? {
                Ok(done) => return Ok(done),
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

    /// Headers first, then memory, then pixels, all by one worker: in one go where the memory is free.
    async fn attempt(
        &self,
        file: &Path,
        task: &Task,
        cpu: &CpuPool,
        memory: &MemoryBudget,
    ) -> Result<Result<Done, Death>, StageError> {
        let step = {
            let (shared, file, task, memory) =
                (Arc::clone(&self.shared), file.to_owned(), task.clone(), memory.clone());
            cpu.run(move || shared.begin(&file, &task, &memory)).await?
        };
        let (hand, needed) = match step {
            Ok(Step::Done(done)) => return Ok(Ok(done)),
            Ok(Step::Refused(reason)) => return Err(StageError::Rejected(reason)),
            Ok(Step::WaitsForMemory(hand, needed)) => (hand, needed),
            Err(trouble) => return trouble.into_result(),
        };
        let permit = memory.acquire(needed).await;
        let (shared, task) = (Arc::clone(&self.shared), task.clone());
        let done = cpu
            .run(move || {
                let _permit = permit;
                shared.finish(hand, &task, needed)
            })
            .await?;
        done.map_or_else(Trouble::into_result, |done| Ok(Ok(done)))
    }
}

impl Trouble {
    /// Deaths are counted, all else is the stage's.
    fn into_result<T>(self) -> Result<Result<T, Death>, StageError> {
        match self {
            Self::Death(death) => Ok(Err(death)),
            Self::File(path, error) => Err(StageError::file(&path)(error)),
            Self::Worker(error) => Err(StageError::Helper(format!("image worker: {error}"))),
        }
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

    fn begin(&self, path: &Path, task: &Task, memory: &MemoryBudget) -> Result<Step, Trouble> {
        let (hand, probe) = self.open(path)?;
        let probe = match probe {
            Ok(probe) => probe,
            Err(reason) => {
                self.put_back(hand);
                return Ok(Step::Refused(reason));
            }
        };
        let needed = match task {
            Task::Inspect => probe.decoded_bytes,
            Task::Normalize { policy, .. } => imaging::memory_needed(&probe, policy),
        };
        match memory.try_acquire(needed) {
            Some(_permit) => self.finish(hand, task, needed).map(Step::Done),
            None => Ok(Step::WaitsForMemory(hand, needed)),
        }
    }

    fn open(&self, path: &Path) -> Result<(Hand, Verdict<Probe>), Trouble> {
        let failed = |error| Trouble::File(path.to_owned(), error);
        let file = File::open(path).map_err(failed)?;
        let bytes = file.metadata().map_err(failed)?.len();
        let limits = self.settings.limits;
        let mut hand = self.take()?;
        let probe = match &mut hand {
            Hand::Here(executor) => executor.open(&file, bytes, limits).map_err(failed)?,
            Hand::Child(worker) => {
                let request = Request::Open { bytes, limits };
                match worker.ask(&request, &[file.as_fd()], limits.max_bytes).map_err(Trouble::Death)? {
                    Reply::Opened(verdict) => verdict,
                    Reply::Failed(error) => return Err(failed(io::Error::other(error))),
                    other @ (Reply::Ready | Reply::Inspected(_) | Reply::Normalized(_)) => {
                        return Err(unasked(&other));
                    }
                }
            }
        };
        Ok((hand, probe))
    }

    fn finish(&self, mut hand: Hand, task: &Task, memory: u64) -> Result<Done, Trouble> {
        let done = match task {
            Task::Inspect => inspect(&mut hand, memory)?,
            Task::Normalize { policy, outputs } => normalize(&mut hand, policy, outputs, memory)?,
        };
        self.put_back(hand);
        Ok(done)
    }
}

fn inspect(hand: &mut Hand, memory: u64) -> Result<Done, Trouble> {
    let worker = match hand {
        Hand::Here(executor) => return Ok(Done::Inspected(executor.inspect().map(Box::new))),
        Hand::Child(worker) => worker,
    };
    match worker.ask(&Request::Inspect, &[], memory).map_err(Trouble::Death)? {
        Reply::Inspected(verdict) => Ok(Done::Inspected(verdict)),
        other @ (Reply::Ready | Reply::Opened(_) | Reply::Normalized(_) | Reply::Failed(_)) => {
            Err(unasked(&other))
        }
    }
}

fn normalize(
    hand: &mut Hand,
    policy: &NormalizationPolicy,
    outputs: &[PathBuf],
    memory: u64,
) -> Result<Done, Trouble> {
    let create = |path: &PathBuf| File::create(path).map_err(|error| Trouble::File(path.clone(), error));
    let files: Vec<File> = outputs.iter().map(create).collect::<Result<_, _>>()?;
    let failed = |error| Trouble::File(outputs.first().cloned().unwrap_or_default(), error);
    let worker = match hand {
        Hand::Here(executor) => {
            return executor.normalize(policy, &files).map(Done::Normalized).map_err(failed);
        }
        Hand::Child(worker) => worker,
    };
    let descriptors: Vec<_> = files.iter().map(AsFd::as_fd).collect();
    match worker
        .ask(&Request::Normalize(Policy::from(policy)), &descriptors, memory)
        .map_err(Trouble::Death)?
    {
        Reply::Normalized(Ok(rendered)) if rendered.variants.len() != outputs.len() => {
            Err(Trouble::Worker(io::Error::other("not as many variants as sizes")))
        }
        Reply::Normalized(verdict) => Ok(Done::Normalized(verdict)),
        Reply::Failed(error) => Err(failed(io::Error::other(error))),
        other @ (Reply::Ready | Reply::Opened(_) | Reply::Inspected(_)) => Err(unasked(&other)),
    }
}

fn unasked(reply: &Reply) -> Trouble {
    Trouble::Worker(io::Error::other(format!("unexpected answer: {reply:?}")))
}
