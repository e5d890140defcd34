//! Servers that are away, slow down their clients, or break off in the middle of an answer.

use std::time::{Duration, Instant};

use anyhow::ensure;
use futures::FutureExt as _;
use testkit::{Cut, Fault, Matcher, Rule, Service, until};
use tokio::time::sleep;

use crate::rig::pods::{complaints_by_message, expect_status, resident, total};
use crate::{Random, Rig, RigSettings, Scenario, Verdict};

const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "S-25",
        fault: "bodies of 60,000 bytes end after 1 to 99 percent: end of file, reset, silence, and a shorter body with \
                a fitting Content-Length",
        expected: "no part of a picture is taken for the picture",
        settings: RigSettings::default,
        long: false,
        run: |rig| bodies_cut(rig).boxed_local(),
    },
    Scenario {
        id: "S-28",
        fault: "SQS resets every connection for 10 s, then is silent for 12 s",
        expected: "ready and alive all the time; each complaint at most 4 times; no hot loop; recovery in 30 s",
        settings: RigSettings::default,
        long: false,
        run: |rig| queue_away(rig).boxed_local(),
    },
    Scenario {
        id: "S-29",
        fault: "the output bucket is away for 15 s, with a staging quota of 2 MiB for pictures of 256 KiB",
        expected: "nothing is received meanwhile, memory stays flat, staging within its quota, alive and not ready",
        settings: RigSettings::default,
        long: false,
        run: |rig| output_away(rig).boxed_local(),
    },
    Scenario {
        id: "S-33",
        fault: "S3 answers 30 percent of requests 503 SlowDown, SQS 30 percent RequestThrottled",
        expected: "at most 2 calls for each one that is needed; pauses between tries differ",
        settings: RigSettings::default,
        long: false,
        run: |rig| throttled(rig).boxed_local(),
    },
];

/// Requests for input objects.
fn downloads() -> Matcher {
    Matcher::any().method("GET").path_contains("/inbox/chaos/")
}

async fn bodies_cut(rig: &mut Rig) -> anyhow::Result<Verdict> {
    const BYTES: u16 = 60_000;
    let told = rig.put_padded(0, 150, BYTES.into()).await?;
    let mut random = rig.random();
    let percent = |random: &mut Random| u64::from(BYTES) * (1 + random.below(99)) / 100;
    let kinds =
        [("end of file", 25, 0.012), ("reset", 25, 0.012), ("silence", 3, 0.05), ("shorter", 15, 0.012)];
    let mut rules = Vec::new();
    for (kind, times, share) in kinds {
        let ids: Vec<_> = (0..times)
            .map(|_| {
                let bytes = percent(&mut random);
                let shorter = move |mut body: Vec<u8>| {
                    body.truncate(usize::try_from(bytes).unwrap_or(usize::MAX));
                    body
                };
                let fault = match kind {
                    "end of file" => Fault::CutResponseAfter { bytes, how: Cut::Fin },
                    "reset" => Fault::CutResponseAfter { bytes, how: Cut::Rst },
                    "silence" => Fault::StallResponseAfter(bytes),
                    _ => Fault::RewriteBody(std::sync::Arc::new(shorter)),
                };
                rig.s3.add(Rule::new(downloads(), fault).share(share).times(1))
            })
            .collect();
        rules.push((kind, ids));
    }
    rig.tell(&told).await?;
    let pods = rig.ingests(2).await?;
    rig.until_settled(told.len(), PATIENCE).await?;
    rig.s3.clear();
    for (kind, ids) in rules {
        let struck = rig.s3.count(|request| request.rule.is_some_and(|rule| ids.contains(&rule)));
        ensure!(struck > 0, "no download met the fault \"{kind}\"");
    }
    rig.probe().await?;
    rig.check(pods, 0).await
}

