//! Pictures that wait, and the workers that take turns at them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pipeline::{CpuPool, MemoryBudget};

use crate::config::WorkerSettings;
use crate::hand::{Hand, NotBegun};
use crate::picture::{Answer, Picture, Trouble};

/// What pictures are worked on with.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) cpu: CpuPool,
    pub(crate) memory: MemoryBudget,
}

/// As many workers as there are threads, started when needed, kept, replaced.
///
/// A *turn* on the CPU pool waits for one answer of one worker. Before it does, it hands that worker its next picture, so that
/// nobody is waited for between the two.
#[derive(Debug)]
pub(crate) struct Crew {
    settings: WorkerSettings,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Picture>,
    /// Nobody waits for their answers: they are idle, or have begun with a picture that was handed over ahead.
    left: Vec<Hand>,
    /// Turns that wait for a thread.
    due: usize,
    /// Turns that have one.
    turning: usize,
}

/// What a turn begins with.
enum Opening {
    /// A worker that has begun.
    Begun(Hand),
    /// A picture, and an idle worker if there is one.
    Picture(Picture, Option<Hand>),
}

impl Crew {
    pub(crate) fn new(settings: WorkerSettings) -> Self {
        Self { settings, state: Mutex::default() }
    }

    pub(crate) fn settings(&self) -> &WorkerSettings {
        &self.settings
    }

    /// Lets a picture wait for its turn; one that holds memory of its own comes first.
    pub(crate) fn add(self: &Arc<Self>, picture: Picture, machine: &Machine) {
        let mut state = self.state();
        if picture.own_memory().is_some() {
            state.waiting.push_front(picture);
        } else {
            state.waiting.push_back(picture);
        }
        self.schedule(&mut state, machine);
    }

    /// A turn for each picture that waits, and for each worker whose answer nobody waits for.
    fn schedule(self: &Arc<Self>, state: &mut State, machine: &Machine) {
        let wanted = state.waiting.len() + state.left.iter().filter(|hand| hand.has_begun()).count();
        for _ in state.due..wanted {
            let (crew, on) = (Arc::clone(self), machine.clone());
            machine.cpu.spawn(move || {
                let answered = crew.turn(&on);
                // Who hears the answer may be the last to hold the crew, and then ends its workers.
                drop((crew, on));
                if let Some((picture, answer)) = answered {
                    picture.answer(answer);
                }
            });
            state.due += 1;
        }
    }

    fn turn(self: &Arc<Self>, machine: &Machine) -> Option<(Picture, Answer)> {
        let opening = self.state().open()?;
        let _turning = Turning(self);
        let mut hand = match opening {
            Opening::Begun(hand) => hand,
            Opening::Picture(picture, idle) => match self.begin(picture, idle, machine) {
                Ok(hand) => hand,
                Err((picture, trouble)) => return Some((picture, Err(trouble))),
            },
        };
        self.hand_over(&mut hand, machine);
        let (picture, answer) = hand.finish()?;
        // Only after an answer: a worker without one is in an unknown state.
        if matches!(answer, Ok(_) | Err(Trouble::File(..))) {
            self.put_back(hand, machine);
        } else {
            self.dismiss(hand, machine);
        }
        Some((picture, answer))
    }

    fn begin(
        self: &Arc<Self>,
        picture: Picture,
        idle: Option<Hand>,
        machine: &Machine,
    ) -> Result<Hand, NotBegun> {
        let alive = idle.and_then(|mut hand| hand.is_alive().then_some(hand));
        let mut hand = match alive.map_or_else(|| Hand::start(&self.settings), Ok) {
            Ok(hand) => hand,
            Err(trouble) => return Err((picture, trouble)),
        };
        if picture.own_memory().is_none() {
            hand.take_share(&machine.memory, self.share(machine));
        }
        match hand.begin(picture, self.settings.limits) {
            Ok(()) => Ok(hand),
            Err((picture, trouble)) => {
                if matches!(trouble, Trouble::File(..)) {
                    self.put_back(hand, machine);
                }
                Err((picture, trouble))
            }
        }
    }

    /// Gives a worker its next picture while it works, unless a thread is free for that, or somebody waits for the memory
    /// that the two would take after one another.
    fn hand_over(&self, hand: &mut Hand, machine: &Machine) {
        if !hand.takes_another() || self.is_old(hand) || machine.memory.is_waited_for() {
            return;
        }
        let Some(next) = self.state().next_of_many(machine.cpu.threads()) else { return };
        match hand.begin(next, self.settings.limits) {
            Ok(()) => {}
            // The worker has died, of the picture before.
            Err((picture, Trouble::Death(_))) => self.state().waiting.push_front(picture),
            Err((picture, trouble)) => picture.answer(Err(trouble)),
        }
    }

    /// Lets a worker go on with what it has begun, or keeps it for later unless it is old.
    fn put_back(self: &Arc<Self>, hand: Hand, machine: &Machine) {
        let mut state = self.state();
        if hand.has_begun() || (state.left.len() < self.settings.processes.max(1) && !self.is_old(&hand)) {
            state.left.push(hand);
        }
        self.schedule(&mut state, machine);
    }

    /// Ends a worker. What it had begun besides waits for another.
    fn dismiss(self: &Arc<Self>, hand: Hand, machine: &Machine) {
        let begun = hand.dismiss();
        let mut state = self.state();
        for picture in begun.into_iter().rev() {
            state.waiting.push_front(picture);
        }
        self.schedule(&mut state, machine);
    }

    fn is_old(&self, hand: &Hand) -> bool {
        hand.pictures() >= self.settings.pictures_per_process
    }

    /// Bytes that a picture may take without asking.
    fn share(&self, machine: &Machine) -> u64 {
        machine.memory.bytes() / self.settings.processes.max(1) as u64
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A turn that has a thread, however it ends.
struct Turning<'a>(&'a Crew);

impl Drop for Turning<'_> {
    fn drop(&mut self) {
        self.0.state().turning -= 1;
    }
}

impl State {
    fn open(&mut self) -> Option<Opening> {
        self.due -= 1;
        let begun = self.left.iter().position(Hand::has_begun);
        let opening = match begun.map(|at| self.left.swap_remove(at)) {
            Some(hand) => Opening::Begun(hand),
            None => Opening::Picture(self.next()?, self.left.pop()),
        };
        self.turning += 1;
        Some(opening)
    }

    /// The next picture that somebody waits for.
    fn next(&mut self) -> Option<Picture> {
        std::iter::from_fn(|| self.waiting.pop_front()).find(Picture::is_wanted)
    }

    /// The next picture, where more wait than the other threads will take, and it has no memory of its own.
    fn next_of_many(&mut self, threads: usize) -> Option<Picture> {
        self.waiting.retain(Picture::is_wanted);
        let shares = self.waiting.front().is_some_and(|picture| picture.own_memory().is_none());
        let many = self.waiting.len() > threads.saturating_sub(self.turning);
        if shares && many { self.waiting.pop_front() } else { None }
    }
}
