//! Messages that are held for long, and receipts that are not good any more.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::ensure;
use futures::FutureExt as _;
use manifest_store::ProcessedRecord;
use serde_json::{Value, json};
use testkit::{Fault, LoggedRequest, Matcher, Rule, RuleId};
use types::StageName;

use crate::rig::pods::total;
use crate::rig::puts::message;
use crate::rig::traffic::{fetching, met, receipts, started};
use crate::{Class, Rig, RigSettings, Scenario, Verdict};

const PATIENCE: Duration = Duration::from_secs(120);

const HIDE: &str = "ChangeMessageVisibilityBatch";
const DELETE: &str = "DeleteMessageBatch";

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "S-06",
        fault: "15 % of the calls that keep 80 messages hidden or delete them answer ReceiptHandleIsInvalid",
        expected: "services live on; a lost receipt is named at most once more",
        settings: RigSettings::default,
        long: false,
        run: |rig| receipts_refused(rig).boxed_local(),
    },
    Scenario {
        id: "S-07",
        fault: "one object takes 20 s to fetch, five times the visibility time and the lease",
        expected: "fetched once, its message received once and kept hidden 12 times or more",
        settings: RigSettings::default,
        long: false,
        run: |rig| long_job(rig).boxed_local(),
    },
    Scenario {
        id: "S-08",
        fault: "one slot, 1.5 s of work per object: 6 messages of one record and one of 6, visibility time 4 s",
        expected: "each message is received once, each object fetched once",
        settings: RigSettings::default,
        long: false,
        run: |rig| waiting_messages(rig).boxed_local(),
    },
];

async fn receipts_refused(rig: &mut Rig) -> anyhow::Result<Verdict> {
    let rules = refusals(rig);
    // Long enough that messages are kept hidden.
    rig.s3.add(Rule::new(fetching(""), Fault::Delay(Duration::from_millis(2500))));
    rig.put_and_tell(0, 80).await?;
    let mut pods = Vec::new();
    for _ in 0..2 {
        pods.push(started(rig.ingest().env("WORK_SLOTS", "8")).await?);
    }
    rig.until_settled(80, PATIENCE).await?;
    rig.until_queue_is_empty(PATIENCE).await?;
    let struck = rules.map(|rule| met(&rig.sqs, rule));
    ensure!(struck[0] + struck[1] > 0 && struck[2] + struck[3] > 0, "the fault did not strike: {struck:?}");
    let log = rig.sqs.log();
    ensure!(named_after_loss(&log, &rules) <= 1, "a lost receipt was kept hidden again and again");
    rig.sqs.clear();
    rig.s3.clear();
    for pod in &mut pods {
        ensure!(pod.is_running()?, "a service ended:\n{}", pod.log_text());
    }
    rig.probe().await?;
    rig.check(pods, 0).await
}

/// The queue refuses a whole call, and does nothing; or it refuses each entry, having done it. For both kinds of call.
fn refusals(rig: &Rig) -> [RuleId; 4] {
    let refused = Fault::sqs_error(400, "ReceiptHandleIsInvalid");
    let each = Fault::RewriteBody(Arc::new(each_refused));
    [(HIDE, refused.clone()), (HIDE, each.clone()), (DELETE, refused), (DELETE, each)]
        .map(|(call, fault)| rig.sqs.add(Rule::new(Matcher::any().target(call), fault).share(0.15)))
}

/// docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_BatchResultErrorEntry.html
fn each_refused(answer: Vec<u8>) -> Vec<u8> {
    let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
    let done = answer.get("Successful").and_then(Value::as_array).into_iter().flatten();
    let failed = done.map(|entry| {
        json!({
            "Id": entry.get("Id"),
            "SenderFault": true,
            "Code": "ReceiptHandleIsInvalid",
            "Message": "The input receipt handle is invalid.",
        })
    });
    json!({ "Failed": failed.collect::<Vec<_>>() }).to_string().into_bytes()
}

