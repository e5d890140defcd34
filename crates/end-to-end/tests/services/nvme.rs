//! A staging disk that is smaller than the work, or too small for any.

use manifest_store::{ClaimStatus, Settlement};
use types::{RejectCode, S3Uri, StageName};

use crate::stand::{PATIENCE, Program, Stand, dataset, stop, until_at_rest, until_counted};
use testkit::{noise, photo};

const OBJECTS: u64 = 60;
/// One 64x64 rendition reserves 80 KiB (raw pixels and headers) beside its input of some 10 KB: two fit, three do not.
const QUOTA: u64 = 200_000;
const DONE: &[(&str, &str)] = &[("ending", "done")];

async fn bronze(stand: &Stand) -> anyhow::Result<Vec<S3Uri>> {
    let uris: Vec<_> =
        (0..OBJECTS).map(|n| stand.object("bronze", &format!("ds/images/{n:02}.jpg"))).collect();
    stand.put_all(uris.iter().cloned().zip((0..OBJECTS).map(|seed| photo(seed, 160, 120)))).await?;
    Ok(uris)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_larger_than_the_quota_waits_its_turn_and_all_is_finished() -> anyhow::Result<()> {
    let stand = Stand::on_moto().await?;
    let uris = bronze(&stand).await?;
    let huge = stand.object("bronze", "ds/images/huge.jpg");
    let content = noise(1, 600, 600);
    assert!(content.len() as u64 > QUOTA);
    stand.put(&huge, content).await?;

    let quota = format!("{QUOTA}B");
    let arguments = ["--sizes", "64x64", "--slots", "8", "--nvme-quota", &quota];
    let mut service = stand.start(Program::Normalize, &arguments)?;
    let mut most = 0.0_f64;
    testkit::until("all are done", PATIENCE, async || {
        let metrics = service.metrics().await?;
        let reserved = metrics.value("imageml_nvme_reserved_bytes", &[]);
        most = most.max(reserved);
        Ok((metrics.value("imageml_work_total", DONE) >= OBJECTS as f64).then_some(()))
    })
    .await?;
    assert!(most > 0.0 && most <= QUOTA as f64, "{most} bytes reserved at most");
    for uri in &uris {
        let claim = stand.claim(StageName::Normalize, uri).await?;
        assert_eq!((claim.status, claim.attempts), (ClaimStatus::Settled(Settlement::Done), 1));
    }
    let rejected = testkit::until("the huge one is rejected", PATIENCE, async || {
        Ok(stand.store.rejected(&dataset("ds"), None, 10).await?.pop())
    })
    .await?;
    assert_eq!((rejected.key.object.uri, rejected.reason.code), (huge, RejectCode::TooLarge));
    assert!(rejected.reason.detail.contains("NVMe"), "{}", rejected.reason);
    until_at_rest(&mut service).await?;
    let service = stop(service).await?;
    assert_eq!(service.complaints(), Vec::<String>::new(), "a small disk is no trouble");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn below_nvme_min_gb_the_service_says_so_and_takes_no_work() -> anyhow::Result<()> {
    let stand = Stand::on_moto().await?;
    let uris = bronze(&stand).await?;
    let mut service = stand.start(Program::Normalize, &["--nvme-min-gb", "1000000"])?;
    testkit::until("intake is paused", PATIENCE, async || {
        Ok(service.has_logged("intake paused").then_some(()))
    })
    .await?;
    assert_eq!(service.get("/livez").await?.status, 200);
    let ready = service.get("/readyz").await?;
    assert_eq!(ready.status, 503);
    assert!(ready.body.contains("NVME_MIN_GB") && ready.body.contains("nvme"), "{}", ready.body);
    assert_eq!(service.metrics().await?.value("imageml_ready", &[]), 0.0);
    assert_eq!(service.metrics().await?.value("imageml_input_bytes_total", &[]), 0.0);
    stop(service).await?;
    for uri in &uris {
        assert_eq!(stand.store.processed(StageName::Normalize, uri).await?, []);
    }

    let mut service = stand.start(Program::Normalize, &["--sizes", "64x64", "--nvme-min-gb", "0.001"])?;
    service.ready().await?;
    until_counted(&mut service, "imageml_work_total", DONE, OBJECTS as f64).await?;
    stop(service).await?;
    Ok(())
}
