//! What the manifest store does: `claim`, `publish`, `fail`, `quarantine`, `release`.

use super::rules::Subject;
use super::steps::Stepping;
use super::world::{Broken, Commit, Key, Phase, Row, Standing, Worker};

/// What a publication is told.
pub(super) enum Answer {
    Done,
    Fenced,
    Superseded,
}

impl Stepping<'_> {
    /// `claim`: a claim that is held is given out when its lease has ended.
    pub(super) fn claim(&mut self, by: usize, lease_ended: bool) {
        let key = self.world.workers[by].key;
        match self.world.row(key).standing {
            Standing::Done | Standing::Rejected => return self.settle(by),
            Standing::Held if !lease_ended && !self.world.is_abandoned(key) => return,
            Standing::Free | Standing::Waiting | Standing::Held => {}
        }
        self.world.forget_latest(key);
        let row = self.world.row_mut(key);
        row.token += 1;
        row.attempts += 1;
        row.standing = Standing::Held;
        let token = row.token;
        let old = self.world.workers[by];
        self.world.workers[by] = Worker { phase: Phase::Claimed, token, latest: true, ..old };
        if let Subject::OneObject(_) = self.scenario.subject {
            self.world.newest = key;
        }
    }

    /// The transaction.
    pub(super) fn commit(&mut self, commit: Commit) -> Answer {
        let rules = self.scenario.rules;
        let Commit { key, token, latest } = commit;
        let row = *self.world.row(key);
        if rules.fences {
            match row.standing {
                Standing::Held if row.token == token => {}
                Standing::Done if row.token == token => return Answer::Done,
                _ => return Answer::Fenced,
            }
        }
        let other = 1 - key;
        let one_object = matches!(self.scenario.subject, Subject::OneObject(_));
        if one_object && rules.refuses_older {
            let done_later = self.world.row(other).standing == Standing::Done && self.world.newest == other;
            if done_later {
                return Answer::Superseded;
            }
        }
        self.written(latest);
        let row = self.world.row_mut(key);
        row.standing = Standing::Done;
        row.effects += 1;
        if one_object {
            self.unsettle(other);
            self.catalogue(key);
        }
        Answer::Done
    }

    /// What a publication does to another version of its object.
    fn unsettle(&mut self, other: Key) {
        let rules = self.scenario.rules;
        let row = self.world.row_mut(other);
        match row.standing {
            Standing::Done if rules.frees_others => *row = Row { token: row.token, ..Row::default() },
            Standing::Rejected if rules.keeps_tokens => *row = Row { token: row.token, ..Row::default() },
            Standing::Rejected => *row = Row::default(),
            Standing::Done | Standing::Free | Standing::Held | Standing::Waiting => {}
        }
    }

    fn catalogue(&mut self, key: Key) {
        let before = self.world.catalogue.replace(key);
        let current = self.scenario.current(&self.world);
        if before == current && current != Some(key) && !self.scenario.comes_back() {
            self.world.break_rule(Broken::WentBack);
        }
    }

    pub(super) fn fail(&mut self, by: usize) {
        let key = self.world.workers[by].key;
        if self.is_ours(by) {
            if self.world.row(key).attempts >= self.scenario.max_attempts {
                return self.quarantine(by);
            }
            self.written(self.world.workers[by].latest);
            self.world.row_mut(key).standing = Standing::Waiting;
        }
        self.back_to_ready(by);
    }

    pub(super) fn quarantine(&mut self, by: usize) {
        if !self.is_ours(by) {
            return self.back_to_ready(by);
        }
        self.written(self.world.workers[by].latest);
        self.world.row_mut(self.world.workers[by].key).standing = Standing::Rejected;
        self.settle(by);
    }

    pub(super) fn release(&mut self, by: usize) {
        if self.is_ours(by) {
            self.written(self.world.workers[by].latest);
            let row = self.world.row_mut(self.world.workers[by].key);
            row.standing = Standing::Free;
            row.attempts = row.attempts.saturating_sub(1);
        }
    }

    /// What every write under a claim asks: held, with our token.
    pub(super) fn is_ours(&self, by: usize) -> bool {
        let worker = &self.world.workers[by];
        let row = self.world.row(worker.key);
        row.standing == Standing::Held && row.token == worker.token
    }

    /// A write under a claim was accepted.
    fn written(&mut self, latest: bool) {
        if !latest {
            self.world.break_rule(Broken::StaleWrite);
        }
    }

    /// The attempt stays counted.
    pub(super) fn free_expired(&mut self, key: Key) {
        self.world.row_mut(key).standing = Standing::Free;
    }
}
