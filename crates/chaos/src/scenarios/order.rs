//! Events at once, in any order, and of objects that are not what they were.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures::FutureExt as _;
use object_storage::BlobStore as _;
use testkit::{Fault, Matcher, Rule, Service};
use tokio::sync::Semaphore;
use types::{RejectCode, Sha256};

use crate::checker::stop_all;
use crate::rig::pods::total;
use crate::rig::puts::{Told, message};
use crate::rig::traffic::{fetching, met, started, until_met};
use crate::{Class, Rig, RigSettings, Scenario, Verdict};

const PATIENCE: Duration = Duration::from_secs(120);

/// Of the SDK: tries of one call, crates/object-storage/src/s3/connect.rs.
const SDK_TRIES: u32 = 4;

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "S-03",
        fault: "40 objects, two messages each, taken by two services at once",
        expected: "one claim wins; each object is fetched once and uploaded once",
        settings: RigSettings::default,
        long: false,
        run: |rig| twins(rig).boxed_local(),
    },
    Scenario {
        id: "S-04",
        fault: "60 keys overwritten twice, events newest first and shuffled, half of them while services work",
        expected: "the catalogue ends at the last content of each key",
        settings: RigSettings::default,
        long: false,
        run: |rig| shuffled(rig).boxed_local(),
    },
    Scenario {
        id: "S-13",
        fault: "8 messages of 3 records, each middle one fails twice with status 500",
        expected: "the good ones are fetched once; each message is received once and deleted once",
        settings: RigSettings::default,
        long: false,
        run: |rig| middle_record_fails(rig).boxed_local(),
    },
    Scenario {
        id: "S-14",
        fault: "8 of 40 objects are gone (404), 8 are denied (403)",
        expected: "gone: ignored as superseded; denied: rejected with attempts_exhausted, attempts spaced",
        settings: RigSettings::default,
        long: false,
        run: |rig| gone_and_denied(rig).boxed_local(),
    },
    Scenario {
        id: "S-26",
        fault: "objects overwritten before their GET, during it, and between upload and publication",
        expected: "what is published as a version is that version; a late publication is refused, its upload collected",
        settings: RigSettings::default,
        long: false,
        run: |rig| overwritten(rig).boxed_local(),
    },
];

async fn twins(rig: &mut Rig) -> anyhow::Result<Verdict> {
    const ROUNDS: u64 = 40;
    rig.s3.add(Rule::new(fetching("twin-"), Fault::Delay(Duration::from_millis(150))));
    let mut pods = Vec::new();
    for _ in 0..2 {
        // With one slot a service takes one message, so that each of two idle ones gets a twin.
        pods.push(started(rig.ingest().env("WORK_SLOTS", "1")).await?);
    }
    for number in 0..ROUNDS {
        let told = rig.put_small(&format!("twin-{number}.jpg"), Class::Picture, number).await?;
        rig.tell(&[told.clone(), told.clone()]).await?;
        rig.until_done(&[told], PATIENCE).await?;
    }
    rig.until_queue_is_empty(PATIENCE).await?;
    let contested = total(&mut pods, "imageml_work_total", &[("ending", "handed_back")]).await?;
    ensure!(
        contested * 2.0 >= ROUNDS as f64,
        "the fault did not strike: {contested} of {ROUNDS} were contested"
    );
    let (fetched, uploaded) = (rig.fetches("twin-"), rig.writes("/images/"));
    ensure!((fetched, uploaded) == (40, 40), "{fetched} fetches and {uploaded} uploads of {ROUNDS} objects");
    rig.s3.clear();
    rig.probe().await?;
    rig.check(pods, 0).await
}

