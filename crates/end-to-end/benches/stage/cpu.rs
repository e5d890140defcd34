//! CPU time by process, from proc(5), in steps of a hundredth of a second.

use std::collections::HashSet;
use std::ops::Sub;
use std::time::Duration;

/// User and system time of a service and of the servers that this process has started.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CpuTimes {
    /// With its workers, also those that were replaced.
    pub(crate) service: Duration,
    pub(crate) postgres: Duration,
    pub(crate) queue: Duration,
    pub(crate) s3_server: Duration,
}

impl CpuTimes {
    /// So far.
    pub(crate) fn now(service: u32, s3_server: u32) -> Self {
        let mut times = Self::default();
        let of_service: HashSet<u32> = family(service).into_iter().collect();
        for process in family(std::process::id()) {
            let Some((name, busy)) = busy(process) else { continue };
            match name.as_str() {
                _ if of_service.contains(&process) => times.service += busy,
                _ if process == s3_server => times.s3_server += busy,
                "postgres" => times.postgres += busy,
                "java" => times.queue += busy,
                // This process, and the shells that keep the servers, which wait.
                _ => {}
            }
        }
        times
    }
}

impl Sub for CpuTimes {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            service: self.service.saturating_sub(earlier.service),
            postgres: self.postgres.saturating_sub(earlier.postgres),
            queue: self.queue.saturating_sub(earlier.queue),
            s3_server: self.s3_server.saturating_sub(earlier.s3_server),
        }
    }
}

/// A process and its descendants.
pub(crate) fn family(process: u32) -> Vec<u32> {
    // None: it has ended since it was listed.
    let children = testkit::children_of(process).unwrap_or_default();
    let below = children.into_iter().flat_map(family);
    std::iter::once(process).chain(below).collect()
}

/// Name and time of a process, that of its ended children included: fields 2 and 14 to 17 of `/proc/<pid>/stat`.
fn busy(process: u32) -> Option<(String, Duration)> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program is in brackets and may hold anything.
    let (name, fields) = stat.split_once('(')?.1.rsplit_once(')')?;
    let times = fields.split_whitespace().skip(11).take(4).map(str::parse::<u64>);
    let ticks: u64 = times.sum::<Result<_, _>>().ok()?;
    Some((name.to_owned(), Duration::from_millis(ticks * 10)))
}
