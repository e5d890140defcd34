//! Faults, crashes, duplicates and lost events against the real services, and one checker of what came of it.
//!
//! Each scenario gets a world of its own ([`Rig`]): a Postgres server, an S3 server, an SQS server, fault proxies before
//! all three, a [`Ledger`] that is written before each put, and services as processes. What holds at the end of every
//! scenario is checked by [`Rig::check`]: nothing lost, nothing unexpected, nothing doubled, nothing left over.
//! `make chaos` runs all of them; scenario numbers are those of docs/reliability.md.

mod checker;
mod ledger;
mod program;
mod random;
mod report;
mod rig;
mod scenario;
mod scenarios;

pub use checker::Verdict;
pub use ledger::{Class, Entry, Ledger};
pub use program::{Pod, Program};
pub use random::Random;
pub use report::{Outcome, Report};
pub use rig::{Rig, RigSettings};
pub use scenario::{Scenario, all, find, run};
