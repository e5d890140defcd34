//! The queue is away, and senders do what they do then.

use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::ensure;
use event_gateway::Limits;
use serde_json::Value;
use testkit::until;
use tokio::task::JoinSet;

use crate::client::{Connection, authorization, expect, get, post, request};
use crate::rig::{Rig, event, events};

const IN_FLIGHT: &str = "imageml_gateway_in_flight";

#[tokio::test]
async fn held_requests_succeed_when_the_queue_comes_back() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    rig.queue_is_away(true);
    let held: Vec<_> = (0..5).map(|n| tokio::spawn(post(rig.address, event(&n.to_string())))).collect();
    rig.gauge_is(IN_FLIGHT, 5.0).await?;
    rig.queue_is_away(false);
    for held in held {
        expect(200, &held.await??)?;
    }
    let keys = rig.queue.keys().await?;
    ensure!(keys.len() == 5 && keys.values().all(|&times| times == 1), "{keys:?}");
    rig.gauge_is(IN_FLIGHT, 0.0).await
}

#[tokio::test]
async fn a_request_is_not_held_longer_than_agreed() -> anyhow::Result<()> {
    let rig = Rig::with(Limits::default(), Duration::from_millis(300)).await?;
    rig.queue_is_away(true);
    let answer = post(rig.address, event("a")).await?;
    expect(503, &answer)?;
    ensure!(answer.head.to_lowercase().contains("retry-after: 5"), "{answer:?}");
    rig.queue_is_away(false);
    let repeat = post(rig.address, event("a")).await?;
    assert_eq!((repeat.status, repeat.body.as_str()), (200, "accepted\n"));
    assert_eq!(rig.outcomes("unavailable").await?, 1);
    Ok(())
}

#[tokio::test]
async fn repeats_are_taken_and_not_sent_again() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    for expected in ["accepted\n", "duplicate\n", "duplicate\n"] {
        let answer = post(rig.address, event("a")).await?;
        assert_eq!((answer.status, answer.body.as_str()), (200, expected));
    }
    // Other content of the same key.
    expect(200, &post(rig.address, event("a").replace("468f6c1cff2cdf90", "another")).await?)?;
    assert_eq!(rig.queue.keys().await?, [("a".to_owned(), 2)].into());
    assert_eq!(rig.scrape().await?.value("imageml_gateway_events_total", &[("kind", "created")]), 2.0);
    Ok(())
}

#[tokio::test]
async fn a_repeat_waits_for_the_one_that_is_being_sent() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    rig.queue_is_away(true);
    let twice = [(); 2].map(|()| tokio::spawn(post(rig.address, event("a"))));
    rig.gauge_is("imageml_gateway_connections", 2.0).await?;
    rig.gauge_is(IN_FLIGHT, 1.0).await?;
    rig.queue_is_away(false);
    let mut answers = Vec::new();
    for request in twice {
        let answer = request.await??;
        expect(200, &answer)?;
        answers.push(answer.body);
    }
    answers.sort();
    assert_eq!(answers, ["accepted\n", "duplicate\n"]);
    assert_eq!(rig.queue.keys().await?, [("a".to_owned(), 1)].into());
    Ok(())
}

#[tokio::test]
async fn a_sender_that_gives_up_finds_its_event_sent() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    rig.queue_is_away(true);
    let mut sender = Connection::open(rig.address).await?;
    sender.write(&request("POST /webhook", &[&authorization()], event("a").as_bytes())).await;
    rig.gauge_is(IN_FLIGHT, 1.0).await?;
    drop(sender);
    rig.gauge_is("imageml_gateway_connections", 0.0).await?;
    assert_eq!(rig.outcomes("aborted").await?, 1);
    rig.queue_is_away(false);
    assert_eq!(post(rig.address, event("a")).await?.body, "duplicate\n");
    assert_eq!(rig.queue.keys().await?, [("a".to_owned(), 1)].into());
    Ok(())
}

/// S-36: RustFS repeats without a pause, and here it does not even wait for answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hot_looping_senders_end_with_every_event_once() -> anyhow::Result<()> {
    const SENDERS: usize = 16;
    const EVENTS: usize = 4;
    let rig = Rig::start().await?;
    rig.queue_is_away(true);
    let address = rig.address;
    let mut senders = JoinSet::new();
    for sender in 0..SENDERS {
        senders.spawn(async move {
            for n in 0..EVENTS {
                let body = event(&format!("{sender}-{n}"));
                loop {
                    let answer = tokio::time::timeout(Duration::from_millis(100), post(address, &body)).await;
                    if matches!(&answer, Ok(Ok(answer)) if answer.status == 200) {
                        break;
                    }
                }
            }
        });
    }
    until("they have repeated a lot", Duration::from_secs(20), async || {
        Ok((rig.outcomes("aborted").await? > 200).then_some(()))
    })
    .await?;
    let under_way = rig.scrape().await?.value(IN_FLIGHT, &[]);
    ensure!(under_way == 16.0, "one for each event that was sent, however often: {under_way}");
    rig.queue_is_away(false);
    tokio::time::timeout(Duration::from_secs(20), senders.join_all()).await?;
    let keys = rig.queue.keys().await?;
    ensure!(keys.len() == SENDERS * EVENTS && keys.values().all(|&times| times == 1), "{keys:?}");
    Ok(())
}

#[tokio::test]
async fn what_the_queue_refuses_becomes_poison() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    rig.queue.refuses.store(true, Ordering::SeqCst);
    let answer = post(rig.address, event("a")).await?;
    assert_eq!((answer.status, answer.body.as_str()), (200, "poison\n"));
    let queued = rig.queue.bodies().await?;
    let [message] = queued.as_slice() else { anyhow::bail!("{queued:?}") };
    ensure!(events(message).is_err(), "{message}");
    let poison: Value = serde_json::from_str(message)?;
    assert_eq!(poison["imageml_poison"]["reason"], "the queue refused the message");
    assert_eq!(rig.scrape().await?.value("imageml_gateway_events_total", &[]), 0.0);
    Ok(())
}

#[tokio::test]
async fn requests_under_way_finish_before_the_end() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    rig.queue_is_away(true);
    let held = tokio::spawn(post(rig.address, event("a")));
    rig.gauge_is(IN_FLIGHT, 1.0).await?;
    rig.stop.intake.cancel();
    until("connections are refused", Duration::from_secs(10), async || {
        Ok(get(rig.address, "/healthz").await.err())
    })
    .await?;
    expect(503, &get(rig.admin, "/readyz").await?)?;
    expect(200, &get(rig.admin, "/livez").await?)?;
    rig.queue_is_away(false);
    expect(200, &held.await??)?;
    let queue = std::sync::Arc::clone(&rig.queue);
    rig.ended().await?;
    assert_eq!(queue.keys().await?, [("a".to_owned(), 1)].into());
    Ok(())
}

#[tokio::test]
async fn what_is_held_at_the_end_is_given_back_to_its_sender() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    rig.queue_is_away(true);
    let held = tokio::spawn(post(rig.address, event("a")));
    rig.gauge_is(IN_FLIGHT, 1.0).await?;
    rig.stop.intake.cancel();
    rig.stop.work.cancel();
    expect(503, &held.await??)?;
    rig.ended().await
}
