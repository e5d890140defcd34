//! CPU time of this process and of the database servers that it started, from proc(5).

use std::time::Duration;

use anyhow::Context;

/// User and system time of this process so far.
pub(crate) fn own() -> anyhow::Result<Duration> {
    let (_, own, _) = times(std::process::id()).context("proc(5) shows this process")?;
    Ok(own)
}

/// That of all processes of our database servers, ended ones included.
pub(crate) fn postgres() -> Duration {
    let servers = descendants(std::process::id()).into_iter().filter_map(times);
    let servers = servers.filter(|(name, _, _)| name == "postgres");
    servers.map(|(_, own, ended_children)| own + ended_children).sum()
}

fn descendants(process: u32) -> Vec<u32> {
    // None: it has ended since it was listed.
    let children = testkit::children_of(process).unwrap_or_default();
    let below = children.iter().flat_map(|child| descendants(*child));
    below.chain(children.iter().copied()).collect()
}

/// Name, time and the time of ended children: fields 2 and 14 to 17, in hundredths of a second.
fn times(process: u32) -> Option<(String, Duration, Duration)> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program is in brackets and may hold anything.
    let (name, fields) = stat.split_once('(')?.1.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let time = |field: usize| Some(Duration::from_millis(fields.get(field - 3)?.parse::<u64>().ok()? * 10));
    Some((name.to_owned(), time(14)? + time(15)?, time(16)? + time(17)?))
}
