//! Webhooks: bodies that mean nothing, a queue that is away, events that never came, and senders that behave badly.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures::FutureExt as _;
use futures::future::try_join_all;
use queue::Queue as _;
use testkit::{Cut, Fault, Matcher, Rule};
use tokio::time::sleep;

use crate::rig::pods::{processor_time, resident, total};
use crate::rig::webhooks::{Sender, webhook_body};
use crate::scenarios::bad_senders;
use crate::{Rig, RigSettings, Scenario, Verdict};

const PATIENCE: Duration = Duration::from_secs(120);
/// The gateway's default.
pub(super) const HOLD: Duration = Duration::from_secs(25);

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "S-35",
        fault: "a sender as MinIO, in order and the same again until it is taken: a body that says nothing, then 200 \
                events",
        expected: "each is answered 200 at once; the bad one becomes a dead letter",
        settings: RigSettings::default,
        long: false,
        run: |rig| poison_first(rig).boxed_local(),
    },
    Scenario {
        id: "S-36",
        fault: "16 senders as RustFS, the same again 100 ms after a refusal, while the queue is away for 12 s",
        expected: "meanwhile less than half a core and flat memory; then every event is queued, at most 16 twice",
        settings: RigSettings::default,
        long: false,
        run: |rig| hot_loops(rig).boxed_local(),
    },
    Scenario {
        id: "S-37",
        fault: "10 of 200 events are never sent; the input is listed every 3 s",
        expected: "their objects are done within 10 s: too young at the first listing, found by the next",
        settings: RigSettings::default,
        long: false,
        run: |rig| events_lost(rig).boxed_local(),
    },
    Scenario {
        id: "S-47",
        fault: "2,000 silent connections, 50 slow heads, 20 bodies of a byte a second, bodies of 1 GiB announced and \
                endless, JSON 100,000 deep",
        expected: "closed within 10 s, 408 and 413; 95 of 100 answers of /healthz meanwhile within 100 ms",
        settings: RigSettings::default,
        long: false,
        run: |rig| bad_senders::all_at_once(rig).boxed_local(),
    },
];

async fn poison_first(rig: &mut Rig) -> anyhow::Result<Verdict> {
    const BAD: [&str; 4] = [
        r#"{"EventName":"s3:ObjectCreated:Put","Key":"inbox/chaos/a.jpg"}"#,
        r#"{"EventName":"s3:ObjectCreated:Put","Key":"inbox/chaos/a.jpg","Records":[{"s3":{}}]}"#,
        r#"{"Records":[]}"#,
        "}{",
    ];
    let told = rig.put_pictures(0, 200).await?;
    let (gateway, mut pods) = (rig.running_gateway(HOLD).await?, rig.ingests(2).await?);
    let bad = BAD[usize::try_from(rig.random().below(4))?].to_owned();
    let mut sender = Sender::to(gateway.address);
    for body in std::iter::once(bad).chain(told.iter().map(webhook_body)) {
        // MinIO's store.go would send it again after 3 s, and nothing after it before that.
        let status = sender.post(&body).await?;
        ensure!(status == 200, "answered {status}: {body}");
    }
    rig.until_settled(told.len(), PATIENCE).await?;
    rig.probe().await?;
    pods.push(gateway.service);
    let verdict = rig.check(pods, 1).await?;
    let dead = rig.dead.receive(1, Duration::ZERO, Duration::from_secs(1)).await?;
    let body = &dead.first().context("a dead letter")?.body;
    ensure!(body.contains("imageml_poison"), "the dead letter is {body}");
    Ok(verdict)
}

async fn hot_loops(rig: &mut Rig) -> anyhow::Result<Verdict> {
    const SENDERS: usize = 16;
    const OUTAGE: Duration = Duration::from_secs(12);
    let told = rig.put_pictures(0, 160).await?;
    let gateway = rig.running_gateway(Duration::from_secs(2)).await?;
    rig.sqs.set(vec![Rule::new(Matcher::any(), Fault::Refuse(Cut::Rst))]);
    let shares = told.chunks(told.len() / SENDERS);
    let senders: Vec<_> = shares
        .map(|share| tokio::spawn(until_taken(gateway.address, share.iter().map(webhook_body).collect())))
        .collect();
    // They have connected and their first events are held.
    sleep(Duration::from_secs(1)).await;
    let before = (processor_time(&gateway.service)?, resident(&gateway.service)?, Instant::now());
    sleep(OUTAGE).await;
    let took =
        (processor_time(&gateway.service)? - before.0).as_secs_f64() / before.2.elapsed().as_secs_f64();
    ensure!(took < 0.5, "the gateway took {took:.2} of a core while the queue was away");
    let memory = resident(&gateway.service)?;
    ensure!(memory <= before.1 + (16 << 20), "memory grew from {} to {memory} bytes", before.1);
    ensure!(rig.queue.depth().await?.visible == 0, "the queue was not away");

    rig.sqs.clear();
    let mut refused = 0;
    for sender in senders {
        refused += sender.await??;
    }
    ensure!(refused >= SENDERS, "only {refused} requests were refused during the outage");
    let queued = usize::try_from(rig.queue.depth().await?.visible)?;
    ensure!(
        (told.len()..=told.len() + SENDERS).contains(&queued),
        "{queued} messages for {} events",
        told.len()
    );
    let mut pods = rig.ingests(2).await?;
    rig.until_settled(told.len(), PATIENCE).await?;
    rig.probe().await?;
    pods.push(gateway.service);
    rig.check(pods, 0).await
}

/// Posts these in order, each again until it is taken; answers how many posts were refused.
async fn until_taken(address: SocketAddr, bodies: Vec<String>) -> anyhow::Result<usize> {
    let (mut sender, mut refused) = (Sender::to(address), 0);
    for body in bodies {
        while sender.post(&body).await? != 200 {
            refused += 1;
            sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(refused)
}

async fn events_lost(rig: &mut Rig) -> anyhow::Result<Verdict> {
    const EVENTS: u64 = 200;
    const LOST: usize = 10;
    let mut gateway = rig.running_gateway(HOLD).await?;
    let mut pods = (0..2)
        .map(|_| rig.ingest().env("RECONCILE_INTERVAL", "3s").start())
        .collect::<Result<Vec<_>, _>>()?;
    try_join_all(pods.iter_mut().map(testkit::Service::ready)).await?;
    let mut numbers: Vec<_> = (0..EVENTS).collect();
    rig.random().shuffle(&mut numbers);
    let unlucky: Vec<_> = numbers.into_iter().take(LOST).collect();
    let (mut sender, mut lost) = (Sender::to(gateway.address), Vec::new());
    for number in 0..EVENTS {
        let told = rig.put_pictures(number, 1).await?;
        if unlucky.contains(&number) {
            lost.extend(told);
            continue;
        }
        for one in &told {
            ensure!(sender.post(&webhook_body(one)).await? == 200, "an event was refused");
        }
    }
    rig.until_done(&lost, Duration::from_secs(10)).await.context("objects without events")?;
    let events = [("kind", "created")];
    let queued =
        total(std::slice::from_mut(&mut gateway.service), "imageml_gateway_events_total", &events).await?;
    ensure!(queued == 190.0, "{queued} events were queued, not all but {LOST} of {EVENTS}");
    rig.until_settled(200, PATIENCE).await?;
    rig.probe().await?;
    pods.push(gateway.service);
    rig.check(pods, 0).await
}
