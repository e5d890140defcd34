//! What services say of themselves, and what the kernel says of them.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use testkit::Service;

/// Of the times in /proc, on every Linux that we run on: sysconf(3), `_SC_CLK_TCK`.
const TICKS_PER_SECOND: u32 = 100;

/// How many log lines of these services have this text in them.
pub(crate) fn lines_with(pods: &[Service], text: &str) -> usize {
    pods.iter().flat_map(Service::log).filter(|line| line.to_string().contains(text)).count()
}

/// How often a service has complained, by what it said.
pub(crate) fn complaints_by_message(pod: &Service) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in pod.log() {
        if matches!(line["level"].as_str(), Some("WARN" | "ERROR") | None) {
            let message =
                line["fields"]["message"].as_str().map_or_else(|| line.to_string(), ToOwned::to_owned);
            *counts.entry(message).or_default() += 1;
        }
    }
    counts
}

/// A metric with these labels, over all of them.
pub(crate) async fn total(pods: &mut [Service], name: &str, labels: &[(&str, &str)]) -> anyhow::Result<f64> {
    let mut sum = 0.0;
    for pod in pods {
        sum += pod.metrics().await?.value(name, labels);
    }
    Ok(sum)
}

/// Each of them answers a probe with this status.
pub(crate) async fn expect_status(pods: &mut [Service], path: &str, status: u16) -> anyhow::Result<()> {
    for pod in pods {
        let answer = pod.get(path).await?;
        ensure!(answer.status == status, "{path} answers {answer:?}, expected {status}");
    }
    Ok(())
}

/// The memory that a service has resident now, in bytes.
pub(crate) fn resident(pod: &Service) -> anyhow::Result<u64> {
    // proc(5): "VmRSS: Resident set size", in kB of 1024 bytes.
    let status = std::fs::read_to_string(format!("/proc/{}/status", pod.pid()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    let kib: u64 = line.trim().strip_suffix(" kB").context("a unit")?.trim().parse()?;
    Ok(kib * 1024)
}

/// The processor time that a service has taken so far.
pub(crate) fn processor_time(pod: &Service) -> anyhow::Result<Duration> {
    // proc(5): utime and stime are the 14th and 15th field; the 2nd is in parentheses and may hold spaces.
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pod.pid()))?;
    let (_, fields) = stat.rsplit_once(") ").context("a name in parentheses")?;
    let times = fields.split(' ').skip(11).take(2).map(str::parse::<u32>);
    let ticks: u32 = times.collect::<Result<Vec<_>, _>>()?.into_iter().sum();
    Ok(Duration::from_secs(1) * ticks / TICKS_PER_SECOND)
}
