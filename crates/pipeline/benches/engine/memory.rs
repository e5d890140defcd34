//! Resident memory of this process, from proc(5).

use anyhow::Context;

/// Bytes now, from which on the peak is counted anew.
pub(crate) fn begin() -> anyhow::Result<u64> {
    // 5: "Reset the peak resident set size to the current value".
    std::fs::write("/proc/self/clear_refs", "5")?;
    field("VmRSS:")
}

/// The most since the beginning.
pub(crate) fn peak() -> anyhow::Result<u64> {
    field("VmHWM:")
}

fn field(name: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).context("proc(5)")?;
    let kib = line.trim().strip_suffix(" kB").context("proc(5)")?.trim();
    Ok(kib.parse::<u64>()? * 1024)
}
