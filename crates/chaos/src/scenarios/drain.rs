//! Services that are asked to stop.

use std::os::unix::process::ExitStatusExt as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use futures::FutureExt as _;
use testkit::{Fault, Matcher, Rule, Service};
use tokio::sync::Semaphore;

use crate::checker::stop_all;
use crate::rig::traffic::{fetching, started, until_met};
use crate::{Pod, Rig, RigSettings, Scenario, Verdict};

const PATIENCE: Duration = Duration::from_secs(120);

/// So long that nothing comes back by itself.
fn nothing_comes_back() -> RigSettings {
    RigSettings { visibility: Duration::from_secs(300), ..RigSettings::default() }
}

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "S-20",
        fault: "SIGTERM amid work that ends within the grace period, and amid work that does not",
        expected: "exit 0; the first is finished and not done again, the second is taken over within 5 s",
        settings: nothing_comes_back,
        long: false,
        run: |rig| terminated_amid_work(rig).boxed_local(),
    },
    Scenario {
        id: "S-21",
        fault: "SIGTERM while 9 deletions wait and a long poll holds 4 messages",
        expected: "exit 0; the deletions are made, the messages visible again at once",
        settings: nothing_comes_back,
        long: false,
        run: |rig| terminated_amid_answers(rig).boxed_local(),
    },
    Scenario {
        id: "S-22",
        fault: "a second SIGTERM, and SIGKILL, while a service drains",
        expected: "the second hands back at once with exit 0; after the kill all is done within two visibility times",
        settings: RigSettings::default,
        long: false,
        run: |rig| out_of_patience(rig).boxed_local(),
    },
];

/// SIGTERM, seen.
async fn drain(pod: &Service) -> anyhow::Result<Instant> {
    pod.terminate()?;
    let told = Instant::now();
    testkit::until("it drains", PATIENCE, async || Ok(pod.has_logged("SIGTERM: draining").then_some(())))
        .await?;
    Ok(told)
}

async fn ends_well(pod: &mut Service, limit: Duration) -> anyhow::Result<()> {
    let status = pod.exit(limit).await?;
    ensure!(status.code() == Some(0), "it ended with {status}:\n{}", pod.log_text());
    Ok(())
}

/// A service in whose slots 4 new objects lie that will not be fetched for half a minute; others are fetched at once.
async fn stuck(rig: &mut Rig, pod: Pod, first: u64) -> anyhow::Result<Service> {
    let rule = rig.s3.add(Rule::new(fetching(""), Fault::Delay(Duration::from_secs(30))).times(4));
    rig.put_and_tell(first, 4).await?;
    let pod = started(pod).await?;
    until_met(&rig.s3, rule, 4, PATIENCE).await?;
    Ok(pod)
}

async fn terminated_amid_work(rig: &mut Rig) -> anyhow::Result<Verdict> {
    const OBJECTS: u64 = 12;
    let slow = rig.s3.add(Rule::new(fetching(""), Fault::Delay(Duration::from_millis(1500))));
    rig.put_and_tell(0, OBJECTS).await?;
    let mut first = started(rig.ingest()).await?;
    until_met(&rig.s3, slow, 6, PATIENCE).await?;
    let in_flight = rig.s3.count(|request| request.rule == Some(slow) && request.answered_at.is_none());
    let told = drain(&first).await?;
    ends_well(&mut first, Duration::from_secs(10)).await?;
    ensure!(in_flight > 0, "the fault did not strike: nothing was in flight");
    let (begun, settled) = (rig.fetches(""), rig.settled().await?);
    ensure!(begun == settled, "of {begun} objects begun {settled} are done");
    rig.until_depth(OBJECTS - settled as u64, 0, Duration::from_secs(1)).await?;
    let second = Duration::from_secs(1);
    let receives = rig
        .sqs
        .count(|request| request.target.as_deref() == Some("ReceiveMessage") && request.at > told + second);
    ensure!(receives == 0, "{receives} receives later than a second after SIGTERM");
    rig.s3.clear();
    let second = started(rig.ingest()).await?;
    rig.until_settled(12, PATIENCE).await?;
    ensure!(rig.fetches("") == 12, "{} fetches of 12 objects", rig.fetches(""));
    stop_all(vec![second]).await?;
    not_in_time(rig, OBJECTS).await
}

