//! Staging disks that are small, full, broken, or full of what others left.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures::FutureExt as _;
use staging::ItemName;
use testkit::{Fault, Matcher, Rule, Service, until};
use tokio::time::sleep;
use types::{ObjectVersion, S3Uri, StageName};

use crate::rig::disks::{SmallDisk, Strace};
use crate::rig::pods::{expect_status, lines_with, total};
use crate::rig::puts::Told;
use crate::scenarios::leftovers;
use crate::{Rig, RigSettings, Scenario, Verdict};

const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "S-24",
        fault: "a staging disk of 32 MiB, 25 objects of 4 MiB, 12 slots, uploads 1 s slower",
        expected: "work waits for room: no write fails, nothing is tried twice",
        settings: RigSettings::default,
        long: false,
        run: |rig| small_disk(rig).boxed_local(),
    },
    Scenario {
        id: "S-40",
        fault: "system calls of the staging area (write, open, unlink, fdatasync) fail with EIO, ENOSPC, EROFS \
                and EDQUOT, at the first to third call of each thread, 4 rounds of 8 objects",
        expected: "no part of a file is used, no panic",
        settings: RigSettings::default,
        long: false,
        run: |rig| calls_fail(rig).boxed_local(),
    },
    Scenario {
        id: "S-41",
        fault: "no inodes left on the staging disk for 6 s",
        expected: "as a full disk: nothing is received, alive and not ready",
        settings: RigSettings::default,
        long: false,
        run: |rig| no_inodes(rig).boxed_local(),
    },
    Scenario {
        id: "S-42",
        fault: "start among 5,000 files of dead services, links out of the staging area, a live sibling and strangers",
        expected: "the dead are gone in 10 s; the sibling, strangers and the targets of links are as they were",
        settings: RigSettings::default,
        long: false,
        run: |rig| leftovers::start_among_them(rig).boxed_local(),
    },
];

async fn small_disk(rig: &mut Rig) -> anyhow::Result<Verdict> {
    const DISK: u64 = 32 << 20;
    let disk = SmallDisk::mount(&rig.nvme(), &format!("size={DISK}"))?;
    let told = rig.put_padded(0, 25, 4 << 20).await?;
    rig.tell(&told).await?;
    // Work keeps its room until its output is written: the next ones have to wait, however quick this machine is.
    let uploads = Matcher::any().method("PUT").path_contains("/bronze/");
    rig.s3.add(Rule::new(uploads, Fault::Delay(Duration::from_secs(1))));
    let mut pods = vec![rig.ingest().env("WORK_SLOTS", "12").start()?];
    let mut peak = 0;
    until("everything is settled", PATIENCE, async || {
        peak = disk.used()?.max(peak);
        Ok((rig.settled().await? >= told.len()).then_some(()))
    })
    .await?;
    ensure!(peak > DISK / 2, "at most {peak} bytes of the disk were used: nothing had to wait");
    // Waiting for room is a part of this step; without it, it takes no time.
    let waited = total(&mut pods, "imageml_step_seconds_sum", &[("step", "admit")]).await?;
    ensure!(waited > 1.0, "nothing had to wait: {waited} s");
    ensure!(lines_with(&pods, "os error 28") == 0, "a write failed");
    ensure!(
        total(&mut pods, "imageml_work_total", &[("ending", "retried")]).await? == 0.0,
        "work was tried twice"
    );
    rig.probe().await?;
    rig.check(pods, 0).await
}

async fn no_inodes(rig: &mut Rig) -> anyhow::Result<Verdict> {
    let _disk = SmallDisk::mount(&rig.nvme(), "size=64m,nr_inodes=128")?;
    rig.put_and_tell(0, 150).await?;
    let mut pods = rig.ingests(2).await?;
    rig.until_settled(10, PATIENCE).await?;
    let filler = rig.nvme().join("filler");
    std::fs::create_dir(&filler)?;
    fill_inodes(&filler, Duration::from_secs(3)).await?;
    let before = total(&mut pods, "imageml_received_messages_total", &[]).await?;
    fill_inodes(&filler, Duration::from_secs(3)).await?;
    let after = total(&mut pods, "imageml_received_messages_total", &[]).await?;
    ensure!(before == after, "{before} messages were received after 3 s, {after} after 6 s");
    ensure!(rig.settled().await? < 150, "all was done before the fault");
    expect_status(&mut pods, "/livez", 200).await?;
    expect_status(&mut pods, "/readyz", 503).await?;
    ensure!(lines_with(&pods, "os error 28") > 0, "no service met the full disk");
    std::fs::remove_dir_all(&filler)?;
    rig.until_settled(150, PATIENCE).await?;
    rig.probe().await?;
    rig.check(pods, 0).await
}

