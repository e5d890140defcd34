//! CPU time by process, of this one and of the servers that it started, from proc(5).

use std::ops::Sub;
use std::time::Duration;

use anyhow::Context;
use testkit::{ProcessTimes, family_of};

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

impl CpuTimes {
    /// So far.
    pub(crate) fn now() -> anyhow::Result<Self> {
        let own = std::process::id();
        let this = ProcessTimes::of(own).context("proc(5) shows this process")?;
        let mut times = Self { own: this.user + this.system, own_in_user: this.user, ..Self::default() };
        for pid in family_of(own) {
            let Some(process) = ProcessTimes::of(pid) else { continue };
            let busy = process.busy();
            match process.name.as_str() {
                _ if pid == own => {}
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
