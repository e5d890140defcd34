//! Claims: kept, handed back, lost.

use std::time::Duration;

use manifest_store::{ClaimOutcome, ClaimStatus, Settlement};
use pipeline::{EngineSettings, PollMode};

use crate::bench::{Act, Bench, LONG, PATIENCE, until};
use crate::clock::StoppedClock;
use crate::scripted_store::{Renewals, ScriptedStore};

const SHORT: Duration = Duration::from_millis(300);

#[tokio::test]
async fn work_outlives_its_lease_while_it_is_renewed() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    bench.put("in/a").await?;
    bench.stage.tell("in/a", [Act::Hold]);
    let running =
        bench.start(EngineSettings { lease: SHORT, ..bench.settings("first") }, PollMode::UntilSettled);
    until("work began", async || !bench.stage.runs().is_empty()).await?;
    let key = bench.claim_key("in/a").await?;
    let began = tokio::time::Instant::now();
    while began.elapsed() < 3 * SHORT {
        let outcome = bench.store.claim(std::slice::from_ref(&key), "second", LONG).await?;
        assert!(matches!(outcome.as_slice(), [ClaimOutcome::NotNow { .. }]), "{outcome:?}");
        tokio::time::sleep(SHORT / 10).await;
    }
    bench.stage.let_go();
    running.ended().await?;
    assert_eq!(bench.recorder.labels_of("in/a"), ["done"]);
    Ok(())
}

#[tokio::test]
async fn work_that_is_told_to_stop_is_handed_back_at_once_and_not_counted() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    bench.put("in/a").await?;
    bench.stage.tell("in/a", [Act::Hold]);
    let running = bench.start(bench.settings("first"), PollMode::Every(LONG));
    until("work began", async || !bench.stage.runs().is_empty()).await?;
    assert!(bench.staging.reserved() > 0);
    running.shutdown.intake.cancel();
    running.shutdown.work.cancel();
    running.ended().await?;
    assert_eq!(bench.recorder.labels_of("in/a"), ["handed_back"]);
    let known = bench.processed("in/a").await?;
    assert_eq!((known[0].status.clone(), known[0].attempts), (ClaimStatus::Free, 0));
    assert_eq!(bench.staging.reserved(), 0);

    bench.run_with(bench.settings("second")).await?;
    assert_eq!(bench.processed("in/a").await?[0].attempts, 1);
    Ok(())
}

#[tokio::test]
async fn work_in_flight_finishes_when_only_intake_stops() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    bench.put("in/a").await?;
    bench.stage.tell("in/a", [Act::Hold]);
    let running = bench.start(bench.settings("first"), PollMode::Every(LONG));
    until("work began", async || !bench.stage.runs().is_empty()).await?;
    running.shutdown.intake.cancel();
    bench.stage.let_go();
    running.ended().await?;
    assert_eq!(bench.recorder.labels_of("in/a"), ["done"]);
    Ok(())
}

#[tokio::test]
async fn lost_claim_stops_the_work() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    bench.put("in/a").await?;
    bench.stage.tell("in/a", [Act::Hold]);
    let running =
        bench.start(EngineSettings { lease: SHORT, ..bench.settings("first") }, PollMode::Every(LONG));
    until("work began", async || !bench.stage.runs().is_empty()).await?;
    let key = bench.claim_key("in/a").await?;
    bench.store.release_owner("first").await?;
    let taken = bench.store.claim(std::slice::from_ref(&key), "second", LONG).await?;
    assert!(matches!(taken.as_slice(), [ClaimOutcome::Owned(_)]), "{taken:?}");
    // It may ask again before it is told to end, and is told to wait.
    let gave_up = || bench.recorder.labels_of("in/a").first() == Some(&"handed_back");
    until("the first owner gave up", async || gave_up()).await?;
    running.shutdown.intake.cancel();
    running.ended().await?;
    assert_eq!((bench.manifests().await?, bench.staging.reserved()), (0, 0));
    let statuses = bench.store.statuses(&[key]).await?;
    assert!(matches!(statuses.as_slice(), [ClaimStatus::NotNow { .. }]), "still the second owner's");
    Ok(())
}

#[tokio::test]
async fn publication_after_the_claim_was_lost_is_fenced_off() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    bench.put("in/a").await?;
    bench.stage.tell("in/a", [Act::Hold, Act::Publish]);
    // A lease so long that the first owner does not ask again before it publishes.
    let first = bench.start(bench.settings("first"), PollMode::UntilSettled);
    until("work began", async || !bench.stage.runs().is_empty()).await?;
    bench.store.release_owner("first").await?;
    bench.run_with(bench.settings("second")).await?;
    assert_eq!(bench.recorder.labels_of("in/a"), ["done"]);

    bench.stage.let_go();
    tokio::time::timeout(PATIENCE, first.ended()).await??;
    assert_eq!(bench.recorder.labels_of("in/a"), ["done", "handed_back", "already_settled"]);
    assert_eq!(bench.manifests().await?, 1, "one publication, the second owner's");
    let known = bench.processed("in/a").await?;
    assert_eq!(known[0].status, ClaimStatus::Settled(Settlement::Done));
    Ok(())
}

#[tokio::test]
async fn work_ends_before_a_lease_that_the_store_does_not_renew() -> anyhow::Result<()> {
    for how in [Renewals::Refused, Renewals::Silent] {
        let mut bench = Bench::new().await?;
        let store = ScriptedStore::before(&mut bench);
        bench.put("in/a").await?;
        bench.stage.tell("in/a", [Act::Hold]);
        store.answer_renewals(how);
        let running = bench.start(bench.settings("first"), PollMode::Every(2 * LONG));
        until("work began", async || !bench.stage.runs().is_empty()).await?;

        // A second more: sleepers wake no earlier than asked, and up to a millisecond later.
        let (clock, a_third) = (StoppedClock::stop(), LONG / 3 + Duration::from_secs(1));
        clock.advance(a_third).await;
        clock.until("it was to be renewed", || store.asked_to_renew() == 1).await?;
        assert!(bench.recorder.labels_of("in/a").is_empty(), "two thirds are left ({how:?})");
        clock.advance(a_third).await;
        let gave_up = || bench.recorder.labels_of("in/a").first() == Some(&"handed_back");
        clock.until("it gave up with a third of the lease left", gave_up).await?;
        running.shutdown.intake.cancel();
        running.ended().await?;
    }
    Ok(())
}