async fn queue_away(rig: &mut Rig) -> anyhow::Result<Verdict> {
    rig.put_and_tell(0, 200).await?;
    let mut pods = rig.ingests(2).await?;
    rig.until_settled(20, PATIENCE).await?;
    for (fault, time) in [(Fault::Refuse(Cut::Rst), 10), (Fault::Blackhole, 12)] {
        let (what, before) = (format!("{fault:?}"), rig.sqs.log().len());
        rig.sqs.set(vec![Rule::new(Matcher::any(), fault)]);
        sleep(Duration::from_secs(time)).await;
        expect_status(&mut pods, "/livez", 200).await?;
        // Documented: whether the queue answers is no reason to be unready, since work need not come from there.
        expect_status(&mut pods, "/readyz", 200).await?;
        let met = rig.sqs.log().iter().skip(before).filter(|request| request.rule.is_some()).count();
        ensure!((2..=150).contains(&met), "{met} requests met the fault {what} within {time} s");
    }
    for pod in &pods {
        for (message, times) in complaints_by_message(pod) {
            // Once for each message that was in flight: slots, and a batch before them.
            let most = if message.contains("was not deleted") { 14 } else { 4 };
            ensure!(times <= most, "complained {times} times in 22 s: {message}");
        }
    }
    rig.sqs.clear();
    rig.probe().await?;
    rig.until_settled(201, PATIENCE).await?;
    rig.check(pods, 0).await
}

async fn output_away(rig: &mut Rig) -> anyhow::Result<Verdict> {
    const QUOTA: u64 = 2 << 20;
    let told = rig.put_padded(0, 120, 256 << 10).await?;
    rig.tell(&told).await?;
    let mut pods = Vec::new();
    for _ in 0..2 {
        let pod = rig.ingest().env("NVME_QUOTA", "2MiB").env("WORK_SLOTS", "12");
        pods.push(pod.start()?);
    }
    for pod in &mut pods {
        pod.ready().await?;
    }
    rig.until_settled(10, PATIENCE).await?;
    rig.s3.set(vec![Rule::new(Matcher::any().path_contains("/bronze"), Fault::Refuse(Cut::Rst))]);
    // What was nearly done ends, and what is in the slots meets the outage.
    until("both services have met the outage", PATIENCE, async || {
        for pod in &mut pods {
            if pod.get("/readyz").await?.status != 503 {
                return Ok(None);
            }
        }
        Ok(Some(()))
    })
    .await?;
    let before = (at_rest(&mut pods).await?, memory_of(&pods)?);
    let end = Instant::now() + Duration::from_secs(11);
    while Instant::now() < end {
        let staged = bytes_below(&rig.nvme());
        ensure!(staged <= 2 * QUOTA, "{staged} bytes are staged");
        sleep(Duration::from_millis(250)).await;
    }
    expect_status(&mut pods, "/livez", 200).await?;
    expect_status(&mut pods, "/readyz", 503).await?;
    let after = (received(&mut pods).await?, memory_of(&pods)?);
    ensure!(after.0 == before.0, "{} messages were received at first, {} after 11 s", before.0, after.0);
    ensure!(after.1 <= before.1 + (32 << 20), "memory grew from {} to {} bytes", before.1, after.1);
    let met = rig.s3.count(|request| request.rule.is_some());
    ensure!(met >= 8, "only {met} requests met the outage");
    ensure!(rig.settled().await? < told.len(), "all was done before the outage");
    rig.s3.clear();
    rig.probe().await?;
    rig.until_settled(told.len() + 1, PATIENCE).await?;
    rig.check(pods, 0).await
}

/// How many messages were received, once that stands still for three times as long as a poll is open.
async fn at_rest(pods: &mut [Service]) -> anyhow::Result<f64> {
    let mut last = (received(pods).await?, Instant::now());
    until("the polls that were open have ended", PATIENCE, async || {
        let now = received(pods).await?;
        if now != last.0 {
            last = (now, Instant::now());
        }
        Ok((last.1.elapsed() >= Duration::from_secs(3)).then_some(now))
    })
    .await
}

