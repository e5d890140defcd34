//! What can happen, and what comes of it.

use super::rules::{Scenario, Subject};
use super::store::Answer;
use super::world::{Broken, Key, Message, Phase, Standing, Worker, World};

/// Something that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Step {
    Put,
    Receive {
        by: usize,
        message: u8,
    },
    List {
        by: usize,
    },
    Claim {
        by: usize,
    },
    Stage {
        by: usize,
    },
    Upload {
        by: usize,
    },
    Publish {
        by: usize,
    },
    LookAgain {
        by: usize,
    },
    FindSuccessor {
        by: usize,
    },
    Acknowledge {
        by: usize,
        deletes: bool,
    },
    /// The keeper is told that the claim is lost.
    NoticeLoss {
        by: usize,
    },
    /// A message that nobody keeps hidden becomes visible.
    ShowAgain {
        message: u8,
    },
    /// The claim of a dead process is freed.
    FreeExpired {
        key: Key,
    },
    /// A commit whose answer was lost takes place after all, or never.
    EndLate {
        commits: bool,
    },
    Mishap(Mishap),
}

/// A step of which there are only so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Mishap {
    /// Its process dies; `committing`: the database has been asked to commit.
    Crash {
        by: usize,
        committing: bool,
    },
    Fail {
        by: usize,
    },
    Refuse {
        by: usize,
    },
    HandBack {
        by: usize,
        way: Way,
    },
    /// The answer to a commit is lost. Publishes again, or `looks` again.
    LoseAnswer {
        by: usize,
        looks: bool,
    },
    /// The claim of a living process is freed.
    FreeExpired {
        key: Key,
    },
    /// Takes over from somebody who is alive: its lease ended unrenewed.
    TakeOver {
        by: usize,
    },
    /// The queue delivers again, what is held or what is deleted.
    Redeliver {
        message: u8,
    },
    /// A put of which no event tells.
    PutUntold,
}

/// How work is handed back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Way {
    /// Released; tried again from memory. The keeper gave up, or something was away.
    Waits,
    /// Released; the message made visible at once. A shutdown.
    Returns,
    /// As `Waits`, but the release did not get through.
    Unwritten,
}

/// One step, on a copy of the world.
pub(super) struct Stepping<'s> {
    pub(super) scenario: &'s Scenario,
    pub(super) world: World,
}

