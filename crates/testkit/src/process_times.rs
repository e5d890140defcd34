//! CPU time by process, from proc(5), in steps of a hundredth of a second.

use std::time::Duration;

use crate::children_of;

/// What a process has taken so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessTimes {
    /// The program's name.
    pub name: String,
    /// In the process itself, outside the kernel.
    pub user: Duration,
    /// In the kernel, for the process itself.
    pub system: Duration,
    /// Of its children that have ended, and of theirs.
    pub ended_children: Duration,
}

impl ProcessTimes {
    /// Fields 2 and 14 to 17 of `/proc/<pid>/stat`; `None` where there is no such process, or no longer.
    pub fn of(process: u32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The name of the program is in brackets and may hold anything.
        let (name, fields) = stat.split_once('(')?.1.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let time =
            |field: usize| Some(Duration::from_millis(fields.get(field - 3)?.parse::<u64>().ok()? * 10));
        Some(Self {
            name: name.to_owned(),
            user: time(14)?,
            system: time(15)?,
            ended_children: time(16)? + time(17)?,
        })
    }

    /// All of it.
    pub fn busy(&self) -> Duration {
        self.user + self.system + self.ended_children
    }
}

/// A process and its descendants that still run.
pub fn family_of(process: u32) -> Vec<u32> {
    // None: it has ended since it was listed.
    let children = children_of(process).unwrap_or_default();
    let below = children.into_iter().flat_map(family_of);
    std::iter::once(process).chain(below).collect()
}
