//! A throwaway moto server: an S3 that somebody else wrote.

use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use anyhow::{Context as _, bail};

/// Importing moto takes seconds on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(120);

/// A running `moto_server` (PyPI `moto[server]`), killed when dropped. It keeps everything in memory and takes any
/// credentials; tests that share one use buckets of their own.
#[derive(Debug)]
pub struct Moto {
    endpoint: String,
    process: Child,
}

impl Moto {
    /// Starts a server on a free port of 127.0.0.1.
    ///
    /// The program is `.venv/bin/moto_server` of the workspace, or beside the interpreter that
    /// `IMAGEML_TEST_PYTHON` names.
    pub fn start() -> anyhow::Result<Self> {
        let program = program();
        let spawned = Command::new(&program)
            .args(["-H", "127.0.0.1", "-p", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let process = match spawned {
            Ok(process) => process,
            Err(error) => bail!("{}: {error}. Run `make setup-python`", program.display()),
        };
        // From here on a failure drops the server, and that kills it.
        let mut server = Self { endpoint: String::new(), process };
        let log = server.process.stderr.take().context("stderr is piped")?;
        let (found, address) = mpsc::channel();
        std::thread::spawn(move || read_log(log, &found));
        server.endpoint = address
            .recv_timeout(START_LIMIT)
            .with_context(|| format!("{} did not say where it listens", program.display()))?;
        Ok(server)
    }

    /// The server that the tests running at the same time share; it ends with the last of them.
    pub fn shared() -> anyhow::Result<Arc<Self>> {
        static SHARED: Mutex<Weak<Moto>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = shared.upgrade() {
            return Ok(running);
        }
        let started = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&started);
        Ok(started)
    }

    /// Where it listens: `http://127.0.0.1:<port>`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is gone after this.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn program() -> PathBuf {
    let python = std::env::var_os("IMAGEML_TEST_PYTHON").map(PathBuf::from);
    let beside = python.as_deref().and_then(Path::parent).map(Path::to_owned);
    let bin = beside.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.venv/bin"));
    bin.join("moto_server")
}

/// Finds werkzeug's "Running on http://…" and then reads on, so that the server never waits for a full pipe.
fn read_log(log: impl Read, found: &Sender<String>) {
    for line in BufReader::new(log).lines().map_while(Result::ok) {
        if let Some((_, address)) = line.split_once("Running on ") {
            // The other side may have given up waiting.
            found.send(address.trim().to_owned()).ok();
        }
    }
}