impl Stepping<'_> {
    pub(super) fn take(&mut self, step: Step) {
        match step {
            Step::Put => self.put(true),
            Step::Receive { by, message } => self.receive(by, message),
            Step::List { by } => self.list(by),
            Step::Claim { by } => self.claim(by, false),
            Step::Stage { by } => self.stage(by),
            Step::Upload { by } => self.upload(by),
            Step::Publish { by } => self.publish(by),
            Step::LookAgain { by } => self.look_again(by),
            Step::FindSuccessor { by } => self.find_successor(by),
            Step::Acknowledge { by, deletes } => self.acknowledge(by, deletes),
            Step::NoticeLoss { by } => self.back_to_ready(by),
            Step::ShowAgain { message } => self.world.messages[usize::from(message)] = Message::Visible,
            Step::FreeExpired { key } => self.free_expired(key),
            Step::EndLate { commits } => self.end_late(commits),
            Step::Mishap(mishap) => {
                self.world.faults -= 1;
                self.go_wrong(mishap);
            }
        }
    }

    fn go_wrong(&mut self, mishap: Mishap) {
        match mishap {
            Mishap::Crash { by, committing } => self.crash(by, committing),
            Mishap::Fail { by } => self.fail(by),
            Mishap::Refuse { by } => self.quarantine(by),
            Mishap::HandBack { by, way } => self.hand_back(by, way),
            Mishap::LoseAnswer { by, looks } => self.lose_answer(by, looks),
            Mishap::FreeExpired { key } => self.free_expired(key),
            Mishap::TakeOver { by } => self.claim(by, true),
            Mishap::Redeliver { message } => {
                self.world.stale_receipts(message);
                self.world.messages[usize::from(message)] = Message::Visible;
            }
            Mishap::PutUntold => self.put(false),
        }
    }

    fn put(&mut self, told: bool) {
        let message = usize::from(self.world.puts);
        self.world.puts += 1;
        if told {
            self.world.messages[message] = Message::Visible;
        }
    }

    fn receive(&mut self, by: usize, message: u8) {
        self.world.stale_receipts(message);
        self.world.messages[usize::from(message)] = Message::Hidden;
        let key = self.scenario.told(message);
        self.world.workers[by] =
            Worker { phase: Phase::Ready, message: Some(message), receipt: true, key, ..Worker::default() };
    }

    fn list(&mut self, by: usize) {
        if let Some(key) = self.scenario.current(&self.world) {
            self.world.workers[by] = Worker { phase: Phase::Ready, key, ..Worker::default() };
        }
    }

    /// Downloads are conditional: the content is the claimed version, or there is none.
    fn stage(&mut self, by: usize) {
        let key = self.world.workers[by].key;
        // Earlier attempts never finished.
        if self.is_ours(by) && self.world.row(key).attempts > self.scenario.max_attempts {
            return self.quarantine(by);
        }
        if self.scenario.current(&self.world).is_none_or(|current| current == key) {
            self.world.workers[by].phase = Phase::Staged;
        } else {
            self.release(by);
            self.superseded(by);
        }
    }

    fn upload(&mut self, by: usize) {
        let key = self.world.workers[by].key;
        self.world.outputs[usize::from(key)] = true;
        if self.scenario.one_copy {
            self.world.copy = Some(key);
        }
        self.world.workers[by].phase = Phase::Uploaded;
        if !self.scenario.rules.publishes_first {
            self.delete_message(by);
        }
    }

    fn publish(&mut self, by: usize) {
        match self.commit(self.world.workers[by].commit()) {
            Answer::Done => self.settle(by),
            Answer::Fenced => self.back_to_ready(by),
            Answer::Superseded => {
                self.release(by);
                self.superseded(by);
            }
        }
    }

    fn lose_answer(&mut self, by: usize, looks: bool) {
        self.world.late = Some(self.world.workers[by].commit());
        if looks {
            self.world.workers[by].phase = Phase::Unsure;
        }
    }

    fn end_late(&mut self, commits: bool) {
        if let (Some(commit), true) = (self.world.late.take(), commits) {
            // Nobody hears what becomes of it.
            self.commit(commit);
        }
    }

    fn crash(&mut self, by: usize, committing: bool) {
        if committing {
            self.world.late = Some(self.world.workers[by].commit());
        }
        self.world.workers[by] = Worker::default();
    }

    fn look_again(&mut self, by: usize) {
        if self.world.row(self.world.workers[by].key).standing == Standing::Done {
            return self.settle(by);
        }
        self.release(by);
        self.back_to_ready(by);
    }

    fn find_successor(&mut self, by: usize) {
        let key = self.world.workers[by].key;
        match self.scenario.current(&self.world) {
            Some(current) if current != key => self.go_on(by, Phase::Ready, current),
            _ => self.settle(by),
        }
    }

    /// A stale receipt is refused, or deletes the message all the same, as the server likes.
    fn acknowledge(&mut self, by: usize, deletes: bool) {
        if deletes {
            self.delete_message(by);
        }
        self.world.workers[by] = Worker::default();
    }

    fn delete_message(&mut self, by: usize) {
        let Some(message) = self.world.workers[by].message.take() else { return };
        self.world.messages[usize::from(message)] = Message::Gone;
        // Of one object, it may have been unsettled since, by a publication of other content.
        if self.scenario.subject == Subject::TwoObjects && !self.world.row(message).is_settled() {
            self.world.break_rule(Broken::DeletedEarly);
        }
    }

    fn hand_back(&mut self, by: usize, way: Way) {
        if way != Way::Unwritten {
            self.release(by);
        }
        if way != Way::Returns {
            return self.back_to_ready(by);
        }
        if let Worker { message: Some(message), receipt: true, .. } = self.world.workers[by] {
            self.world.messages[usize::from(message)] = Message::Visible;
        }
        self.world.workers[by] = Worker::default();
    }

    /// Handed back: what comes again is what the message told of.
    pub(super) fn back_to_ready(&mut self, by: usize) {
        let Worker { message, key, .. } = self.world.workers[by];
        let key = message.map_or(key, |message| self.scenario.told(message));
        self.go_on(by, Phase::Ready, key);
    }

    pub(super) fn settle(&mut self, by: usize) {
        let Worker { message, key, .. } = self.world.workers[by];
        let newest_put = message.is_some_and(|message| message + 1 == self.world.puts);
        if newest_put && !self.world.row(key).is_settled() {
            self.world.break_rule(Broken::DeletedEarly);
        }
        self.go_on(by, Phase::Settled, key);
    }

    fn superseded(&mut self, by: usize) {
        self.go_on(by, Phase::Superseded, self.world.workers[by].key);
    }

    /// With the same delivery, and without a claim.
    fn go_on(&mut self, by: usize, phase: Phase, key: Key) {
        let Worker { message, receipt, .. } = self.world.workers[by];
        self.world.workers[by] = Worker { phase, message, receipt, key, ..Worker::default() };
    }
}
