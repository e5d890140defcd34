//! CPU time by process, from proc(5), in steps of a hundredth of a second.

use std::collections::HashSet;
use std::ops::Sub;
use std::time::Duration;

use testkit::{ProcessTimes, family_of};

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
        let of_service: HashSet<u32> = family_of(service).into_iter().collect();
        for process in family_of(std::process::id()) {
            let Some(found) = ProcessTimes::of(process) else { continue };
            let busy = found.busy();
            match found.name.as_str() {
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
