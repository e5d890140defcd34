//! What there is: the bucket, the queue, the claims, the workers; and what a quiet end looks like.

pub(super) const WORKERS: usize = 3;
pub(super) const VERSIONS: usize = 2;
const MESSAGES: usize = 3;

/// An object version, that is, a claim's key.
pub(super) type Key = u8;

/// How far a claim is. Leases and waits have no clock here: only `claim` (and a listing) ever reads one, so the model
/// decides there whether it has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Standing {
    #[default]
    Free,
    Held,
    Waiting,
    Done,
    Rejected,
}

/// A row of the claims table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Row {
    pub(super) standing: Standing,
    pub(super) token: u8,
    pub(super) attempts: u8,
    /// Publications that took effect since it was last unsettled. Seen by properties only.
    pub(super) effects: u8,
}

impl Row {
    pub(super) fn is_settled(&self) -> bool {
        matches!(self.standing, Standing::Done | Standing::Rejected)
    }
}

/// A message of the queue. It tells of the put with the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) enum Message {
    /// Deleted, or not sent yet.
    #[default]
    Gone,
    Visible,
    Hidden,
}

/// Where a worker is in `Engine::attempt`. What happens at once in the engine, or has no effect outside it, is one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(super) enum Phase {
    #[default]
    Idle,
    /// Has a delivery, and asks for the claim (again).
    Ready,
    Claimed,
    Staged,
    Uploaded,
    /// The answer to a commit was lost: looks again.
    Unsure,
    /// The content is not there any more, or its successor is published: looks for what is there now.
    Superseded,
    /// Nothing left to do but to acknowledge.
    Settled,
}

/// A worker: one slot of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(super) struct Worker {
    pub(super) phase: Phase,
    /// Where its work came from; `None` is a listing.
    pub(super) message: Option<u8>,
    /// The message was not given to anybody else since, nor did it become visible.
    pub(super) receipt: bool,
    pub(super) key: Key,
    pub(super) token: u8,
    /// Nobody was granted the key since. Workers do not know this: seen by properties only.
    pub(super) latest: bool,
}

impl Worker {
    /// Whether it works under a claim.
    pub(super) fn claims(&self) -> bool {
        matches!(self.phase, Phase::Claimed | Phase::Staged | Phase::Uploaded | Phase::Unsure)
    }

    pub(super) fn commit(&self) -> Commit {
        Commit { key: self.key, token: self.token, latest: self.latest }
    }
}

/// The claim under which a publication is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Commit {
    pub(super) key: Key,
    pub(super) token: u8,
    /// As in [`Worker`].
    pub(super) latest: bool,
}

/// A rule that was seen broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Broken {
    /// A write was accepted from a worker that is not the latest to have the claim.
    StaleWrite,
    /// A message was, or is to be, deleted although nobody has seen its object through.
    DeletedEarly,
    /// The catalogue held what the bucket holds, and went back to what it held before.
    WentBack,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct World {
    pub(super) rows: [Row; VERSIONS],
    /// Which was claimed last.
    pub(super) newest: Key,
    pub(super) messages: [Message; MESSAGES],
    /// In order: they are alike, so it does not matter which is which.
    pub(super) workers: [Worker; WORKERS],
    /// How often something was put.
    pub(super) puts: u8,
    /// Which version the catalogue holds, where there is one object.
    pub(super) catalogue: Option<Key>,
    /// Which version's bytes lie under the one key of the copy, where it is modelled.
    pub(super) copy: Option<Key>,
    /// Which versions' outputs were uploaded.
    pub(super) outputs: [bool; VERSIONS],
    /// A commit whose answer was lost and that is still on its way.
    pub(super) late: Option<Commit>,
    /// How much may still go wrong.
    pub(super) faults: u8,
    pub(super) broken: Option<Broken>,
}

impl World {
    pub(super) fn row(&self, key: Key) -> &Row {
        &self.rows[usize::from(key)]
    }

    pub(super) fn row_mut(&mut self, key: Key) -> &mut Row {
        &mut self.rows[usize::from(key)]
    }

    /// The key is granted to somebody else.
    pub(super) fn forget_latest(&mut self, key: Key) {
        for worker in self.workers.iter_mut().filter(|worker| worker.key == key) {
            worker.latest = false;
        }
        if let Some(late) = self.late.as_mut().filter(|late| late.key == key) {
            late.latest = false;
        }
    }

    /// A held claim whose holder is dead or has forgotten it.
    pub(super) fn is_abandoned(&self, key: Key) -> bool {
        let holds = |worker: &Worker| worker.claims() && worker.latest && worker.key == key;
        self.row(key).standing == Standing::Held && !self.workers.iter().any(holds)
    }

    pub(super) fn is_kept_hidden(&self, message: u8) -> bool {
        self.workers.iter().any(|worker| worker.message == Some(message) && worker.receipt)
    }

    /// Its receipts count no more.
    pub(super) fn stale_receipts(&mut self, message: u8) {
        for worker in self.workers.iter_mut().filter(|worker| worker.message == Some(message)) {
            worker.receipt = false;
        }
    }

    pub(super) fn break_rule(&mut self, broken: Broken) {
        self.broken = self.broken.or(Some(broken));
    }
}
