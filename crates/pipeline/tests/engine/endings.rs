//! How work ends.

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use futures::FutureExt as _;
use manifest_store::{ClaimOutcome, ClaimStatus, Settlement};
use object_storage::BlobStore as _;
use pipeline::{Ending, EngineSettings, IgnoreReason, InputMode, Metrics, Observer, PollMode, Shutdown};
use prometheus::Registry;
use types::{RejectCode, RejectReason, StageName};

use crate::bench::{Act, BACKOFF, Bench, ObedientStage, until, uri};

#[tokio::test]
async fn everything_below_the_prefix_is_published_once_and_the_source_ends() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    for key in ["in/a", "in/b", "in/c", "elsewhere"] {
        bench.put(key).await?;
    }
    bench.run().await?;
    for key in ["a", "b", "c"] {
        assert_eq!(bench.recorder.labels_of(&format!("in/{key}")), ["done"]);
        let output = bench.blobs.read(&format!("s3://out/{key}").parse()?, 100).await?;
        assert_eq!(output, format!("content of in/{key}"));
    }
    assert_eq!((bench.manifests().await?, bench.stage.runs().len()), (3, 3));

    bench.run().await?;
    assert_eq!((bench.manifests().await?, bench.stage.runs().len()), (3, 3), "a second run does nothing");
    assert_eq!(bench.recorder.discovered(), [(3, 0), (3, 3)]);
    Ok(())
}

#[tokio::test]
async fn failing_work_is_retried_with_growing_pauses_and_then_quarantined() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    bench.put("in/a").await?;
    bench.stage.tell("in/a", vec![Act::Fail; 9]);
    bench.run().await?;
    let reason = RejectReason::new(RejectCode::AttemptsExhausted, "process: somewhere: the disk hums");
    let endings = bench.recorder.endings_of("in/a");
    assert_eq!(endings, [Ending::Retried, Ending::Retried, Ending::Rejected(reason.clone())]);
    let runs = bench.stage.runs();
    let pauses: Vec<_> = runs.windows(2).map(|pair| pair[1].1 - pair[0].1).collect();
    assert!(pauses[0] >= BACKOFF && pauses[1] >= 2 * BACKOFF, "{pauses:?}");
    let known = bench.processed("in/a").await?;
    assert_eq!(known[0].status, ClaimStatus::Settled(Settlement::Rejected(reason)));
    assert_eq!((known[0].attempts, bench.manifests().await?), (3, 0));
    Ok(())
}

#[tokio::test]
async fn outages_are_waited_out_by_a_service_and_count_in_a_run() -> anyhow::Result<()> {
    for (a_service, label, attempts) in [(true, "handed_back", 0), (false, "retried", 1)] {
        let bench = Bench::new().await?;
        bench.put("in/a").await?;
        bench.stage.tell("in/a", [Act::Outage]);
        let settings = if a_service { bench.service("owner") } else { bench.settings("owner") };
        let running = bench.start(settings, PollMode::UntilSettled);
        until("the attempt ended", async || bench.recorder.labels_of("in/a") == [label]).await?;
        running.shutdown.intake.cancel();
        running.ended().await?;
        assert_eq!(bench.processed("in/a").await?[0].attempts, attempts);
    }
    Ok(())
}

#[tokio::test]
async fn failures_that_only_one_object_has_while_others_succeed_are_its_own() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    for key in ["in/a", "in/b"] {
        bench.put(key).await?;
    }
    bench.stage.tell("in/a", [Act::HoldThenOutage]);
    let running = bench.start(bench.service("owner"), PollMode::UntilSettled);
    until("the other one is done", async || bench.recorder.labels_of("in/b") == ["done"]).await?;
    bench.stage.let_go();
    until("the attempt ended", async || !bench.recorder.labels_of("in/a").is_empty()).await?;
    assert_eq!(bench.recorder.labels_of("in/a"), ["retried"]);
    running.shutdown.intake.cancel();
    running.ended().await
}