async fn not_in_time(rig: &mut Rig, objects: u64) -> anyhow::Result<Verdict> {
    let impatient = rig.ingest().env("SHUTDOWN_GRACE", "1s");
    let mut third = stuck(rig, impatient, objects).await?;
    let fourth = started(rig.ingest()).await?;
    let told = drain(&third).await?;
    rig.until_settled(usize::try_from(objects)? + 4, Duration::from_secs(6)).await?;
    let taken_over = told.elapsed();
    ends_well(&mut third, Duration::from_secs(5)).await?;
    ensure!(third.has_logged("grace period over: handing work back"), "it ended before the end of its grace");
    ensure!(
        taken_over > Duration::from_secs(1),
        "the fault did not strike: done {taken_over:?} after SIGTERM"
    );
    rig.probe().await?;
    rig.check(vec![fourth], 0).await
}

async fn terminated_amid_answers(rig: &mut Rig) -> anyhow::Result<Verdict> {
    let (deletions, polls) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let delete = Matcher::any().target("DeleteMessageBatch");
    rig.sqs.add(Rule::new(delete, Fault::HoldUntil(Arc::clone(&deletions))));
    let mut first = started(rig.ingest().env("WORK_SLOTS", "16").env("QUEUE_WAIT", "3s")).await?;
    rig.put_and_tell(0, 9).await?;
    rig.until_settled(9, PATIENCE).await?;
    // While it is told that there is nothing, messages come that its next poll finds all at once.
    let nothing = Fault::Status { code: 200, headers: Vec::new(), body: b"{}".to_vec() };
    let empty = rig.sqs.add(Rule::new(Matcher::any().target("ReceiveMessage"), nothing));
    until_met(&rig.sqs, empty, 1, PATIENCE).await?;
    rig.put_and_tell(9, 4).await?;
    let answer = Fault::HoldAnswerUntil(Arc::clone(&polls));
    rig.sqs.add(Rule::new(Matcher::any().target("ReceiveMessage"), answer));
    rig.sqs.remove(empty);
    rig.until_depth(0, 13, Duration::from_secs(5)).await?;
    drain(&first).await?;
    deletions.close();
    polls.close();
    ends_well(&mut first, Duration::from_secs(10)).await?;
    rig.until_depth(4, 0, Duration::from_secs(1)).await?;
    ensure!(rig.fetches("") == 9, "{} fetches of 9 objects", rig.fetches(""));
    rig.sqs.clear();
    let second = started(rig.ingest()).await?;
    rig.until_settled(13, Duration::from_secs(5)).await?;
    rig.probe().await?;
    rig.check(vec![second], 0).await
}

async fn out_of_patience(rig: &mut Rig) -> anyhow::Result<Verdict> {
    let patient = rig.ingest().env("SHUTDOWN_GRACE", "60s");
    let mut first = stuck(rig, patient, 0).await?;
    drain(&first).await?;
    ensure!(first.is_running()?, "it did not wait for its work");
    first.terminate()?;
    ends_well(&mut first, Duration::from_secs(5)).await?;
    rig.until_depth(4, 0, Duration::from_secs(1)).await?;

    let patient = rig.ingest().env("SHUTDOWN_GRACE", "60s").env("WORK_SLOTS", "8");
    let mut second = stuck(rig, patient, 4).await?;
    drain(&second).await?;
    ensure!(second.is_running()?, "it did not wait for its work");
    second.kill()?;
    let status = second.exit(Duration::from_secs(1)).await?;
    ensure!(status.signal() == Some(9), "it ended with {status}");
    let third = started(rig.ingest()).await?;
    rig.until_settled(8, rig.settings.visibility * 2).await?;
    rig.probe().await?;
    rig.check(vec![third], 0).await
}
