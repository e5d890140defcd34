//! Events that come twice, late, never, or mean nothing.

use std::time::Duration;

use anyhow::ensure;
use futures::FutureExt as _;
use object_storage::BlobStore as _;
use queue::Queue as _;
use serde_json::json;

use crate::rig::puts::{message, record};
use crate::{Class, Rig, RigSettings, Scenario, Verdict};

const PATIENCE: Duration = Duration::from_secs(120);

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "S-02",
        fault: "each event is sent three times",
        expected: "each object is fetched once",
        settings: RigSettings::default,
        long: false,
        run: |rig| sent_three_times(rig).boxed_local(),
    },
    Scenario {
        id: "S-05",
        fault: "delete events before and after their creations; objects deleted before their turn",
        expected: "ignored, none crashes",
        settings: RigSettings::default,
        long: false,
        run: |rig| deletes(rig).boxed_local(),
    },
    Scenario {
        id: "S-11",
        fault: "100 test events, plain and wrapped by SNS",
        expected: "acknowledged, no complaint",
        settings: RigSettings::default,
        long: false,
        run: |rig| test_events(rig).boxed_local(),
    },
    Scenario {
        id: "S-16",
        fault: "the events of finished work once more, as after a redrive",
        expected: "nothing is fetched",
        settings: RigSettings::default,
        long: false,
        run: |rig| redriven(rig).boxed_local(),
    },
];

async fn sent_three_times(rig: &mut Rig) -> anyhow::Result<Verdict> {
    let told = rig.put_pictures(0, 150).await?;
    let mut messages: Vec<_> =
        (0..3).flat_map(|_| told.iter()).map(|one| message(std::slice::from_ref(one))).collect();
    rig.random().shuffle(&mut messages);
    rig.send(&messages).await?;
    let pods = rig.ingests(2).await?;
    rig.until_settled(told.len(), PATIENCE).await?;
    rig.probe().await?;
    let verdict = rig.check(pods, 0).await?;
    let gets = rig.s3.count(|request| request.method == "GET" && request.path.starts_with("/inbox/chaos/"));
    ensure!(gets * 100 <= (told.len() + 1) * 105, "{gets} GETs for {} objects", told.len() + 1);
    Ok(verdict)
}

async fn deletes(rig: &mut Rig) -> anyhow::Result<Verdict> {
    let told = rig.put_pictures(0, 60).await?;
    let mut messages = Vec::new();
    for (number, one) in told.iter().enumerate() {
        let created = message(std::slice::from_ref(one));
        let removed = json!({ "Records": [record(one, "ObjectRemoved:Delete")] }).to_string();
        match number % 3 {
            0 => messages.extend([removed, created]),
            1 => messages.extend([created, removed]),
            _ => messages.push(created),
        }
        if number % 3 == 1 {
            let key = one.key.strip_prefix("chaos/").unwrap_or_default();
            rig.ledger.delete(key);
            rig.blobs.delete(&rig.inbox(key)).await?;
        }
    }
    rig.send(&messages).await?;
    let pods = rig.ingests(2).await?;
    let expected = rig.ledger.count(Class::Picture) + rig.ledger.count(Class::Corrupt);
    rig.until_settled(expected, PATIENCE).await?;
    rig.probe().await?;
    rig.check(pods, 0).await
}

async fn test_events(rig: &mut Rig) -> anyhow::Result<Verdict> {
    let test = json!({ "Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "inbox" }).to_string();
    let wrapped = json!({ "Type": "Notification", "MessageId": "m", "TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": test });
    let wrapped = wrapped.to_string();
    let messages: Vec<_> =
        (0..100).map(|number| if number % 2 == 0 { test.clone() } else { wrapped.clone() }).collect();
    rig.send(&messages).await?;
    let pods = rig.ingests(1).await?;
    rig.probe().await?;
    rig.until_queue_is_empty(PATIENCE).await?;
    for pod in &pods {
        ensure!(pod.complaints().is_empty(), "complaints: {:?}", pod.complaints());
    }
    rig.check(pods, 0).await
}

async fn redriven(rig: &mut Rig) -> anyhow::Result<Verdict> {
    let told = rig.put_pictures(0, 100).await?;
    let messages: Vec<_> = told.iter().map(|one| message(std::slice::from_ref(one))).collect();
    rig.send(&messages).await?;
    let pods = rig.ingests(2).await?;
    rig.until_settled(told.len(), PATIENCE).await?;
    rig.until_queue_is_empty(PATIENCE).await?;
    let fetched = |rig: &Rig| {
        rig.s3.count(|request| request.method == "GET" && request.path.starts_with("/inbox/chaos/"))
    };
    let before = fetched(rig);
    for _ in 0..5 {
        rig.send(&messages).await?;
    }
    rig.until_queue_is_empty(PATIENCE).await?;
    ensure!(fetched(rig) == before, "settled work was fetched again");
    ensure!(rig.dead.depth().await?.visible == 0, "something went to the dead-letter queue");
    rig.probe().await?;
    rig.check(pods, 0).await
}
