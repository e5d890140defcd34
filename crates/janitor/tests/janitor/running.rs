//! The loop around it.

use std::time::Duration;

use janitor::JanitorSettings;
use prometheus::{Encoder as _, TextEncoder};
use tokio_util::sync::CancellationToken;
use types::StageName;

use crate::bench::{Bench, HOUR, OLD, Trouble, prefix, variant};

fn settings() -> JanitorSettings {
    let interval = Duration::from_millis(10);
    JanitorSettings { interval, ..JanitorSettings::new(StageName::Normalize, prefix()) }
}

async fn until(what: &str, mut look: impl AsyncFnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    testkit::until(what, Duration::from_secs(30), async || Ok(look().await?.then_some(()))).await
}

fn metrics(bench: &Bench) -> anyhow::Result<String> {
    let mut text = Vec::new();
    TextEncoder::new().encode(&bench.registry.gather(), &mut text)?;
    Ok(String::from_utf8(text)?)
}

#[tokio::test]
async fn janitor_sweeps_again_and_again_until_it_is_stopped() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    let before = metrics(&bench)?;
    for line in [
        r#"imageml_janitor_collected_total{stage="normalize",what="orphan"} 0"#,
        r#"imageml_janitor_collected_total{stage="normalize",what="claim"} 0"#,
        r#"imageml_janitor_collected_total{stage="normalize",what="upload"} 0"#,
        r#"imageml_janitor_leader{stage="normalize"} 0"#,
        r#"imageml_janitor_last_sweep_timestamp_seconds{stage="normalize"} 0"#,
    ] {
        assert!(before.lines().any(|found| found == line), "{line} in {before}");
    }

    let stop = CancellationToken::new();
    let running = tokio::spawn(bench.janitor_with(settings()).run(stop.clone()));
    bench.put(&variant(1), OLD).await?;
    until("the first orphan is gone", async || Ok(!bench.is_there(&variant(1)).await?)).await?;
    bench.blobs.make(Trouble::Refused);
    bench.put(&variant(2), OLD).await?;
    bench.blobs.met.acquire().await?.forget();
    bench.blobs.make(Trouble::None);
    until("failures have not ended it", async || Ok(!bench.is_there(&variant(2)).await?)).await?;
    until("both are counted", async || {
        let line = r#"imageml_janitor_collected_total{stage="normalize",what="orphan"} 2"#;
        Ok(metrics(&bench)?.contains(line))
    })
    .await?;
    assert!(metrics(&bench)?.contains(r#"imageml_janitor_leader{stage="normalize"} 1"#));
    let never = r#"imageml_janitor_last_sweep_timestamp_seconds{stage="normalize"} 0"#;
    assert!(!metrics(&bench)?.lines().any(|line| line == never));

    stop.cancel();
    tokio::time::timeout(Duration::from_secs(30), running).await??;
    assert!(metrics(&bench)?.contains(r#"imageml_janitor_leader{stage="normalize"} 0"#));
    assert!(bench.store.lead(&settings().duty()).await?.is_some(), "it has let go");
    Ok(())
}

#[tokio::test]
async fn second_janitor_takes_over_when_the_first_has_gone() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    let first = bench.store.lead(&settings().duty()).await?.expect("nobody leads");
    let stop = CancellationToken::new();
    let running = tokio::spawn(bench.janitor_with(settings()).run(stop.clone()));
    bench.put(&variant(1), OLD).await?;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(bench.is_there(&variant(1)).await?);
    drop(first);
    until("it leads", async || Ok(!bench.is_there(&variant(1)).await?)).await?;
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(30), running).await??;
    Ok(())
}

#[tokio::test]
async fn janitor_between_two_sweeps_stops_at_once() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    let stop = CancellationToken::new();
    let hourly = JanitorSettings { interval: HOUR, ..settings() };
    let running = tokio::spawn(bench.janitor_with(hourly).run(stop.clone()));
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(10), running).await??;
    Ok(())
}
