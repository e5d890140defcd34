//! Dying, hanging and stalling at a named point of the protocol, for crash tests. The points are `fail::fail_point!`s
//! all over the engine and the adapters; docs/protocol.md lists them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Signal, getpid, kill_process};

/// `point=kill@N`, `point=panic@N` or `point=stall@N:TIME`, separated by semicolons: what happens when the point is
/// reached for the Nth time, counted from 1.
const VARIABLE: &str = "IMAGEML_FAILPOINTS";

#[derive(Debug, Clone, Copy)]
enum Action {
    /// As `kill -9` does: nothing is tidied up.
    Kill,
    Panic,
    /// The thread does nothing for this long.
    Stall(Duration),
}

/// Arms what the environment says.
pub(crate) fn arm() -> anyhow::Result<()> {
    let Ok(wanted) = std::env::var(VARIABLE) else { return Ok(()) };
    for one in wanted.split(';').filter(|one| !one.is_empty()) {
        let (point, action, turn) = parse(one).with_context(|| format!("{VARIABLE}: {one:?}"))?;
        let reached = AtomicU64::new(0);
        let act = move || {
            if reached.fetch_add(1, Ordering::Relaxed) + 1 == turn {
                carry_out(action);
            }
        };
        fail::cfg_callback(point, act).map_err(anyhow::Error::msg)?;
    }
    Ok(())
}

fn parse(text: &str) -> anyhow::Result<(&str, Action, u64)> {
    let (point, action) = text.split_once('=').context("expected point=action@N")?;
    let (action, turn) = action.split_once('@').context("expected action@N")?;
    let (turn, time) = turn.split_once(':').map_or((turn, None), |(turn, time)| (turn, Some(time)));
    let action = match (action, time) {
        ("kill", None) => Action::Kill,
        ("panic", None) => Action::Panic,
        ("stall", Some(time)) => Action::Stall(humantime::parse_duration(time)?),
        _ => anyhow::bail!("unknown action"),
    };
    Ok((point, action, turn.parse()?))
}

fn carry_out(action: Action) {
    match action {
        Action::Kill => {
            // Nothing after it runs; failing would show as a test that finds nobody killed.
            kill_process(getpid(), Signal::KILL).ok();
        }
        Action::Panic => panic!("armed by {VARIABLE}"),
        Action::Stall(time) => std::thread::sleep(time),
    }
}
