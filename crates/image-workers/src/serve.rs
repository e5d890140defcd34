//! The worker's side.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use crate::confine::confine;
use crate::executor::{Executor, Progress, Task};
use crate::wire::{self, Reply, Request, Work};

/// The argument that makes a program a worker.
pub(crate) const ARGUMENT: &str = "--serve-as-image-worker";

/// Serves as a worker to the end, where the program was started as one; `main` returns then. It asks before all else:
/// before threads are started, secrets read, or arguments parsed.
pub fn serve_if_asked() -> Option<io::Result<()>> {
    let asked = std::env::args_os().nth(1).is_some_and(|argument| argument == ARGUMENT);
    asked.then(serve)
}

fn serve() -> io::Result<()> {
    let socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    if let Err(error) = confine() {
        return wire::send(&socket, &Reply::Failed(format!("cannot be confined: {error}")), &[]);
    }
    wire::send(&socket, &Reply::Ready, &[])?;
    let mut executor = Executor::default();
    while let Some((request, files)) = wire::receive(&socket, None)? {
        let reply =
            answer(&mut executor, request, files).unwrap_or_else(|error| Reply::Failed(error.to_string()));
        wire::send(&socket, &reply, &[])?;
    }
    Ok(())
}

fn answer(executor: &mut Executor, request: Request, files: Vec<File>) -> io::Result<Reply> {
    let Request { bytes, limits, work, memory } = request;
    let mut files = files.into_iter();
    let file = files.next().ok_or_else(|| io::Error::other("no file came with the request"))?;
    let task = match work {
        Work::Inspect => Task::Inspect,
        Work::Normalize(policy) => Task::Normalize(policy.try_into()?, files.collect()),
    };
    Ok(match executor.work(&file, bytes, limits, task, memory)? {
        Progress::Done(verdict) => Reply::Done(verdict),
        Progress::Needs(bytes) => Reply::Needs(bytes),
    })
}
