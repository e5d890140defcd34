//! The client of `python/label_studio_worker`: a program that runs as long as it is good for, one request at a time.

mod printed;
mod process;
mod protocol;

use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use tokio::time::timeout;

use self::process::Process;
use self::protocol::Answer;
pub(crate) use self::protocol::Operation;
pub use self::protocol::Versions;
use crate::{LabelStudioError, WorkerSettings};

/// How often a request is made: once more on a new worker where the first died over it.
const ATTEMPTS: u32 = 2;

/// The Label Studio SDK in a process of its own.
///
/// The process is replaced when it dies, after [`WorkerSettings::max_requests`] and above [`WorkerSettings::max_rss`].
#[derive(Debug)]
pub struct Worker {
    settings: WorkerSettings,
    versions: Versions,
    /// Invariant: `None` while a request is under way. Whoever drops the request kills the process with it, and no
    /// answer is ever taken for that of another request.
    process: Option<Process>,
    lives: u64,
    retries: u64,
}

/// A conversion that was made.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Converted {
    /// The file that the SDK wrote.
    pub(crate) output: PathBuf,
    /// How long the SDK took.
    pub(crate) elapsed: Duration,
}

impl Worker {
    /// Starts a worker, which takes about a second, and checks that it is the one that we know.
    ///
    /// # Errors
    /// [`LabelStudioError::Missing`], [`LabelStudioError::Incompatible`], [`LabelStudioError::Start`]: each says what
    /// to run.
    pub async fn start(settings: WorkerSettings) -> Result<Self, LabelStudioError> {
        let (process, versions) = Process::start(&settings).await?;
        Ok(Self { settings, versions, process: Some(process), lives: 1, retries: 0 })
    }

    /// Which versions the worker has.
    pub fn versions(&self) -> &Versions {
        &self.versions
    }

    /// How many processes there have been.
    pub fn lives(&self) -> u64 {
        self.lives
    }

    /// How many requests were made again because a worker had died over them.
    pub fn retries(&self) -> u64 {
        self.retries
    }

    /// The id of the process that waits for the next request; `None` while there is none.
    pub fn process_id(&self) -> Option<u32> {
        self.process.as_ref().and_then(Process::id)
    }

    /// Makes a conversion.
    ///
    /// Cancel safety: dropping the future kills the process; the next request starts another.
    pub(crate) async fn convert(&mut self, operation: Operation<'_>) -> Result<Converted, LabelStudioError> {
        let answer = self.request(operation).await?;
        let unreadable =
            || LabelStudioError::Unreadable { detail: format!("an answer without result: {answer:?}") };
        let (Some(output), Some(stats)) = (&answer.output, &answer.stats) else { return Err(unreadable()) };
        let elapsed = Duration::try_from_secs_f64(stats.seconds).map_err(|_| unreadable())?;
        Ok(Converted { output: output.clone(), elapsed })
    }

    async fn request(&mut self, operation: Operation<'_>) -> Result<Answer, LabelStudioError> {
        let mut detail = String::new();
        for attempt in 0..ATTEMPTS {
            let mut process = self.take_process().await?;
            self.retries += u64::from(attempt > 0);
            let limit = self.settings.request_timeout;
            match timeout(limit, process.exchange(operation)).await {
                Ok(Ok(answer)) => {
                    self.keep(process, &answer);
                    return served(answer);
                }
                Ok(Err(error)) => {
                    detail = process.post_mortem(&error).await;
                    tracing::warn!(detail, attempt, "label studio worker died");
                }
                Err(_) => {
                    process.kill().await;
                    return Err(LabelStudioError::TimedOut { limit });
                }
            }
        }
        Err(LabelStudioError::Died { detail })
    }

    async fn take_process(&mut self) -> Result<Process, LabelStudioError> {
        if let Some(process) = self.process.take() {
            return Ok(process);
        }
        let (process, versions) = Process::start(&self.settings).await?;
        self.lives += 1;
        self.versions = versions;
        Ok(process)
    }

    /// Keeps a process for the next request, unless it has served enough or grown too large.
    fn keep(&mut self, process: Process, answer: &Answer) {
        // The handshake was a request too.
        let served = process.sent.saturating_sub(1);
        let resident = ByteSize::b(answer.rss_bytes);
        if served < u64::from(self.settings.max_requests.get()) && resident <= self.settings.max_rss {
            self.process = Some(process);
        } else {
            tracing::debug!(served, rss.bytes = answer.rss_bytes, "label studio worker is replaced");
        }
    }
}

fn served(answer: Answer) -> Result<Answer, LabelStudioError> {
    if answer.ok {
        return Ok(answer);
    }
    let (code, message) = answer.error.map(|error| (error.code, error.message)).unwrap_or_default();
    Err(LabelStudioError::Refused { code, message })
}
