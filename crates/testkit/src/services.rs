//! Our programs as processes: started, asked, stopped.

use std::io::{BufRead as _, BufReader, Read};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::{Scrape, until};

/// Starting waits for a database, on a machine that is busy with other tests.
const START_LIMIT: Duration = Duration::from_secs(60);
const REQUEST_LIMIT: Duration = Duration::from_secs(15);

/// A running service with its admin server on a free port, killed when dropped.
#[derive(Debug)]
pub struct Service {
    process: Child,
    log: Arc<Mutex<Vec<Value>>>,
    /// A socket: unlike a pipe it can be shut while another thread reads it.
    log_stream: UnixStream,
}

/// An answer of the admin server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

impl Service {
    /// Starts a program of ours. It sees the environment that `configure` gives it and nothing of ours, and logs JSON.
    pub fn start(program: &Path, configure: impl FnOnce(&mut Command)) -> anyhow::Result<Self> {
        let (log_stream, stderr) = UnixStream::pair()?;
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("ADMIN_ADDRESS", "127.0.0.1:0")
            .env("IMAGEML_LOG_FORMAT", "json")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(OwnedFd::from(stderr));
        configure(&mut command);
        let process = command.spawn().with_context(|| program.display().to_string())?;
        let log = Arc::default();
        let (written, lines) = (log_stream.try_clone()?, Arc::clone(&log));
        std::thread::spawn(move || read_log(written, &lines));
        Ok(Self { process, log, log_stream })
    }

    /// Takes the reader of its log away: all that it logs from now on fails.
    pub fn close_log(&self) -> anyhow::Result<()> {
        Ok(self.log_stream.shutdown(Shutdown::Both)?)
    }

    /// Waits until `/readyz` says so.
    pub async fn ready(&mut self) -> anyhow::Result<()> {
        until("the service is ready", START_LIMIT, async || {
            self.fail_if_ended()?;
            let Some(address) = self.admin() else { return Ok(None) };
            let answer = get(address, "/readyz").await?;
            Ok((answer.status == 200).then_some(()))
        })
        .await
        .with_context(|| self.log_text())
    }

    /// Asks the admin server, once it listens.
    pub async fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        let address = until("the admin server listens", START_LIMIT, async || {
            self.fail_if_ended()?;
            Ok(self.admin())
        })
        .await
        .with_context(|| self.log_text())?;
        get(address, path).await
    }

    /// What `/metrics` says now.
    pub async fn metrics(&mut self) -> anyhow::Result<Scrape> {
        let answer = self.get("/metrics").await?;
        anyhow::ensure!(answer.status == 200, "/metrics answers {answer:?}");
        Scrape::parse(&answer.body)
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) -> anyhow::Result<()> {
        self.signal(Signal::TERM)
    }

    /// Sends any signal, such as SIGSTOP.
    pub fn signal(&self, signal: Signal) -> anyhow::Result<()> {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).context("a process id")?;
        kill_process(pid, signal).with_context(|| format!("send {signal:?}"))
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> anyhow::Result<bool> {
        Ok(self.process.try_wait()?.is_none())
    }

    /// The most memory that the process has had resident, in bytes; `None` when it is gone.
    pub fn peak_memory(&self) -> Option<u64> {
        // proc(5): "VmHWM: Peak resident set size", in kB of 1024 bytes.
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
    }

    /// Sends SIGKILL and waits for the end.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// Waits for the process to end by itself.
    pub async fn exit(&mut self, limit: Duration) -> anyhow::Result<ExitStatus> {
        until("the service ends", limit, async || Ok(self.process.try_wait()?))
            .await
            .with_context(|| self.log_text())
    }

    /// The log so far: JSON objects, and plain lines as strings.
    pub fn log(&self) -> Vec<Value> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The log as text, for messages.
    pub fn log_text(&self) -> String {
        let line = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        self.log().iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// Messages logged as warnings or errors so far.
    pub fn complaints(&self) -> Vec<String> {
        let log = self.log().into_iter();
        log.filter(|line| matches!(line["level"].as_str(), Some("WARN" | "ERROR") | None))
            .map(|line| line.to_string())
            .collect()
    }

    /// Whether a message was logged.
    pub fn has_logged(&self, message: &str) -> bool {
        self.log().iter().any(|line| line["fields"]["message"] == message)
    }

    /// Where the admin server listens, once the log says so.
    pub fn admin(&self) -> Option<SocketAddr> {
        self.log().iter().find_map(|line| line["fields"]["address"].as_str()?.parse().ok())
    }

    fn fail_if_ended(&mut self) -> anyhow::Result<()> {
        match self.process.try_wait()? {
            Some(status) => bail!("the service ended: {status}"),
            None => Ok(()),
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone after this.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// Reads on to the end, so that the service never waits for a full pipe.
fn read_log(log: impl Read, lines: &Mutex<Vec<Value>>) {
    for line in BufReader::new(log).lines().map_while(Result::ok) {
        let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
        lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

/// HTTP/1.1, as much as an admin server needs.
async fn get(address: SocketAddr, path: &str) -> anyhow::Result<Answer> {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        anyhow::Ok(answer)
    };
    let answer =
        tokio::time::timeout(REQUEST_LIMIT, exchange).await.context("the admin server is silent")??;
    let (head, body) = answer.split_once("\r\n\r\n").context("an HTTP answer")?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("an HTTP status")?;
    Ok(Answer { status, body: body.to_owned() })
}