#[tokio::test]
async fn work_whose_attempts_all_ended_with_their_process_is_quarantined() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    bench.put("in/a").await?;
    let key = bench.claim_key("in/a").await?;
    for _ in 0..bench.settings("owner").max_attempts {
        let lease = Duration::from_millis(20);
        let owned = bench.store.claim(std::slice::from_ref(&key), "dead", lease).await?;
        ensure!(matches!(owned.as_slice(), [ClaimOutcome::Owned(_)]), "{owned:?}");
        let free = async || bench.store.statuses(std::slice::from_ref(&key)).await;
        until("the lease ended", async || matches!(free().await.as_deref(), Ok([ClaimStatus::Free]))).await?;
    }
    bench.run().await?;
    let endings = bench.recorder.endings_of("in/a");
    ensure!(
        matches!(endings.as_slice(), [Ending::Rejected(reason)] if reason.code == RejectCode::AttemptsExhausted),
        "{endings:?}"
    );
    ensure!(bench.stage.runs().is_empty(), "it is not begun once more");
    Ok(())
}

#[tokio::test]
async fn work_that_fails_once_is_done_at_the_second_attempt() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    bench.put("in/a").await?;
    bench.stage.tell("in/a", [Act::Fail]);
    bench.run().await?;
    assert_eq!(bench.recorder.labels_of("in/a"), ["retried", "done"]);
    assert_eq!(bench.processed("in/a").await?[0].attempts, 2);
    Ok(())
}

#[tokio::test]
async fn work_that_is_not_ready_is_asked_again_without_counting() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    bench.put("in/a").await?;
    bench.stage.tell("in/a", vec![Act::NotReady; 5]);
    bench.run_with(EngineSettings { max_attempts: 1, ..bench.settings("only") }).await?;
    let labels = bench.recorder.labels_of("in/a");
    assert_eq!(labels.iter().filter(|label| **label == "done").count(), 1);
    assert!(labels.iter().all(|label| ["done", "handed_back"].contains(label)), "{labels:?}");
    assert_eq!((bench.stage.runs().len(), bench.processed("in/a").await?[0].attempts), (6, 1));
    Ok(())
}

#[tokio::test]
async fn refused_work_is_quarantined_at_once() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    for key in ["in/a", "in/refused", "in/other"] {
        bench.put(key).await?;
    }
    bench.stage.tell("in/a", [Act::Reject]);
    bench.run().await?;
    let corrupt = RejectReason::new(RejectCode::Corrupt, "told to refuse");
    assert_eq!(bench.recorder.endings_of("in/a"), [Ending::Rejected(corrupt)]);
    let by_name = RejectReason::new(RejectCode::InvalidKey, "by its name");
    assert_eq!(bench.recorder.endings_of("in/refused"), [Ending::Rejected(by_name)]);
    assert_eq!(bench.processed("in/other").await?.len(), 0, "not work, so not claimed");
    Ok(())
}

#[tokio::test]
async fn panics_of_a_stage_end_in_quarantine_and_the_engine_lives_on() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    for key in ["in/a", "in/b", "in/c"] {
        bench.put(key).await?;
    }
    bench.stage.tell("in/a", [Act::Panic]);
    bench.stage.tell("in/b", [Act::PanicOnPool]);
    bench.run().await?;
    for key in ["in/a", "in/b"] {
        let reason = RejectReason::new(RejectCode::DecoderFailure, "the work panicked");
        assert_eq!(bench.recorder.endings_of(key), [Ending::Rejected(reason)], "{key}");
    }
    assert_eq!(bench.recorder.labels_of("in/c"), ["done"]);
    assert_eq!(bench.staging.reserved(), 0);
    Ok(())
}

