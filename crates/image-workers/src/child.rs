//! The parent's side of one worker.

use std::fmt;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

use crate::config::WorkerSettings;
use crate::serve::ARGUMENT;
use crate::wire::{self, Reply, Request};

/// Why there was no answer.
#[derive(Debug)]
pub(crate) enum Death {
    /// It took longer than allowed.
    TimedOut,
    /// It ended by itself, or was killed.
    Ended(Option<ExitStatus>),
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Ended(Some(status)) => write!(f, "{status}"),
            Self::Ended(None) => f.write_str("ended"),
        }
    }
}

/// A running worker; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Worker {
    process: Child,
    socket: UnixStream,
    /// For an answer.
    timeout: Duration,
    pictures: u32,
    /// For a picture, by the bound that was set last.
    allowed: Option<u64>,
}

impl Worker {
    /// Address space that a worker takes before its first picture, and what it keeps between pictures.
    const BASE_BYTES: u64 = 512 << 20;

    /// Starts a worker. To be called on a thread that stays: the kernel ends the worker with the thread.
    pub(crate) fn start(settings: &WorkerSettings) -> io::Result<Self> {
        let (socket, theirs) = UnixStream::pair()?;
        socket.set_write_timeout(Some(settings.timeout))?;
        // Pages that go back to the system after each picture are cleared by it for the next: a quarter of the time
        // that a progressive JPEG takes.
        let memory = format!(
            "glibc.malloc.mmap_threshold={}:glibc.malloc.trim_threshold={}",
            32 << 20,
            settings.kept_bytes
        );
        let process = Command::new(&settings.program)
            .arg(ARGUMENT)
            .env_clear()
            .env("GLIBC_TUNABLES", memory)
            .current_dir("/")
            // Not in the terminal's group: Ctrl-C is for the service, which lets its work finish.
            .process_group(0)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut worker = Self { process, socket, timeout: settings.timeout, pictures: 0, allowed: None };
        match wire::receive(&worker.socket, Some(worker.timeout)) {
            Ok(Some((Reply::Ready, _))) => Ok(worker),
            Ok(Some((Reply::Failed(error), _))) => Err(io::Error::other(error)),
            Ok(_) | Err(_) => Err(io::Error::other(format!("it did not start: {}", worker.death()))),
        }
    }

    /// How many pictures it was asked about.
    pub(crate) fn pictures(&self) -> u32 {
        self.pictures
    }

    /// Asks. It may be at work on another picture still.
    pub(crate) fn ask(&mut self, request: &Request, files: &[BorrowedFd<'_>]) -> Result<(), Death> {
        self.pictures += 1;
        let memory = request.limits.max_bytes.saturating_add(request.memory);
        self.allow(memory).map_err(|_| self.death())?;
        wire::send(&self.socket, request, files).map_err(|error| self.explain(&error))
    }

    /// Waits for the answer to the first question that has none.
    pub(crate) fn answer(&mut self) -> Result<Reply, Death> {
        match wire::receive(&self.socket, Some(self.timeout)) {
            Ok(Some((reply, _))) => Ok(reply),
            Ok(None) => Err(self.death()),
            Err(error) => Err(self.explain(&error)),
        }
    }

    /// While it works, it may take `memory` bytes. The bound is on address space, of which some is never used: twice what is
    /// needed is far from both ends.
    fn allow(&mut self, memory: u64) -> io::Result<()> {
        if self.allowed == Some(memory) {
            return Ok(());
        }
        let bytes = Self::BASE_BYTES.saturating_add(memory.saturating_mul(2));
        // The hard limit is the service's own, which not everybody may raise.
        let maximum = getrlimit(Resource::As).maximum;
        let limit = Rlimit { current: Some(maximum.map_or(bytes, |maximum| maximum.min(bytes))), maximum };
        prlimit(Some(Pid::from_child(&self.process)), Resource::As, limit)?;
        self.allowed = Some(memory);
        Ok(())
    }

    fn explain(&mut self, error: &io::Error) -> Death {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Death::TimedOut,
            _ => self.death(),
        }
    }

    /// How it ended. It may be alive still, where it said something that is no answer.
    fn death(&mut self) -> Death {
        let ended = self.process.try_wait().ok().flatten();
        drop(self.process.kill());
        Death::Ended(ended.or_else(|| self.process.wait().ok()))
    }

    /// Whether it still runs: idle workers may have met a signal that was meant for all.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Neither can fail but where it has ended already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
