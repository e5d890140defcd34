//! The protocol's rules, one switch each, and what they are tried on.

/// What keeps the protocol correct. The tests switch one off at a time and see what breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rules {
    /// A publication compares the fence.
    pub(super) fences: bool,
    /// A message is deleted after the publication, not before.
    pub(super) publishes_first: bool,
    /// A publication frees the `done` claims of the object's other versions.
    pub(super) frees_others: bool,
    /// A publication is refused when another version of the object is done and was claimed later.
    pub(super) refuses_older: bool,
    /// Rejections that a publication forgets keep their token.
    pub(super) keeps_tokens: bool,
}

impl Rules {
    pub(super) const ALL: Self = Self {
        fences: true,
        publishes_first: true,
        frees_others: true,
        refuses_older: true,
        keeps_tokens: true,
    };
}

/// What is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// Two objects that have nothing to do with each other, put before it begins. Nothing is ever listed: the queue
    /// must do.
    TwoObjects,
    /// One object; these contents are put one after the other, at any time. Listings find what events miss.
    OneObject(&'static [u8]),
}

/// A model: what `stateright` explores.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scenario {
    pub(super) rules: Rules,
    pub(super) subject: Subject,
    /// Workers that are there, at most [`WORKERS`](super::world::WORKERS).
    pub(super) workers: usize,
    /// Mishaps, of any kind, at any time.
    pub(super) faults: u8,
    pub(super) max_attempts: u8,
    /// The bytes of all versions of an object are copied to one key, as ingest does: the later upload stays.
    pub(super) one_copy: bool,
}