/// Takes every inode that is free or becomes free.
async fn fill_inodes(folder: &Path, time: Duration) -> anyhow::Result<()> {
    let end = Instant::now() + time;
    while Instant::now() < end {
        match std::fs::File::create(folder.join(uuid::Uuid::new_v4().to_string())) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::StorageFull => {
                sleep(Duration::from_millis(10)).await
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn calls_fail(rig: &mut Rig) -> anyhow::Result<Verdict> {
    const ERRORS: [&str; 4] = ["EIO", "ENOSPC", "EROFS", "EDQUOT"];
    const CALLS: [&str; 4] = ["write", "openat", "unlink", "fdatasync"];
    // Each failure counts as an attempt: how soon an object is given up is not the question here.
    let mut pods = vec![rig.ingest().env("MAX_ATTEMPTS", "20").start()?];
    let pod = pods.first_mut().context("it was started")?;
    pod.ready().await?;
    let (instance, pid) = (instance_of(&rig.nvme())?, pod.pid());
    let (mut random, mut failed) = (rig.random(), Vec::new());
    for round in 0..ERRORS.len() {
        let told = rig.put_padded(u64::try_from(round)? * 8, 8, 20_000).await?;
        let inject: Vec<_> = (0..CALLS.len())
            .map(|call| {
                let error = ERRORS.get((round + call) % ERRORS.len()).expect("within its length");
                format!("{}:error={error}:when={}", CALLS[call], 1 + random.below(3))
            })
            .collect();
        let log = rig.folder().join(format!("strace-{round}"));
        let strace = Strace::attach(pid, &inject, &staged_paths(&instance, &told)?, log).await?;
        rig.tell(&told).await?;
        for _ in 0..8 {
            // Looks at the disk, whatever the answer is.
            pod.get("/readyz").await?;
        }
        // What fails waits for up to half a minute, and is done without strace.
        let all = rig.ledger.entries().len();
        until("all are done", Duration::from_secs(4), async || {
            Ok((rig.settled().await? >= all).then_some(()))
        })
        .await
        .ok();
        failed.extend(strace.detach().await?);
    }
    for call in CALLS {
        let struck = failed.iter().filter(|line| line.contains(&format!(" {call}("))).count();
        ensure!(struck > 0, "no call of {call} failed; {} others did", failed.len());
    }
    rig.until_settled(rig.ledger.entries().len(), PATIENCE).await?;
    ensure!(
        lines_with(&pods, "panicked") == 0,
        "something panicked:\n{}",
        pods.iter().map(Service::log_text).collect::<String>()
    );
    rig.probe().await?;
    rig.check(pods, 0).await
}

/// The folder of the only instance.
fn instance_of(root: &Path) -> anyhow::Result<PathBuf> {
    let folders = std::fs::read_dir(root)?.filter_map(Result::ok).map(|entry| entry.path());
    let mut folders = folders.filter(|path| path.is_dir());
    let (first, second) = (folders.next(), folders.next());
    ensure!(second.is_none(), "more than one instance below {}", root.display());
    first.with_context(|| format!("no instance below {}", root.display()))
}

/// Every path below the staging area that ingest's work on these objects makes, and those of the probes of the disk.
/// Names end in the number of the admission, see crates/staging/src/workspace.rs.
fn staged_paths(instance: &Path, objects: &[Told]) -> anyhow::Result<Vec<PathBuf>> {
    let mut paths: Vec<_> = (0..200).map(|look| instance.join(format!("probe-{look}"))).collect();
    for object in objects {
        let uri = S3Uri::new("inbox".parse()?, object.key.as_str());
        let item = ItemName::new(StageName::Ingest, &ObjectVersion { uri, version: object.etag.clone() });
        for admission in 0..80 {
            paths.push(instance.join("input").join(format!("{item}.{admission}")));
        }
    }
    Ok(paths)
}
