//! Which cores the servers run on.

use std::fs;
use std::io;
use std::process;

use rustix::thread::{CpuSet, Pid, sched_getaffinity, sched_setaffinity};
use testkit::family_of;

/// Holds every process that this one has started on the cores that are left beside those of `threads` that compute: a
/// server would be a machine of its own. Where no core is left, they stay on all.
pub(crate) fn hold_servers_apart(threads: usize) -> io::Result<()> {
    let all = sched_getaffinity(None)?;
    let mut theirs = CpuSet::new();
    (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core)).skip(threads).for_each(|core| theirs.set(core));
    if theirs.count() == 0 {
        return Ok(());
    }
    // A thread takes over where it may run from the one that starts it, so nothing new escapes once all are held.
    while hold(&theirs) {}
    Ok(())
}

/// Whether a thread ran elsewhere.
fn hold(cores: &CpuSet) -> bool {
    let servers = family_of(process::id()).into_iter().filter(|family| *family != process::id());
    let held = servers.flat_map(threads_of).map(|thread| {
        let elsewhere = sched_getaffinity(Some(thread)).is_ok_and(|now| now != *cores);
        // It fails where the thread has ended.
        elsewhere && sched_setaffinity(Some(thread), cores).is_ok()
    });
    held.fold(false, |any, one| any | one)
}

fn threads_of(process: u32) -> Vec<Pid> {
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten();
    let number = |thread: io::Result<fs::DirEntry>| thread.ok()?.file_name().to_str()?.parse().ok();
    threads.filter_map(number).filter_map(Pid::from_raw).collect()
}
