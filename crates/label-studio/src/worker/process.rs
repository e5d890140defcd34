//! One life of the worker.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::printed::Printed;
use super::protocol::{Answer, Operation, Request, Versions};
use crate::{LabelStudioError, WorkerSettings};

/// Answers hold paths and messages, never data.
const LONGEST_ANSWER: u64 = 256 * 1024;
/// How long a worker that stopped answering may take to end, before it is killed.
const GRACE: Duration = Duration::from_secs(2);
/// What the worker may know of our environment: where libraries are. Its temporary files have a folder of their own.
const INHERITED: [&str; 2] = ["LD_LIBRARY_PATH", "PATH"];
/// As `isolation.py` asks for, so that it need not start itself again.
const FIXED: [(&str, &str); 5] = [
    ("LC_ALL", "C.UTF-8"),
    ("OPENBLAS_NUM_THREADS", "1"),
    ("PYTHONCOERCECLOCALE", "0"),
    ("PYTHONHASHSEED", "0"),
    ("PYTHONUTF8", "1"),
];

/// A running worker, killed when dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    printed: Printed,
    /// Requests sent so far.
    pub(super) sent: u64,
    /// Its working directory and temporary files; removed after it was killed.
    _scratch: TempDir,
}

impl Process {
    /// Starts a worker and asks which versions it has; one that does not fit is no worker.
    pub(super) async fn start(settings: &WorkerSettings) -> Result<(Self, Versions), LabelStudioError> {
        let mut process = Self::spawn(settings)?;
        let asked = timeout(settings.start_timeout, process.exchange(Operation::Version)).await;
        let detail = match asked {
            Ok(Ok(Answer { version: Some(versions), .. })) if versions.fit() => {
                return Ok((process, versions));
            }
            Ok(Ok(Answer { version: Some(versions), .. })) => return Err(misfit(&versions)),
            Ok(Ok(answer)) => format!("it answers {answer:?}"),
            Ok(Err(error)) => {
                let killed = process.killed().await;
                let detail = process.post_mortem(&error).await;
                if killed {
                    return Err(LabelStudioError::Killed { detail });
                }
                detail
            }
            Err(_) => format!("no answer in {:?}: {}", settings.start_timeout, process.printed.end()),
        };
        Err(LabelStudioError::Start { detail })
    }

    fn spawn(settings: &WorkerSettings) -> Result<Self, LabelStudioError> {
        let python = absolute(&settings.python)?;
        let worker_dir = absolute(&settings.worker_dir)?;
        let main = worker_dir.join("__main__.py");
        let missing = |path: &Path, source| LabelStudioError::Missing { path: path.to_owned(), source };
        std::fs::metadata(&main).map_err(|error| missing(&main, error))?;
        let scratch = TempDir::with_prefix("label-studio-")
            .map_err(|source| LabelStudioError::Io { path: std::env::temp_dir(), source })?;
        let mut child =
            command(&python, &worker_dir, scratch.path()).spawn().map_err(|error| missing(&python, error))?;
        let (Some(requests), Some(answers), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(LabelStudioError::Start { detail: "its streams are not piped".to_owned() });
        };
        let printed = Printed::default();
        tokio::spawn(printed.clone().follow(stderr));
        let answers = BufReader::new(answers);
        Ok(Self { child, requests, answers, printed, sent: 0, _scratch: scratch })
    }

    /// Sends a request and waits for its answer. After an error nothing can be concluded from what comes next: the
    /// process is to be given up.
    ///
    /// Cancel safety: not to be used again when dropped half-way; [`super::Worker`] takes care of that.
    pub(super) async fn exchange(&mut self, operation: Operation<'_>) -> io::Result<Answer> {
        self.sent += 1;
        let request = Request { id: self.sent, operation };
        let mut line = serde_json::to_vec(&request)?;
        line.push(b'\n');
        self.requests.write_all(&line).await?;
        self.requests.flush().await?;
        let mut line = Vec::new();
        (&mut self.answers).take(LONGEST_ANSWER).read_until(b'\n', &mut line).await?;
        if !line.ends_with(b"\n") {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "its output ended"));
        }
        let answer: Answer = serde_json::from_slice(&line)?;
        if answer.id != Some(request.id) {
            let other = format!("request {} was answered as {:?}", request.id, answer.id);
            return Err(io::Error::new(io::ErrorKind::InvalidData, other));
        }
        Ok(answer)
    }

    /// Whether somebody has ended it by a signal.
    async fn killed(&mut self) -> bool {
        let ended = timeout(GRACE, self.child.wait()).await;
        matches!(ended, Ok(Ok(status)) if status.signal().is_some())
    }

    /// Ends it and tells what is known of how it came to that.
    pub(super) async fn post_mortem(mut self, error: &io::Error) -> String {
        let status = match timeout(GRACE, self.child.wait()).await {
            Ok(Ok(status)) => status.to_string(),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "still running, killed".to_owned(),
        };
        self.kill().await;
        format!("{error} ({status}): {}", self.printed.end())
    }

    /// Kills it and waits until it is gone.
    pub(super) async fn kill(&mut self) {
        if let Err(error) = self.child.kill().await {
            tracing::debug!(%error, "label studio worker was gone before it was killed");
        }
    }

    /// Its process id, while it runs.
    pub(super) fn id(&self) -> Option<u32> {
        self.child.id()
    }
}

fn command(python: &Path, worker_dir: &Path, scratch: &Path) -> Command {
    let mut command = Command::new(python);
    // No bytecode is written, and neither the working directory nor the user's packages are imported from.
    command.args(["-B", "-P", "-s", "-m", "label_studio_worker"]);
    command.env_clear().envs(FIXED).env("TMPDIR", scratch);
    command.envs(INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    if let Some(packages) = worker_dir.parent() {
        command.env("PYTHONPATH", packages);
    }
    // Ctrl-C in a terminal is for us: we end it, or it ends when its input does.
    command.process_group(0);
    command.current_dir(scratch).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Its working directory is another, so relative paths mean ours.
fn absolute(path: &Path) -> Result<std::path::PathBuf, LabelStudioError> {
    std::path::absolute(path).map_err(|source| LabelStudioError::Io { path: path.to_owned(), source })
}

fn misfit(found: &Versions) -> LabelStudioError {
    let told = |protocol, sdk: &str| format!("protocol {protocol} and SDK {sdk}");
    LabelStudioError::Incompatible {
        found: told(found.protocol, &found.sdk),
        wanted: told(super::protocol::PROTOCOL_VERSION, super::protocol::SDK_VERSION),
    }
}
