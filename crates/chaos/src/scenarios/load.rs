//! More than can be done at once, and pollers that end without a word.

use std::time::{Duration, Instant};

use anyhow::ensure;
use futures::FutureExt as _;
use queue::{Depth, Queue as _};
use testkit::{Fault, Matcher, Rule, Service, until};
use tokio::time::sleep;

use crate::checker::DECODE_MEMORY;
use crate::rig::pods::{expect_status, resident};
use crate::rig::puts::message;
use crate::{Rig, RigSettings, Scenario, Verdict};

const PATIENCE: Duration = Duration::from_secs(120);
/// I5 at every moment, in bytes.
const MEMORY: u64 = (256 << 20) + DECODE_MEMORY * 3 / 2;

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "S-43",
        fault: "3,000 messages of 300 tiny objects for 2 services of 16 slots, uploads 2 s slower for 12 s",
        expected: "a service holds at most its slots and 110 messages",
        settings: RigSettings::default,
        long: false,
        run: |rig| {
            flood(rig, Flood { objects: 300, repeats: 10, slow: Duration::from_secs(12) }).boxed_local()
        },
    },
    Scenario {
        id: "S-43-long",
        fault: "100,000 messages of 1,000 tiny objects for 2 services of 16 slots, uploads 2 s slower for 90 s",
        expected: "a service holds at most its slots and 110 messages; memory within its bound at every second",
        settings: RigSettings::default,
        long: true,
        run: |rig| {
            flood(rig, Flood { objects: 1000, repeats: 100, slow: Duration::from_secs(90) }).boxed_local()
        },
    },
    Scenario {
        id: "S-46",
        fault: "the loop that takes messages panics in one service and hangs for ever in another",
        expected: "the first ends with an error; /livez of the second fails within 75 s",
        settings: RigSettings::default,
        long: false,
        run: |rig| pollers_end(rig).boxed_local(),
    },
];

struct Flood {
    objects: u64,
    /// How often each is told of.
    repeats: usize,
    slow: Duration,
}

const SLOTS: u64 = 16;
/// Beside the slots: what may wait for its time, and a batch that was received.
const WAITING: u64 = 100 + 10;

async fn flood(rig: &mut Rig, flood: Flood) -> anyhow::Result<Verdict> {
    let told = rig.put_padded(0, flood.objects, 0).await?;
    let messages: Vec<_> = told.iter().map(|one| message(std::slice::from_ref(one))).collect();
    for _ in 0..flood.repeats {
        rig.send(&messages).await?;
    }
    let uploads = Matcher::any().method("PUT").path_contains("/bronze/");
    rig.s3.set(vec![Rule::new(uploads, Fault::Delay(Duration::from_secs(2)))]);
    let mut pods = Vec::new();
    for _ in 0..2 {
        pods.push(rig.ingest().env("WORK_SLOTS", SLOTS.to_string()).start()?);
    }
    for pod in &mut pods {
        pod.ready().await?;
    }
    let (end, mut most) = (Instant::now() + flood.slow, 0);
    while Instant::now() < end {
        most = within_bounds(rig, &pods).await?.in_flight.max(most);
        sleep(Duration::from_millis(250)).await;
    }
    ensure!(most >= 2 * SLOTS, "at most {most} messages were held: there was no flood");
    ensure!(rig.s3.count(|request| request.rule.is_some()) > 0, "no upload was slow");
    ensure!(rig.settled().await? < told.len(), "all was done while uploads were slow");
    rig.s3.clear();
    // At a thousandth of a second for each message, and two minutes.
    let limit = PATIENCE + Duration::from_millis(u64::try_from(messages.len() * flood.repeats)? * 3);
    until("every message is answered", limit, async || {
        sleep(Duration::from_millis(250)).await;
        Ok((within_bounds(rig, &pods).await? == Depth::default()).then_some(()))
    })
    .await?;
    rig.probe().await?;
    rig.check(pods, 0).await
}

/// What the queue holds, if the services hold no more of it than they may.
async fn within_bounds(rig: &Rig, pods: &[Service]) -> anyhow::Result<Depth> {
    let depth = rig.queue.depth().await?;
    let most = (SLOTS + WAITING) * pods.len() as u64;
    ensure!(depth.in_flight <= most, "{} messages are held, more than {most}", depth.in_flight);
    for pod in pods {
        let memory = resident(pod)?;
        ensure!(memory <= MEMORY, "I5: a service has {} MiB resident", memory >> 20);
    }
    Ok(depth)
}

async fn pollers_end(rig: &mut Rig) -> anyhow::Result<Verdict> {
    rig.put_and_tell(0, 100).await?;
    let mut panicking = rig.ingest().failpoints("received=panic@2").start()?;
    let mut hanging = rig.ingest().failpoints("received=stall@2:10m").start()?;
    let status = panicking.exit(PATIENCE).await?;
    ensure!(!status.success(), "a service whose poller panicked ended with {status}");
    ensure!(panicking.log_text().contains("armed by IMAGEML_FAILPOINTS"), "it ended for another reason");

    hanging.ready().await?;
    expect_status(std::slice::from_mut(&mut hanging), "/livez", 200).await?;
    until("/livez fails", Duration::from_secs(75), async || {
        Ok((hanging.get("/livez").await?.status == 503).then_some(()))
    })
    .await?;
    // As a kubelet does then. Nothing was finished meanwhile but what both had taken before.
    ensure!(rig.settled().await? < 100, "nobody had to wait for the services that ended");
    hanging.kill()?;
    let pods = rig.ingests(2).await?;
    rig.until_settled(100, PATIENCE).await?;
    rig.probe().await?;
    rig.check(pods, 0).await
}
