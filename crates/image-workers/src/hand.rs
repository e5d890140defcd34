//! Who works on pictures: a worker, or this process.

use std::collections::VecDeque;
use std::io;
use std::iter;
use std::os::fd::AsFd;

use imaging::Limits;
use pipeline::MemoryBudget;

use crate::child::Worker;
use crate::config::{Isolation, WorkerSettings};
use crate::executor::{Executor, Progress};
use crate::picture::{Answer, Picture, SetAside, Trouble};
use crate::wire::{Reply, Request};

/// Keeps what it needs from picture to picture.
#[derive(Debug)]
pub(crate) struct Hand {
    seat: Seat,
    /// In the order in which they will be answered. A worker begins with the next by itself.
    begun: VecDeque<Picture>,
    /// A fair share of the memory, for the pictures that have none of their own.
    share: Option<SetAside>,
}

#[derive(Debug)]
enum Seat {
    Child(Worker),
    /// With what came of the picture that was begun.
    Here(Box<Executor>, Option<io::Result<Progress>>),
}

/// A picture that could not be begun, and why.
pub(crate) type NotBegun = (Picture, Trouble);

impl Hand {
    /// Pictures begun at once: the next one lies ready when a worker has finished, without a trip over the runtime.
    const MOST_BEGUN: usize = 2;

    /// Starts a worker, where there are to be any.
    pub(crate) fn start(settings: &WorkerSettings) -> Result<Self, Trouble> {
        let seat = match settings.isolation {
            Isolation::Process => Seat::Child(Worker::start(settings).map_err(Trouble::Worker)?),
            Isolation::None => Seat::Here(Box::default(), None),
        };
        Ok(Self { seat, begun: VecDeque::new(), share: None })
    }

    /// Whether it can take a picture: idle workers may have met a signal that was meant for all.
    pub(crate) fn is_alive(&mut self) -> bool {
        match &mut self.seat {
            Seat::Child(worker) => worker.is_alive(),
            Seat::Here(..) => true,
        }
    }

    /// How many pictures its worker was asked about.
    pub(crate) fn pictures(&self) -> u32 {
        match &self.seat {
            Seat::Child(worker) => worker.pictures(),
            Seat::Here(..) => 0,
        }
    }

    /// Whether a picture waits for its answer.
    pub(crate) fn has_begun(&self) -> bool {
        !self.begun.is_empty()
    }

    /// Whether another picture may be handed over while it works: one that shares the memory of those before.
    pub(crate) fn takes_another(&self) -> bool {
        let in_turn = matches!(self.seat, Seat::Child(_)) && self.share.is_some();
        in_turn && (1..Self::MOST_BEGUN).contains(&self.begun.len())
    }

    /// Takes a fair share of the memory, if that is free.
    pub(crate) fn take_share(&mut self, memory: &MemoryBudget, bytes: u64) {
        if self.share.is_none() {
            self.share = memory.try_acquire(bytes).map(|permit| SetAside::new(bytes, permit));
        }
    }

    /// Begins with a picture, which ends if no more memory is needed than its own, or the share.
    pub(crate) fn begin(&mut self, picture: Picture, limits: Limits) -> Result<(), NotBegun> {
        let share = self.share.as_ref().map(SetAside::bytes);
        let memory = picture.own_memory().or(share).unwrap_or(0);
        match self.seat.begin(&picture, limits, memory) {
            Ok(()) => {
                self.begun.push_back(picture);
                Ok(())
            }
            Err(trouble) => {
                self.rest();
                Err((picture, trouble))
            }
        }
    }

    /// Waits for the first picture that was begun, and gives it out with its answer.
    pub(crate) fn finish(&mut self) -> Option<(Picture, Answer)> {
        let picture = self.begun.pop_front()?;
        let answer = self.seat.finish(&picture);
        self.rest();
        Some((picture, answer))
    }

    /// Who has nothing to do holds no memory.
    fn rest(&mut self) {
        if !self.has_begun() {
            self.share = None;
        }
    }

    /// Ends the worker, and gives out what it had begun.
    pub(crate) fn dismiss(self) -> VecDeque<Picture> {
        self.begun
    }
}

impl Seat {
    fn begin(&mut self, picture: &Picture, limits: Limits, memory: u64) -> Result<(), Trouble> {
        let (file, bytes) = picture.open()?;
        let outputs = picture.outputs()?;
        match self {
            Self::Here(executor, done) => {
                *done = Some(executor.work(&file, bytes, limits, picture.task(outputs), memory));
                Ok(())
            }
            Self::Child(worker) => {
                let request = Request { bytes, limits, work: picture.work(), memory };
                let files: Vec<_> = iter::once(&file).chain(&outputs).map(AsFd::as_fd).collect();
                worker.ask(&request, &files).map_err(Trouble::Death)
            }
        }
    }

    fn finish(&mut self, picture: &Picture) -> Answer {
        let worker = match self {
            Self::Here(_, done) => {
                let done = done.take().unwrap_or_else(|| Err(io::Error::other("no picture was begun")));
                return done.map_err(|error| picture.failed(error));
            }
            Self::Child(worker) => worker,
        };
        match worker.answer().map_err(Trouble::Death)? {
            Reply::Done(verdict) => Ok(Progress::Done(verdict)),
            Reply::Needs(bytes) => Ok(Progress::Needs(bytes)),
            Reply::Failed(error) => Err(picture.failed(io::Error::other(error))),
            Reply::Ready => Err(Trouble::Worker(io::Error::other("a worker began anew"))),
        }
    }
}