#[tokio::test]
async fn objects_that_are_too_large_are_refused_by_what_they_break() -> anyhow::Result<()> {
    let bench = Bench::with(ObedientStage::with_input(InputMode::Staged { max_bytes: 2000 })).await?;
    for (key, bytes) in [("in/limit", 2001), ("in/nvme", 1001), ("in/fits", 1000)] {
        bench
            .blobs
            .write(vec![b'x'; bytes].into(), &uri(key), &object_storage::PutOptions::default())
            .await?;
    }
    bench.run().await?;
    let code = |key: &str| match bench.recorder.endings_of(key).as_slice() {
        [Ending::Rejected(reason)] => Some(reason.code),
        _ => None,
    };
    assert_eq!(code("in/limit"), Some(RejectCode::LimitExceeded));
    assert_eq!(code("in/nvme"), Some(RejectCode::TooLarge));
    assert_eq!(bench.recorder.labels_of("in/fits"), ["done"]);
    Ok(())
}

#[tokio::test]
async fn objects_replaced_or_removed_before_their_turn_are_superseded_and_the_successor_is_done()
-> anyhow::Result<()> {
    let bench = Bench::new().await?;
    for key in ["in/a", "in/b", "in/c"] {
        bench.put(key).await?;
    }
    bench.stage.tell("in/a", [Act::Meddle { write: "in/c", delete: "in/b" }]);
    let one_by_one = EngineSettings { slots: 1, ..bench.settings("only") };
    let running = bench.start(one_by_one, PollMode::Every(BACKOFF));
    until("the successor is done", async || bench.recorder.labels_of("in/c").contains(&"done")).await?;
    running.shutdown.intake.cancel();
    running.ended().await?;
    let superseded = Ending::Ignored(IgnoreReason::Superseded);
    assert_eq!(bench.recorder.endings_of("in/b"), std::slice::from_ref(&superseded));
    assert_eq!(bench.recorder.endings_of("in/c"), [superseded, Ending::Done]);
    assert_eq!(bench.blobs.read(&"s3://out/c".parse()?, 100).await?, "another content");
    let known = bench.processed("in/c").await?;
    assert_eq!(known.iter().map(|record| record.attempts).collect::<Vec<_>>(), [1, 0]);
    Ok(())
}

#[tokio::test]
async fn documents_that_vanish_before_they_are_read_are_superseded() -> anyhow::Result<()> {
    let bench = Bench::with(ObedientStage::with_input(InputMode::Document { max_bytes: 100 })).await?;
    for key in ["in/a", "in/b", "in/c"] {
        bench.put(key).await?;
    }
    bench.stage.tell("in/a", [Act::Meddle { write: "elsewhere", delete: "in/b" }]);
    bench.run_with(EngineSettings { slots: 1, ..bench.settings("only") }).await?;
    assert_eq!(bench.recorder.labels_of("in/b"), ["ignored"]);
    assert_eq!(bench.recorder.labels_of("in/c"), ["done"]);
    Ok(())
}

#[tokio::test]
async fn gauges_and_budgets_are_at_zero_after_every_kind_of_ending() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    let acts = [Act::Publish, Act::Fail, Act::Reject, Act::NotReady, Act::Panic, Act::PanicOnPool];
    for (index, act) in acts.into_iter().enumerate() {
        let key = format!("in/{index}");
        bench.put(&key).await?;
        bench.stage.tell(&key, [act]);
    }
    let registry = Registry::new();
    let metrics: Arc<dyn Observer> = Arc::new(Metrics::register(&registry, StageName::Normalize)?);
    let engine = bench.engine(bench.settings("only"), metrics);
    engine.run(&mut bench.source(PollMode::UntilSettled), &Shutdown::default()).await?;

    let text = prometheus::TextEncoder::new().encode_to_string(&registry.gather())?;
    for line in [
        "imageml_in_flight{stage=\"normalize\"} 0",
        "imageml_work_total{ending=\"done\",stage=\"normalize\"} 3",
        "imageml_work_total{ending=\"rejected\",stage=\"normalize\"} 3",
        "imageml_work_total{ending=\"retried\",stage=\"normalize\"} 1",
        "imageml_rejected_total{reason=\"decoder_failure\",stage=\"normalize\"} 2",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    assert_eq!(bench.staging.reserved(), 0);
    assert!(bench.memory.acquire(u64::MAX).now_or_never().is_some(), "all memory is free");
    Ok(())
}
