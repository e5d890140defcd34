//! The polling source by itself.

use std::time::{Duration, Instant};

use futures::FutureExt as _;
use manifest_store::ClaimOutcome;
use pipeline::{Delivery, PollMode, PollingSource, Slots, WorkSource as _};

use crate::bench::{Bench, LONG, PATIENCE, until};

const PAUSE: Duration = Duration::from_millis(200);

async fn next(source: &mut PollingSource) -> anyhow::Result<Option<Delivery>> {
    Ok(tokio::time::timeout(PATIENCE, source.next(&Slots::new(1))).await??)
}

async fn some(source: &mut PollingSource) -> anyhow::Result<Delivery> {
    next(source).await?.ok_or_else(|| anyhow::anyhow!("the source ended"))
}

#[tokio::test]
async fn acknowledged_deliveries_do_not_come_again() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    bench.put("in/a").await?;
    let mut source = bench.source(PollMode::UntilSettled);
    some(&mut source).await?.ack().await;
    assert!(next(&mut source).await?.is_none());
    Ok(())
}

#[tokio::test]
async fn returned_deliveries_come_again_but_not_too_soon() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    bench.put("in/a").await?;
    let mut source = bench.source(PollMode::UntilSettled);
    let returned = Instant::now();
    some(&mut source).await?.nack(PAUSE).await;
    let again = some(&mut source).await?;
    assert!(returned.elapsed() >= PAUSE);
    again.ack().await;
    assert!(next(&mut source).await?.is_none());
    Ok(())
}

#[tokio::test]
async fn dropped_deliveries_come_again_by_themselves() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    bench.put("in/a").await?;
    let mut source = bench.source(PollMode::Every(LONG));
    let first = some(&mut source).await?;
    let object = first.object.clone();
    drop(first);
    assert_eq!(some(&mut source).await?.object, object, "long before the next listing is due");
    Ok(())
}

#[tokio::test]
async fn source_waits_for_answers_before_it_ends() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    bench.put("in/a").await?;
    let mut source = bench.source(PollMode::UntilSettled);
    let delivery = some(&mut source).await?;
    assert!(source.next(&Slots::new(1)).now_or_never().is_none(), "an answer is awaited");
    delivery.ack().await;
    assert!(next(&mut source).await?.is_none());
    Ok(())
}

#[tokio::test]
async fn answers_are_not_missed_between_two_looks() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    bench.put("in/a").await?;
    let mut source = bench.source(PollMode::UntilSettled);
    let delivery = some(&mut source).await?;
    let waiting = tokio::spawn(async move { next(&mut source).await.map(|found| found.is_none()) });
    tokio::task::yield_now().await;
    delivery.ack().await;
    assert!(waiting.await??);
    Ok(())
}

#[tokio::test]
async fn work_held_elsewhere_is_waited_for_until_its_lease_ends() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    bench.put("in/a").await?;
    let key = bench.claim_key("in/a").await?;
    let held = bench.store.claim(&[key], "somebody", PAUSE).await?;
    assert!(matches!(held.as_slice(), [ClaimOutcome::Owned(_)]));
    let began = Instant::now();
    let mut source = bench.source(PollMode::UntilSettled);
    some(&mut source).await?.ack().await;
    // The database's clock has whole milliseconds.
    assert!(began.elapsed() + Duration::from_millis(20) >= PAUSE, "{:?}", began.elapsed());
    Ok(())
}

#[tokio::test]
async fn new_objects_are_found_by_the_next_listing() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    let mut source = bench.source(PollMode::Every(Duration::from_millis(20)));
    assert!(source.next(&Slots::new(1)).now_or_never().is_none(), "there is nothing yet");
    bench.put("in/late").await?;
    assert_eq!(some(&mut source).await?.object.object.uri.key(), "in/late");
    Ok(())
}

#[tokio::test]
async fn prefix_of_several_pages_is_delivered_completely() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    for number in 0..2001 {
        bench.put(&format!("in/{number:04}")).await?;
    }
    let mut source = bench.source(PollMode::UntilSettled);
    let mut keys = Vec::new();
    while let Some(delivery) = next(&mut source).await? {
        keys.push(delivery.object.object.uri.key().to_owned());
        delivery.ack().await;
    }
    let expected: Vec<_> = (0..2001).map(|number| format!("in/{number:04}")).collect();
    assert_eq!(keys, expected);
    until("every page is reported", async || bench.recorder.discovered().len() == 3).await?;
    Ok(())
}