async fn received(pods: &mut [Service]) -> anyhow::Result<f64> {
    total(pods, "imageml_received_messages_total", &[]).await
}

fn memory_of(pods: &[Service]) -> anyhow::Result<u64> {
    pods.iter().map(resident).sum()
}

/// What the files at and below a folder hold.
fn bytes_below(folder: &std::path::Path) -> u64 {
    let files = walkdir::WalkDir::new(folder).into_iter().filter_map(Result::ok);
    // Files that vanish meanwhile hold nothing.
    let sizes = files.filter_map(|file| file.metadata().ok()).filter(|known| known.is_file());
    sizes.map(|known| known.len()).sum()
}

async fn throttled(rig: &mut Rig) -> anyhow::Result<Verdict> {
    let pods = rig.ingests(2).await?;
    let begun = (rig.s3.log().len(), rig.sqs.log().len());
    rig.s3.set(vec![Rule::new(Matcher::any(), Fault::s3_error(503, "SlowDown")).share(0.3)]);
    rig.sqs.set(vec![Rule::new(Matcher::any(), Fault::sqs_error(400, "RequestThrottled")).share(0.3)]);
    let told = rig.put_padded(0, 60, 4 << 10).await?;
    rig.tell(&told).await?;
    rig.until_settled(told.len(), PATIENCE).await?;
    rig.until_queue_is_empty(PATIENCE).await?;
    rig.s3.clear();
    rig.sqs.clear();

    let s3: Vec<_> = rig.s3.log().into_iter().skip(begun.0).collect();
    let calls = |method: &str, place: &str| {
        s3.iter().filter(|request| request.method == method && request.path.contains(place)).count()
    };
    let (gets, puts) = (calls("GET", "/inbox/chaos/"), calls("PUT", "/bronze/"));
    ensure!(gets <= 2 * told.len(), "{gets} downloads of {} objects", told.len());
    // The picture and its manifest.
    ensure!(puts <= 2 * 2 * told.len(), "{puts} uploads of {} objects", told.len());
    let refused = s3.iter().filter(|request| request.rule.is_some()).count();
    ensure!(refused >= told.len() / 2, "only {refused} requests to S3 were throttled");
    let sqs = rig.sqs.log();
    let answers: Vec<_> = sqs.iter().skip(begun.1).filter(|request| !is(request, "ReceiveMessage")).collect();
    ensure!(answers.len() <= 2 * told.len(), "{} calls for {} messages", answers.len(), told.len());
    ensure!(answers.iter().any(|request| request.rule.is_some()), "no answer to a message was throttled");

    let pauses = pauses_after_refusals(&s3);
    let (shortest, longest) =
        (pauses.iter().min().copied().unwrap_or_default(), pauses.iter().max().copied());
    ensure!(
        pauses.len() >= 20 && longest.unwrap_or_default() >= 2 * shortest,
        "pauses do not differ: {pauses:?}"
    );
    rig.probe().await?;
    rig.check(pods, 0).await
}

fn is(request: &testkit::LoggedRequest, action: &str) -> bool {
    request.target.as_deref() == Some(action)
}

/// How long after a first refusal the same object was asked for again.
fn pauses_after_refusals(log: &[testkit::LoggedRequest]) -> Vec<Duration> {
    let mut pauses = Vec::new();
    for (place, refused) in log.iter().enumerate() {
        let same = |other: &&testkit::LoggedRequest| {
            (&other.method, &other.path) == (&refused.method, &refused.path)
        };
        let is_first = !log.iter().take(place).any(|earlier| same(&earlier));
        if refused.rule.is_some()
            && is_first
            && let Some(next) = log.iter().skip(place + 1).find(same)
        {
            pauses.push(next.at.duration_since(refused.at));
        }
    }
    pauses
}