/// How often at most a receipt was to be hidden after the service was told that it is not good.
fn named_after_loss(log: &[LoggedRequest], rules: &[RuleId; 4]) -> usize {
    let mut lost: BTreeMap<String, usize> = BTreeMap::new();
    for request in log.iter().filter(|request| request.target.as_deref() == Some(HIDE)) {
        let named = receipts(request);
        for receipt in &named {
            if let Some(times) = lost.get_mut(receipt) {
                *times += 1;
            }
        }
        // A refused batch is tried in halves: only one of one entry says which receipt it was about.
        let told = request.rule == Some(rules[1]) || (request.rule == Some(rules[0]) && named.len() == 1);
        if told {
            lost.extend(named.into_iter().map(|receipt| (receipt, 0)));
        }
    }
    lost.into_values().max().unwrap_or(0)
}

async fn long_job(rig: &mut Rig) -> anyhow::Result<Verdict> {
    let content = testkit::noise(rig.seed, 120, 100);
    let speed = content.len() as u64 / 20;
    rig.s3.add(Rule::new(fetching("long.jpg"), Fault::Throttle { bytes_per_second: speed }));
    let long = rig.put("long.jpg", Class::Picture, content).await?;
    rig.tell(std::slice::from_ref(&long)).await?;
    rig.put_and_tell(0, 30).await?;
    let mut pods = rig.ingests(2).await?;
    let begun = Instant::now();
    rig.until_done(&[long], PATIENCE).await?;
    let took = begun.elapsed();
    rig.until_queue_is_empty(PATIENCE).await?;
    let limit = rig.settings.visibility * 4;
    ensure!(took > limit, "the fault did not strike: it took only {took:?}");
    ensure!(rig.fetches("long.jpg") == 1, "it was fetched {} times", rig.fetches("long.jpg"));
    let kept = most_named(&rig.sqs.log());
    ensure!(kept >= 12, "it was kept hidden {kept} times in {took:?}");
    let received = total(&mut pods, "imageml_received_messages_total", &[]).await?;
    ensure!(received == 31.0, "{received} receipts of 31 messages");
    let known = rig.store.processed(StageName::Ingest, &rig.inbox("long.jpg")).await?;
    ensure!(matches!(known.as_slice(), [ProcessedRecord { attempts: 1, .. }]), "not at once: {known:?}");
    rig.s3.clear();
    rig.probe().await?;
    rig.check(pods, 0).await
}

/// How often the receipt was named that was kept hidden the most.
fn most_named(log: &[LoggedRequest]) -> usize {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for request in log.iter().filter(|request| request.target.as_deref() == Some(HIDE)) {
        for receipt in receipts(request) {
            *times.entry(receipt).or_default() += 1;
        }
    }
    times.into_values().max().unwrap_or(0)
}

async fn waiting_messages(rig: &mut Rig) -> anyhow::Result<Verdict> {
    rig.s3.add(Rule::new(fetching("turn-"), Fault::Delay(Duration::from_millis(1500))));
    let mut told = Vec::new();
    for number in 0..12 {
        told.push(rig.put_small(&format!("turn-{number:02}.jpg"), Class::Picture, number).await?);
    }
    let (alone, together) = told.split_at(6);
    rig.tell(alone).await?;
    rig.send(&[message(together)]).await?;
    let mut pods = vec![started(rig.ingest().env("WORK_SLOTS", "1")).await?];
    rig.until_settled(told.len(), PATIENCE).await?;
    rig.until_queue_is_empty(PATIENCE).await?;
    let held = time_of_fetches(&rig.s3.log());
    ensure!(
        held > rig.settings.visibility * 2,
        "the fault did not strike: the long message was held for {held:?}"
    );
    let received = total(&mut pods, "imageml_received_messages_total", &[]).await?;
    ensure!(received == 7.0, "{received} receipts of 7 messages");
    ensure!(rig.fetches("turn-") == told.len(), "{} fetches of {} objects", rig.fetches("turn-"), told.len());
    rig.s3.clear();
    rig.probe().await?;
    rig.check(pods, 0).await
}

/// From the first fetch of the message of 6 records to its last one.
fn time_of_fetches(log: &[LoggedRequest]) -> Duration {
    let is_its = |request: &&LoggedRequest| (6..12).any(|n| request.path.contains(&format!("turn-{n:02}")));
    let at: Vec<_> = log.iter().filter(is_its).map(|request| request.at).collect();
    at.first().zip(at.last()).map_or(Duration::ZERO, |(first, last)| *last - *first)
}
