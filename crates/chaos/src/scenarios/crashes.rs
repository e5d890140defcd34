//! Services that die or stand still at any moment.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures::FutureExt as _;
use rustix::process::Signal;
use testkit::{Fault, Rule, Service};
use types::StageName;

use crate::checker::stop_all;
use crate::rig::puts::Told;
use crate::rig::traffic::{fetching, started};
use crate::{Rig, RigSettings, Scenario, Verdict};

const PATIENCE: Duration = Duration::from_secs(120);

/// Each step of the protocol, docs/protocol.md.
const POINTS: [&str; 10] = [
    "received",
    "claimed",
    "download_middle",
    "staged",
    "processing",
    "upload_part",
    "upload_done",
    "publishing",
    "published",
    "acknowledging",
];

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "S-17",
        fault: "a service with work in flight is stopped (SIGSTOP) for three leases; another one takes over",
        expected: "it publishes nothing of what it lost, its files are removed, and it works on",
        settings: RigSettings::default,
        long: false,
        run: |rig| stopped(rig).boxed_local(),
    },
    Scenario {
        id: "S-18",
        fault: "300 objects, two services, 12 SIGKILLs at random times, each followed by a start",
        expected: "everything is done within two visibility times after the last",
        settings: RigSettings::default,
        long: false,
        run: |rig| killed_at_random(rig, 300, 12).boxed_local(),
    },
    Scenario {
        id: "S-18L",
        fault: "2,000 objects, two services, 100 SIGKILLs at random times, each followed by a start",
        expected: "everything is done within two visibility times after the last",
        settings: RigSettings::default,
        long: true,
        run: |rig| killed_at_random(rig, 2000, 100).boxed_local(),
    },
    Scenario {
        id: "S-19",
        fault: "SIGKILL at each of 10 points of the protocol, three times each, while a second service works",
        expected: "the service dies there each time",
        settings: RigSettings::default,
        long: false,
        run: |rig| killed_at_each_point(rig).boxed_local(),
    },
];

async fn stopped(rig: &mut Rig) -> anyhow::Result<Verdict> {
    // Pictures have 1 or 2 KB: downloads under way at any time.
    rig.s3.add(Rule::new(fetching(""), Fault::Throttle { bytes_per_second: 3000 }));
    let told = rig.put_pictures(0, 60).await?;
    rig.tell(&told).await?;
    let mut first = started(rig.ingest()).await?;
    rig.until_settled(10, PATIENCE).await?;
    let held = testkit::until("it stands still amid work", PATIENCE, async || {
        first.signal(Signal::STOP)?;
        let held = rig.staged();
        if held.is_empty() {
            first.signal(Signal::CONT)?;
        }
        Ok((!held.is_empty()).then_some(held))
    })
    .await?;
    let stood_still = tokio::time::Instant::now();
    // Its start sweeps the staging area.
    let second = started(rig.ingest()).await?;
    rig.until_settled(told.len(), PATIENCE).await?;
    tokio::time::sleep_until(stood_still + rig.settings.visibility * 3).await;
    let (taken_over, published) = (claimed_again(rig, &told).await?, rig.manifests().await?.len());
    ensure!(
        taken_over > 0 && !held.is_empty(),
        "the fault did not strike: {taken_over} objects were taken over"
    );
    ensure!(rig.staged().is_superset(&held), "the files of a living service were removed");

    first.signal(Signal::CONT)?;
    testkit::until("the lost work's files are removed", PATIENCE, async || {
        Ok(rig.staged().is_empty().then_some(()))
    })
    .await?;
    stop_all(vec![second]).await?;
    ensure!(first.is_running()?, "it ended:\n{}", first.log_text());
    ensure!(rig.manifests().await?.len() == published, "lost work was published");
    // Alone: it works on.
    rig.probe().await?;
    rig.check(vec![first], 0).await
}

/// How many of these were claimed more than once.
async fn claimed_again(rig: &Rig, objects: &[Told]) -> anyhow::Result<usize> {
    let mut again = 0;
    for object in objects {
        let key = object.key.strip_prefix("chaos/").context("a key of the dataset")?;
        let known = rig.store.processed(StageName::Ingest, &rig.inbox(key)).await?;
        again += known.iter().filter(|record| record.attempts > 1).count();
    }
    Ok(again)
}

async fn killed_at_random(rig: &mut Rig, objects: u64, kills: u64) -> anyhow::Result<Verdict> {
    let told = rig.put_pictures(0, objects).await?;
    rig.tell(&told).await?;
    let mut random = rig.random();
    let mut pods = rig.ingests(2).await?;
    for kill in 1..=kills {
        // Spread over the work, at moments that have nothing to do with its progress.
        until_uploaded(rig, objects * kill / (kills + 1)).await?;
        tokio::time::sleep(Duration::from_millis(random.below(200))).await;
        let victim = pods.get_mut(random.below(2) as usize).context("two services")?;
        ensure!(victim.is_running()?, "a service ended by itself:\n{}", victim.log_text());
        victim.kill()?;
        *victim = rig.ingest().start()?;
    }
    for pod in &mut pods {
        pod.ready().await?;
    }
    rig.until_settled(told.len(), rig.settings.visibility * 2).await.context("after the last kill")?;
    let fetches = rig.fetches("");
    ensure!(fetches > told.len(), "the fault did not strike: no kill interrupted work");
    rig.probe().await?;
    rig.check(pods, 0).await
}

/// Waits until about this much of the work is done, by what the proxy saw: that costs the services nothing.
async fn until_uploaded(rig: &Rig, objects: u64) -> anyhow::Result<()> {
    testkit::until(&format!("{objects} objects are uploaded"), PATIENCE, async || {
        Ok((rig.writes("/manifests/") as u64 >= objects).then_some(()))
    })
    .await
}

async fn killed_at_each_point(rig: &mut Rig) -> anyhow::Result<Verdict> {
    const ROUNDS: u64 = 3;
    let mut random = rig.random();
    let mut put = 0;
    // With one slot it leaves most of the work to the other one.
    let steady = started(rig.ingest().env("WORK_SLOTS", "1")).await?;
    for _ in 0..ROUNDS {
        for point in POINTS {
            let armed = format!("{point}=kill@{}", 1 + random.below(4));
            let mut victim = rig.ingest().failpoints(&armed).start()?;
            let status = killed(rig, &mut victim, &mut put).await.with_context(|| armed.clone())?;
            ensure!(status.signal() == Some(9), "{armed}: it ended with {status}:\n{}", victim.log_text());
        }
    }
    let restarted = started(rig.ingest()).await?;
    rig.until_settled(usize::try_from(put)?, PATIENCE).await?;
    rig.probe().await?;
    rig.check(vec![steady, restarted], 0).await
}

/// Puts pictures until the service has died of them.
async fn killed(rig: &mut Rig, victim: &mut Service, put: &mut u64) -> anyhow::Result<ExitStatus> {
    const AT_ONCE: u64 = 6;
    // It may be gone before it was ready: there may be work from before.
    testkit::until("it starts", PATIENCE, async || {
        Ok((victim.admin().is_some() || !victim.is_running()?).then_some(()))
    })
    .await?;
    for _ in 0..20 {
        rig.put_and_tell(*put, AT_ONCE).await?;
        *put += AT_ONCE;
        if let Ok(status) = victim.exit(Duration::from_millis(700)).await {
            return Ok(status);
        }
    }
    anyhow::bail!("it never came to that point")
}
