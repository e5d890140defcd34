//! CPU time and memory of a process with its children, from proc(5).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;

/// Looks at a process and its children until it is stopped.
pub(crate) struct Watch {
    pid: u32,
    before: Duration,
    stop: Arc<AtomicBool>,
    peak: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Watch {
    const EVERY: Duration = Duration::from_millis(20);

    pub(crate) fn start(pid: u32) -> Self {
        let (stop, peak) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, highest) = (Arc::clone(&stop), Arc::clone(&peak));
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                highest.fetch_max(family(pid).into_iter().map(resident).sum(), Ordering::Relaxed);
                std::thread::sleep(Self::EVERY);
            }
        });
        Self { pid, before: cpu(pid), stop, peak, thread }
    }

    /// CPU time since the start, and the highest sum of resident memory. Workers that were replaced meanwhile count, by
    /// what the parent has waited for.
    pub(crate) fn stop(self) -> anyhow::Result<(Duration, u64)> {
        self.stop.store(true, Ordering::Relaxed);
        let used = cpu(self.pid).checked_sub(self.before).context("the service is gone")?;
        self.thread.join().ok().context("the watch failed")?;
        Ok((used, self.peak.load(Ordering::Relaxed)))
    }
}

/// A process and its children.
fn family(pid: u32) -> Vec<u32> {
    std::iter::once(pid).chain(testkit::children_of(pid).unwrap_or_default()).collect()
}

/// User and system time of a process and its children, ended ones included.
fn cpu(pid: u32) -> Duration {
    let of = |pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let fields: Vec<u64> = stat
            .rsplit_once(')')
            .map(|(_, rest)| {
                rest.split_whitespace().skip(11).take(4).filter_map(|field| field.parse().ok()).collect()
            })
            .unwrap_or_default();
        Duration::from_millis(fields.iter().sum::<u64>() * 10)
    };
    family(pid).into_iter().map(of).sum()
}

fn resident(pid: u32) -> u64 {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}