async fn shuffled(rig: &mut Rig) -> anyhow::Result<Verdict> {
    const KEYS: u64 = 60;
    let mut random = rig.random();
    let mut last = BTreeMap::new();
    let mut held = Vec::new();
    for version in 0..3 {
        held.extend(put_version(rig, 0..KEYS / 2, version, &mut last).await?);
    }
    held.reverse();
    rig.tell(&held).await?;
    let pods = rig.ingests(2).await?;
    held.clear();
    for version in 0..3 {
        let mut told = put_version(rig, KEYS / 2..KEYS, version, &mut last).await?;
        random.shuffle(&mut told);
        held.extend(told.split_off(10));
        rig.tell(&told).await?;
        // Some of the older contents are published in between.
        rig.until_done(&told[..5], PATIENCE).await?;
    }
    random.shuffle(&mut held);
    rig.tell(&held).await?;
    let newest: Vec<_> = last.values().cloned().collect();
    rig.until_done(&newest, PATIENCE).await?;
    rig.until_queue_is_empty(PATIENCE).await?;
    let (refused, published) = (rig.refusals(412), rig.manifests().await?.len());
    ensure!(refused >= 30, "the fault did not strike: {refused} fetches met another version");
    ensure!(published >= last.len() + 10, "the fault did not strike: {published} publications");
    for (key, told) in &last {
        let known = rig.store.original(&rig.dataset(), key).await?.context("an original")?;
        ensure!(known.source.version == told.etag, "the catalogue has an older content of {key}");
    }
    rig.probe().await?;
    rig.check(pods, 0).await
}

/// Puts a version of these keys, each content another one, and remembers it as the last one.
async fn put_version(
    rig: &mut Rig,
    numbers: std::ops::Range<u64>,
    version: u64,
    last: &mut BTreeMap<String, Told>,
) -> anyhow::Result<Vec<Told>> {
    let mut all = Vec::new();
    for number in numbers {
        let key = format!("again {number}.jpg");
        let told = rig.put_small(&key, Class::Picture, number * 10 + version).await?;
        last.insert(key, told.clone());
        all.push(told);
    }
    Ok(all)
}

async fn middle_record_fails(rig: &mut Rig) -> anyhow::Result<Verdict> {
    const MESSAGES: u64 = 8;
    let (mut messages, mut rules) = (Vec::new(), Vec::new());
    for number in 0..MESSAGES {
        let mut told = Vec::new();
        for (place, name) in ["first", "middle", "last"].into_iter().enumerate() {
            let key = format!("trio-{number}-{name}.jpg");
            told.push(rig.put_small(&key, Class::Picture, number * 3 + place as u64).await?);
        }
        let broken = Fault::s3_error(500, "InternalError");
        let rule = Rule::new(fetching(&format!("trio-{number}-middle")), broken).times(2 * SDK_TRIES);
        rules.push(rig.s3.add(rule));
        messages.push(message(&told));
    }
    rig.send(&messages).await?;
    let mut pods = rig.ingests(2).await?;
    rig.until_settled(messages.len() * 3, PATIENCE).await?;
    rig.until_queue_is_empty(PATIENCE).await?;
    for rule in rules {
        let failures = met(&rig.s3, rule);
        ensure!(failures == 2 * SDK_TRIES as usize, "the fault struck {failures} times");
    }
    let good = rig.fetches("-first") + rig.fetches("-last");
    ensure!(good == messages.len() * 2, "{good} fetches of {} good objects", messages.len() * 2);
    let received = total(&mut pods, "imageml_received_messages_total", &[]).await?;
    ensure!(received == MESSAGES as f64, "{received} receipts of {MESSAGES} messages");
    let deleted = rig.deletions();
    ensure!(deleted == messages.len(), "{deleted} deletions of {} messages", messages.len());
    rig.probe().await?;
    rig.check(pods, 0).await
}

