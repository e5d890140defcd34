//! The parent's side of one worker.

use std::fmt;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

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
    pictures: u32,
}

impl Worker {
    /// Address space that a worker takes before its first picture, and what it keeps between pictures.
    const BASE_BYTES: u64 = 512 << 20;

    /// Starts a worker. To be called on a thread that stays: the kernel ends the worker with the thread.
    pub(crate) fn start(settings: &WorkerSettings) -> io::Result<Self> {
        let (socket, theirs) = UnixStream::pair()?;
        socket.set_read_timeout(Some(settings.timeout))?;
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
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { process, socket, pictures: 0 })
    }

    /// How many pictures it was asked about.
    pub(crate) fn pictures(&self) -> u32 {
        self.pictures
    }

    /// Asks, and waits for the answer. While it works, it may take `memory` bytes.
    pub(crate) fn ask(
        &mut self,
        request: &Request,
        files: &[BorrowedFd<'_>],
        memory: u64,
    ) -> Result<Reply, Death> {
        if matches!(request, Request::Open { .. }) {
            self.pictures += 1;
        }
        self.allow(memory).map_err(|_| self.death())?;
        wire::send(&self.socket, request, files).map_err(|error| self.explain(&error))?;
        match wire::receive(&self.socket) {
            Ok(Some((reply, _))) => Ok(reply),
            Ok(None) => Err(self.death()),
            Err(error) => Err(self.explain(&error)),
        }
    }

    /// The bound is on address space, of which some is never used: twice what is needed is far from both ends.
    fn allow(&self, memory: u64) -> io::Result<()> {
        let bytes = Self::BASE_BYTES.saturating_add(memory.saturating_mul(2));
        let limit = Rlimit { current: Some(bytes), maximum: None };
        let process = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw);
        prlimit(process, Resource::As, limit)?;
        Ok(())
    }

    fn explain(&mut self, error: &io::Error) -> Death {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Death::TimedOut,
            _ => self.death(),
        }
    }

    /// The socket is closed, so it has ended or is about to.
    fn death(&mut self) -> Death {
        Death::Ended(self.process.wait().ok())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Neither can fail but where it has ended already.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
