//! CPU time of this process and of the database servers that it started, from proc(5).

use std::time::Duration;

use anyhow::Context;
use testkit::{ProcessTimes, family_of};

/// User and system time of this process so far.
pub(crate) fn own() -> anyhow::Result<Duration> {
    let own = ProcessTimes::of(std::process::id()).context("proc(5) shows this process")?;
    Ok(own.user + own.system)
}

/// That of all processes of our database servers, ended ones included.
pub(crate) fn postgres() -> Duration {
    let servers = family_of(std::process::id()).into_iter().filter_map(ProcessTimes::of);
    servers.filter(|server| server.name == "postgres").map(|server| server.busy()).sum()
}
