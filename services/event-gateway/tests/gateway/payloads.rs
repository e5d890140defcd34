//! What senders send, and what the queue gets.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use testkit::until;

use crate::client::{Connection, ask, authorization, expect, get, post, request};
use crate::rig::{Rig, event, events, record};

const RUSTFS: &str = include_str!("../../../../crates/s3-events/tests/fixtures/rustfs-1.0.1-put.json");
const OLD_RUSTFS: &str =
    include_str!("../../../../crates/s3-events/tests/fixtures/rustfs-before-1138-put.json");
const MINIO: &str = include_str!("../../../../crates/s3-events/tests/fixtures/minio-2.0-put.json");
const CEPH: &str = include_str!("../../../../crates/s3-events/tests/fixtures/ceph-2.1-put.json");

#[tokio::test]
async fn every_sender_is_queued_in_one_form_without_its_request() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    for (body, bucket, key, bytes) in [
        (RUSTFS, "landing", "raw/a b+é.jpg", 1000),
        (OLD_RUSTFS, "mybucket", "folder/sub folder/file.ext", 1000),
        (MINIO, "mybucket", "5cdfb588cea4de1db3034a87/my colors+1.xml", 2042),
        (CEPH, "mybucket1", "photos/my+image 100%.jpg", 1024),
    ] {
        expect(200, &post(rig.address, body).await?)?;
        let queued = rig.queue.bodies().await?;
        let [message] = queued.as_slice() else { anyhow::bail!("{queued:?}") };
        let events = events(message)?;
        let [event] = events.as_slice() else { anyhow::bail!("{events:?}") };
        assert_eq!((event.bucket.as_str(), event.key.as_str(), event.bytes), (bucket, key, Some(bytes)));
        for private in ["requestParameters", "responseElements", "userIdentity", "redacted", "principalId"] {
            ensure!(!message.contains(private), "{private} in {message}");
        }
    }
    let scrape = rig.scrape().await?;
    assert_eq!(scrape.value("imageml_gateway_requests_total", &[("outcome", "accepted")]), 4.0);
    assert_eq!(scrape.value("imageml_gateway_events_total", &[("kind", "created")]), 4.0);
    assert_eq!(scrape.value("imageml_gateway_send_seconds_count", &[]), 4.0);
    Ok(())
}

#[tokio::test]
async fn recorded_deliveries_of_rustfs_are_queued() -> anyhow::Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/events/rustfs-1.0.1-webhook.jsonl");
    let Ok(lines) = std::fs::read_to_string(path) else {
        eprintln!("SKIPPED recorded_deliveries_of_rustfs_are_queued: no {path}");
        return Ok(());
    };
    let rig = Rig::start().await?;
    for line in lines.lines() {
        let delivery: Value = serde_json::from_str(line)?;
        expect(200, &post(rig.address, delivery["body"].to_string()).await?)?;
    }
    let keys = rig.queue.keys().await?;
    assert_eq!(keys, [("raw/a b+é.jpg".to_owned(), 1), ("raw/big.bin".to_owned(), 2)].into());
    let scrape = rig.scrape().await?;
    for (kind, count) in [("created", 2.0), ("removed", 1.0), ("other", 0.0)] {
        assert_eq!(scrape.value("imageml_gateway_events_total", &[("kind", kind)]), count, "{kind}");
    }
    Ok(())
}

#[tokio::test]
async fn any_path_below_the_webhook_is_taken_and_no_other() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    let send = async |path: &str| {
        let body = event(path);
        ask(rig.address, &request(&format!("POST {path}"), &[&authorization()], body.as_bytes())).await
    };
    for path in ["/webhook", "/webhook/", "/webhook/minio", "/webhook/a/b", "/webhook?x=y"] {
        expect(200, &send(path).await?)?;
    }
    assert_eq!(rig.queue.keys().await?.len(), 5);
    for path in ["/webhooks", "/metrics", "/readyz", "/livez", "/webhook%2f"] {
        expect(404, &send(path).await?)?;
    }
    expect(405, &ask(rig.address, &request("DELETE /webhook", &[&authorization()], b"")).await?)?;
    assert_eq!(rig.outcomes("not_found").await?, 6);
    Ok(())
}

/// RustFS sends HEAD to the origin, MinIO to the address that it was given.
#[tokio::test]
async fn probes_are_answered_whatever_the_queue_does() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    rig.queue_is_away(true);
    for path in ["/", "/healthz", "/webhook"] {
        expect(200, &get(rig.address, path).await?)?;
        let mut connection = Connection::open(rig.address).await?;
        connection.write(&request(&format!("HEAD {path}"), &[], b"")).await;
        expect(200, &connection.answer_to_head().await?)?;
    }
    Ok(())
}