async fn gone_and_denied(rig: &mut Rig) -> anyhow::Result<Verdict> {
    const ATTEMPTS: usize = 2;
    let mut told = Vec::new();
    for number in 0..40 {
        let (class, name) = match number % 5 {
            0 => (Class::Corrupt, "denied"),
            1 => (Class::Picture, "gone"),
            _ => (Class::Picture, "fine"),
        };
        told.push(rig.put_small(&format!("{name}-{number}.jpg"), class, number).await?);
    }
    for number in (0..40).filter(|number| number % 5 == 1) {
        let key = format!("gone-{number}.jpg");
        rig.ledger.delete(&key);
        rig.blobs.delete(&rig.inbox(&key)).await?;
    }
    let denied = rig.s3.add(Rule::new(fetching("denied-"), Fault::s3_error(403, "AccessDenied")));
    rig.tell(&told).await?;
    let mut pods = Vec::new();
    for _ in 0..2 {
        pods.push(started(rig.ingest().env("MAX_ATTEMPTS", ATTEMPTS.to_string())).await?);
    }
    rig.until_settled(32, PATIENCE).await?;
    rig.until_queue_is_empty(PATIENCE).await?;
    let gone = total(&mut pods, "imageml_ignored_total", &[("reason", "superseded")]).await?;
    ensure!(gone == 8.0, "{gone} of 8 missing objects were ignored as superseded");
    ensure!(rig.fetches("gone-") > 0 && met(&rig.s3, denied) > 0, "the fault did not strike");
    for record in rig.rejected().await? {
        ensure!(record.reason.code == RejectCode::AttemptsExhausted, "rejected: {record:?}");
        ensure!(record.attempts as usize == ATTEMPTS, "rejected: {record:?}");
    }
    for number in (0..40).filter(|number| number % 5 == 0) {
        let log = rig.s3.log();
        let asked = log.iter().filter(|request| request.path.contains(&format!("denied-{number}.jpg")));
        let asked: Vec<_> = asked.map(|request| request.at).collect();
        ensure!(asked.len() == ATTEMPTS, "a denied object was asked for {} times", asked.len());
        let pauses = asked.windows(2).map(|pair| pair[1] - pair[0]);
        ensure!(pauses.min() >= Some(Duration::from_secs(1)), "denied and asked for again at once");
    }
    rig.s3.clear();
    rig.probe().await?;
    rig.check(pods, 0).await
}

async fn overwritten(rig: &mut Rig) -> anyhow::Result<Verdict> {
    let mut pods = Vec::new();
    for _ in 0..2 {
        pods.push(started(rig.ingest().env("WORK_SLOTS", "12")).await?);
    }
    let mut versions = overwritten_before_the_get(rig).await?;
    versions.extend(overwritten_during_the_get(rig).await?);
    let late = overwritten_before_the_publication(rig).await?;
    for found in rig.manifests().await? {
        let source = &found.manifest.source;
        let entry = found.manifest.entries.first().context("an output")?;
        ensure!(source.version != late.etag, "a late publication was not refused");
        if let Some(sha256) = versions.get(&source.version) {
            ensure!(entry.sha256 == *sha256, "{source} was published with other bytes");
        }
    }
    rig.probe().await?;
    stop_all(pods).await?;
    let pod = collected(rig).await?;
    rig.check(vec![pod], 0).await
}

/// What content each ETag stands for.
type Versions = BTreeMap<String, Sha256>;

/// A picture of some length: a slow GET of it takes a while.
async fn put_version_of(
    rig: &mut Rig,
    key: &str,
    number: u64,
    versions: &mut Versions,
) -> anyhow::Result<Told> {
    let content = testkit::noise(rig.seed.wrapping_mul(31).wrapping_add(number), 64, 64);
    let sha256 = Sha256::of(&content);
    let told = rig.put(key, Class::Picture, content).await?;
    versions.insert(told.etag.clone(), sha256);
    Ok(told)
}

async fn overwritten_before_the_get(rig: &mut Rig) -> anyhow::Result<Versions> {
    const KEYS: u64 = 20;
    let (mut versions, gate) = (Versions::new(), Arc::new(Semaphore::new(0)));
    let rule = rig.s3.add(Rule::new(fetching("before-"), Fault::HoldUntil(Arc::clone(&gate))));
    let mut first = Vec::new();
    for number in 0..KEYS {
        first.push(put_version_of(rig, &format!("before-{number}.jpg"), number, &mut versions).await?);
    }
    rig.tell(&first).await?;
    until_met(&rig.s3, rule, first.len(), PATIENCE).await?;
    let mut second = Vec::new();
    for number in 0..KEYS {
        let key = format!("before-{number}.jpg");
        second.push(put_version_of(rig, &key, 100 + number, &mut versions).await?);
    }
    rig.tell(&second[..10]).await?;
    gate.close();
    rig.tell(&second[10..]).await?;
    rig.until_done(&second, PATIENCE).await?;
    let refused = rig.refusals(412);
    ensure!(refused >= first.len(), "the fault did not strike: {refused} fetches met another version");
    Ok(versions)
}

