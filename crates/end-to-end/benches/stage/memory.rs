//! Memory of a process with its children, from proc(5).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use testkit::family_of;

/// Looks at a process and its children until it is stopped.
pub(crate) struct Watch {
    process: u32,
    stop: Arc<AtomicBool>,
    /// Since it was last asked.
    highest: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Watch {
    const EVERY: Duration = Duration::from_millis(20);

    pub(crate) fn start(process: u32) -> Self {
        let (stop, highest) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, seen) = (Arc::clone(&stop), Arc::clone(&highest));
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                seen.fetch_max(now(process), Ordering::Relaxed);
                std::thread::sleep(Self::EVERY);
            }
        });
        Self { process, stop, highest, thread }
    }

    /// The highest sum of resident memory since the last question.
    pub(crate) fn highest(&self) -> u64 {
        self.highest.swap(0, Ordering::Relaxed).max(now(self.process))
    }

    pub(crate) fn stop(self) -> anyhow::Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().ok().context("the watch failed")
    }
}

fn now(process: u32) -> u64 {
    family_of(process).into_iter().map(resident).sum()
}

fn resident(process: u32) -> u64 {
    let statm = std::fs::read_to_string(format!("/proc/{process}/statm")).unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}
