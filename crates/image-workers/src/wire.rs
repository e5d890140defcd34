//! What parent and worker say to each other: a length, JSON, and descriptors beside the first byte.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use imaging::Limits;
use rustix::io::retry_on_intr;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use types::{AlphaPolicy, InvalidPolicy, InvalidSizes, NormalizationPolicy, OutputFormat, Rgb};

use crate::executor::{Done, Verdict};

/// Descriptors in one message: a picture's, and as many as a policy may have sizes.
const MAX_FILES: usize = 17;
/// The longest message: facts of EXIF are some KiB.
const MAX_BYTES: u32 = 1 << 20;

/// From parent to worker: read this many bytes of the first file beside, and do the work if that needs no more than `memory`
/// bytes. The next may come before the answer.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) bytes: u64,
    pub(crate) limits: Limits,
    pub(crate) work: Work,
    pub(crate) memory: u64,
}

/// What is to be done with a picture.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Work {
    Inspect,
    /// Make variants, into the files beside that follow the picture's.
    Normalize(Policy),
}

/// From worker to parent.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    /// Confined, and waiting for a picture.
    Ready,
    /// The work would need so many bytes of memory.
    Needs(u64),
    Done(Verdict<Done>),
    /// A file could not be read or written.
    Failed(String),
}

/// A policy's settings.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Policy {
    sizes: String,
    format: OutputFormat,
    alpha: AlphaPolicy,
    pad: Rgb,
}

impl From<&NormalizationPolicy> for Policy {
    fn from(policy: &NormalizationPolicy) -> Self {
        let sizes = policy.sizes().to_string();
        Self { sizes, format: policy.format(), alpha: policy.alpha(), pad: policy.pad() }
    }
}

impl TryFrom<Policy> for NormalizationPolicy {
    type Error = io::Error;

    fn try_from(policy: Policy) -> io::Result<Self> {
        let invalid = |error: InvalidSizes| io::Error::other(error.to_string());
        let contradictory = |error: InvalidPolicy| io::Error::other(error.to_string());
        let sizes = policy.sizes.parse().map_err(invalid)?;
        Self::new(sizes, policy.format, policy.alpha, policy.pad).map_err(contradictory)
    }
}

/// Sends a message with descriptors.
pub(crate) fn send(
    mut socket: &UnixStream,
    message: &impl Serialize,
    files: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let body = serde_json::to_vec(message)?;
    let length = u32::try_from(body.len()).ok().filter(|length| *length <= MAX_BYTES);
    let length = length.ok_or_else(|| io::Error::other("the message is too long"))?.to_le_bytes();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FILES))];
    let mut beside = SendAncillaryBuffer::new(&mut space);
    if !files.is_empty() && !beside.push(SendAncillaryMessage::ScmRights(files)) {
        return Err(io::Error::other("too many files for one message"));
    }
    // Descriptors travel with the first bytes; a stream socket takes these few at once.
    let whole = [&length[..], &body[..]].concat();
    let sent = retry_on_intr(|| sendmsg(socket, &[IoSlice::new(&whole)], &mut beside, SendFlags::NOSIGNAL))?;
    io::Write::write_all(&mut socket, &whole[sent..])
}

/// Receives a message; `None` where the other side is gone. It waits as long as the message takes, or `within` a time.
pub(crate) fn receive<T: DeserializeOwned>(
    socket: &UnixStream,
    within: Option<Duration>,
) -> io::Result<Option<(T, Vec<File>)>> {
    let mut rest = Rest { socket, deadline: within.map(|within| Instant::now() + within) };
    rest.wait_no_longer()?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FILES))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let mut length = [0; 4];
    // Stopping and continuing the process interrupts this call, whatever handlers there are.
    let received = retry_on_intr(|| {
        recvmsg(socket, &mut [IoSliceMut::new(&mut length)], &mut beside, RecvFlags::CMSG_CLOEXEC)
    })?;
    if received.bytes == 0 {
        return Ok(None);
    }
    let rights = beside.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    let files = rights.flatten().map(|descriptor: OwnedFd| File::from(descriptor)).collect();
    rest.read_exact(&mut length[received.bytes..])?;
    let length = u32::from_le_bytes(length);
    if length > MAX_BYTES {
        return Err(io::Error::other("the message is too long"));
    }
    let mut body = vec![0; length as usize];
    rest.read_exact(&mut body)?;
    Ok(Some((serde_json::from_slice(&body)?, files)))
}

/// What follows of a message. A sender may take its time, but not that for every byte.
struct Rest<'a> {
    socket: &'a UnixStream,
    deadline: Option<Instant>,
}

impl Rest<'_> {
    fn wait_no_longer(&self) -> io::Result<()> {
        let Some(deadline) = self.deadline else { return Ok(()) };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.socket.set_read_timeout(Some(left))
    }
}

impl Read for Rest<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wait_no_longer()?;
        self.socket.read(buffer)
    }
}
