//! CPU time by process, of this one and of the servers that it started, from proc(5).

use std::collections::HashMap;
use std::ops::Sub;
use std::time::Duration;

use anyhow::Context;

/// User and system time so far, in steps of a hundredth of a second.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CpuTimes {
    /// Of this process.
    pub(crate) own: Duration,
    /// That part of it that is not the kernel's.
    pub(crate) own_in_user: Duration,
    /// Of the database server with all its processes.
    pub(crate) postgres: Duration,
    /// Of the queue server.
    pub(crate) queue: Duration,
    /// Of the S3 server, which is this program too.
    pub(crate) s3_server: Duration,
}

/// One process.
struct Process {
    name: String,
    parent: u32,
    user: Duration,
    system: Duration,
    /// Of its children that have ended.
    ended_children: Duration,
}

impl CpuTimes {
    /// So far.
    pub(crate) fn now() -> anyhow::Result<Self> {
        let own = std::process::id();
        let processes = processes()?;
        let this = processes.get(&own).context("proc(5) shows this process")?;
        let mut times = Self { own: this.user + this.system, own_in_user: this.user, ..Self::default() };
        for (pid, process) in processes.iter().filter(|(pid, _)| descends(**pid, own, &processes)) {
            let busy = process.user + process.system + process.ended_children;
            match process.name.as_str() {
                _ if *pid == own => {}
                "postgres" => times.postgres += busy,
                "java" => times.queue += busy,
                name if name == this.name => times.s3_server += busy,
                // The shells that keep the servers wait.
                _ => {}
            }
        }
        Ok(times)
    }
}

impl Sub for CpuTimes {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            own: self.own.saturating_sub(earlier.own),
            own_in_user: self.own_in_user.saturating_sub(earlier.own_in_user),
            postgres: self.postgres.saturating_sub(earlier.postgres),
            queue: self.queue.saturating_sub(earlier.queue),
            s3_server: self.s3_server.saturating_sub(earlier.s3_server),
        }
    }
}

fn descends(pid: u32, from: u32, processes: &HashMap<u32, Process>) -> bool {
    let mut next = Some(pid);
    while let Some(pid) = next {
        if pid == from {
            return true;
        }
        next = processes.get(&pid).map(|process| process.parent);
    }
    false
}

fn processes() -> anyhow::Result<HashMap<u32, Process>> {
    let mut found = HashMap::new();
    for entry in std::fs::read_dir("/proc")? {
        let entry = entry?;
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // It may have ended since it was listed.
        if let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) {
            found.insert(pid, process(&stat).context("proc(5)")?);
        }
    }
    Ok(found)
}

/// Fields 2, 4 and 14 to 17 of `/proc/<pid>/stat`.
fn process(stat: &str) -> Option<Process> {
    // The name of the program is in brackets and may hold anything.
    let (name, fields) = stat.split_once('(')?.1.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    let time = |number| Some(Duration::from_millis(field(number)? * 10));
    Some(Process {
        name: name.to_owned(),
        parent: field(4)?.try_into().ok()?,
        user: time(14)?,
        system: time(15)?,
        ended_children: time(16)? + time(17)?,
    })
}