#[tokio::test]
async fn test_events_are_taken_and_not_sent() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    let body = json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "landing"}).to_string();
    expect(200, &post(rig.address, body).await?)?;
    assert_eq!(rig.queue.bodies().await?, Vec::<String>::new());
    assert_eq!(rig.outcomes("test").await?, 1);
    Ok(())
}

#[tokio::test]
async fn large_notifications_become_messages_that_queues_take() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    let keys: Vec<String> = (0..1_500).map(|n| format!("{n}-{}", "k".repeat(200))).collect();
    let records: Vec<Value> = keys.iter().map(|key| record(key)).collect();
    let body = json!({ "Records": records }).to_string();
    ensure!((800_000..1 << 20).contains(&body.len()), "{}", body.len());
    expect(200, &post(rig.address, body).await?)?;
    let queued = rig.queue.bodies().await?;
    let mut sent = Vec::new();
    for message in &queued {
        ensure!(message.len() <= 256_000, "{}", message.len());
        sent.extend(events(message)?.into_iter().map(|event| event.key));
    }
    assert_eq!((sent, queued.len() > 1), (keys, true));
    Ok(())
}

/// S-35: MinIO sends in order and repeats for ever what is not taken.
#[tokio::test]
async fn a_bad_event_does_not_hold_up_those_behind_it() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    let mut bad = record("bad");
    bad["s3"]["object"]["key"] = Value::Null;
    let bad = json!({"EventName": "s3:ObjectCreated:Put", "Records": [bad]}).to_string();
    let mut minio = Connection::open(rig.address).await?;
    for body in std::iter::once(bad).chain((0..1_000).map(|n| event(&n.to_string()))) {
        minio.write(&request("POST /webhook", &[&authorization()], body.as_bytes())).await;
        expect(200, &minio.answer().await?)?;
    }
    let queued = rig.queue.bodies().await?;
    let (poison, good): (Vec<_>, Vec<_>) = queued.iter().partition(|body| events(body).is_err());
    assert_eq!((poison.len(), good.len()), (1, 1_000));
    let poison: Value = serde_json::from_str(poison.first().context("one")?)?;
    assert_eq!(poison["imageml_poison"]["truncated"], false);
    ensure!(
        poison["imageml_poison"]["reason"].as_str().is_some_and(|reason| reason.contains("record 0")),
        "{poison}"
    );
    assert_eq!((rig.outcomes("poison").await?, rig.outcomes("accepted").await?), (1, 1_000));
    Ok(())
}

#[tokio::test]
async fn any_body_of_a_known_sender_is_taken() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    let deep = "[".repeat(100_000);
    let wide = vec![0xff; 1 << 20];
    for body in [&b""[..], b"null", b"{\"Records\":7}", b"\xff\0", deep.as_bytes(), &wide] {
        let answer = post(rig.address, body).await?;
        expect(200, &answer)?;
        assert_eq!(answer.body, "poison\n");
    }
    for message in rig.queue.bodies().await? {
        ensure!(events(&message).is_err() && message.len() < 200_000, "{} bytes", message.len());
    }
    assert_eq!(rig.outcomes("poison").await?, 6);
    Ok(())
}

#[tokio::test]
async fn the_gateway_is_ready_once_the_queue_has_answered() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    until("it is ready", Duration::from_secs(10), async || {
        Ok((get(rig.admin, "/readyz").await?.status == 200).then_some(()))
    })
    .await?;
    for path in ["/livez", "/healthz"] {
        expect(200, &get(rig.admin, path).await?)?;
    }
    assert_eq!(rig.scrape().await?.value("imageml_ready", &[]), 1.0);
    Ok(())
}

#[tokio::test]
async fn every_series_is_there_from_the_start() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    let scrape = rig.scrape().await?;
    let series = |name: &str| scrape.families.get(name).map_or(0, |family| family.samples.len());
    assert_eq!((series("imageml_gateway_requests_total"), series("imageml_gateway_events_total")), (11, 3));
    for name in ["imageml_gateway_in_flight", "imageml_gateway_connections", "imageml_ready"] {
        assert_eq!(series(name), 1, "{name}");
    }
    assert_eq!(scrape.value("imageml_gateway_send_seconds_count", &[]), 0.0);
    Ok(())
}