async fn overwritten_during_the_get(rig: &mut Rig) -> anyhow::Result<Versions> {
    const KEYS: u64 = 12;
    let mut versions = Versions::new();
    let slow = Fault::Throttle { bytes_per_second: 4_000 };
    let rule = rig.s3.add(Rule::new(fetching("during-"), slow).times(KEYS as u32));
    let mut first = Vec::new();
    for number in 0..KEYS {
        first.push(put_version_of(rig, &format!("during-{number}.jpg"), 200 + number, &mut versions).await?);
    }
    rig.tell(&first).await?;
    until_met(&rig.s3, rule, first.len(), PATIENCE).await?;
    // The heads of the answers have passed, and with them the promise of this version.
    testkit::until("the answers have begun", PATIENCE, async || {
        let begun = rig.s3.count(|request| request.rule == Some(rule) && request.status.is_some());
        Ok((begun >= first.len()).then_some(()))
    })
    .await?;
    let (mut second, begun) = (Vec::new(), Instant::now());
    for number in 0..KEYS {
        let key = format!("during-{number}.jpg");
        second.push(put_version_of(rig, &key, 300 + number, &mut versions).await?);
    }
    let ended = Instant::now();
    rig.until_done(&first, PATIENCE).await?;
    rig.tell(&second).await?;
    rig.until_done(&second, PATIENCE).await?;
    let log = rig.s3.log();
    let struck = log.iter().filter(|request| {
        request.rule == Some(rule) && request.at < begun && request.answered_at.is_some_and(|at| at > ended)
    });
    let struck = struck.count();
    ensure!(struck >= 6, "the fault did not strike: {struck} objects were overwritten during their GET");
    Ok(versions)
}

/// Its bytes are uploaded, its manifest is on the way: then the newer content is put, told of and published.
async fn overwritten_before_the_publication(rig: &mut Rig) -> anyhow::Result<Told> {
    let gate = Arc::new(Semaphore::new(0));
    let manifest = Matcher::any().method("PUT").path_contains("/bronze/").path_contains("/manifests/");
    let rule = rig.s3.add(Rule::new(manifest, Fault::HoldUntil(Arc::clone(&gate))).times(1));
    let older = rig.put_small("late.jpg", Class::Picture, 400).await?;
    rig.tell(std::slice::from_ref(&older)).await?;
    until_met(&rig.s3, rule, 1, PATIENCE).await?;
    let newer = rig.put_small("late.jpg", Class::Picture, 401).await?;
    rig.tell(std::slice::from_ref(&newer)).await?;
    rig.until_done(&[newer], PATIENCE).await?;
    gate.close();
    rig.until_queue_is_empty(PATIENCE).await?;
    Ok(older)
}

/// Two objects lie in bronze that nothing names: a service whose janitor has removed them.
async fn collected(rig: &mut Rig) -> anyhow::Result<Service> {
    let (there, named) = (rig.list(&rig.bronze()).await?.len(), 2 * rig.manifests().await?.len());
    ensure!(there == named + 2, "the fault did not strike: {there} objects, of which {named} are named");
    let pod = rig.ingest().env("JANITOR_INTERVAL", "1s").env("JANITOR_GRACE", "1s");
    let pod = started(pod).await?;
    testkit::until("what was refused is collected", PATIENCE, async || {
        Ok((rig.list(&rig.bronze()).await?.len() == named).then_some(()))
    })
    .await?;
    Ok(pod)
}
