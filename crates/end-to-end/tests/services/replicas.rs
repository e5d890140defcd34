//! Several replicas share the work.

use std::collections::BTreeSet;

use manifest_store::{ClaimStatus, Settlement};
use types::{S3Uri, StageName};

use crate::stand::{PATIENCE, Program, Stand, dataset, stop, until_at_rest, until_counted};
use testkit::photo;

const OBJECTS: u64 = 500;
const DONE: &[(&str, &str)] = &[("ending", "done")];

async fn bronze_of_500() -> anyhow::Result<(Stand, Vec<S3Uri>)> {
    let stand = Stand::on_moto().await?;
    let uris: Vec<_> =
        (0..OBJECTS).map(|number| stand.object("bronze", &format!("ds/images/{number:03}.jpg"))).collect();
    let photos = (0..OBJECTS).map(|number| photo(number, 160, 120));
    stand.put_all(uris.iter().cloned().zip(photos)).await?;
    Ok((stand, uris))
}

/// Waits for the last of them; then everything is there exactly once. Answers the attempts of each.
async fn all_done_exactly_once(stand: &Stand, uris: &[S3Uri]) -> anyhow::Result<Vec<u32>> {
    let name = dataset("ds");
    let policy = stand.store.dataset(&name).await?.policy.expect("the stage announced it").0;
    testkit::until("all are published", PATIENCE, async || {
        let totals = stand.store.variant_totals(&name, &policy).await?;
        let manifests = stand.store.manifests(&name, StageName::Normalize, None, 1000).await?;
        // Variants are counted for catalogued images only, and nothing was catalogued here.
        assert!(totals.is_empty());
        Ok((manifests.len() as u64 >= OBJECTS).then_some(()))
    })
    .await?;
    let manifests = stand.store.manifests(&name, StageName::Normalize, None, 1000).await?;
    let sources: BTreeSet<_> = manifests.iter().map(|found| found.manifest.source.uri.clone()).collect();
    assert_eq!((manifests.len(), sources.len()), (uris.len(), uris.len()), "one manifest for each object");

    let silver = stand.list(&stand.bucket("silver")).await?;
    let (manifests, variants): (Vec<_>, Vec<_>) =
        silver.iter().partition(|found| found.object.uri.key().starts_with("ds/manifests/normalize/"));
    let folder = stand.object("silver", "ds/normalized/64x64");
    assert!(variants.iter().all(|found| folder.relative(&found.object.uri).is_some()), "{variants:?}");
    assert_eq!(
        (variants.len(), manifests.len()),
        (uris.len(), uris.len()),
        "nothing doubled, nothing left over"
    );

    let mut attempts = Vec::new();
    for uri in uris {
        let claim = stand.claim(StageName::Normalize, uri).await?;
        assert_eq!(claim.status, ClaimStatus::Settled(Settlement::Done), "{uri}");
        attempts.push(claim.attempts);
    }
    Ok(attempts)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_process_each_of_500_objects_exactly_once() -> anyhow::Result<()> {
    let (stand, uris) = bronze_of_500().await?;
    let mut replicas = Vec::new();
    for _ in 0..2 {
        replicas.push(stand.start(Program::Normalize, &["--sizes", "64x64", "--slots", "4"])?);
    }
    for replica in &mut replicas {
        until_counted(replica, "imageml_work_total", DONE, 1.0).await?;
    }
    let attempts = all_done_exactly_once(&stand, &uris).await?;
    assert_eq!(attempts, vec![1; uris.len()]);
    let mut done = Vec::new();
    for mut replica in replicas {
        until_at_rest(&mut replica).await?;
        let metrics = replica.metrics().await?;
        done.push(metrics.value("imageml_work_total", DONE));
        for ending in ["rejected", "retried", "ignored"] {
            assert_eq!(metrics.value("imageml_work_total", &[("ending", ending)]), 0.0, "{ending}");
        }
        let replica = stop(replica).await?;
        assert_eq!(replica.complaints(), Vec::<String>::new());
    }
    assert!(done.iter().all(|count| *count > 0.0), "{done:?}");
    assert_eq!(done.iter().sum::<f64>(), 500.0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn survivor_finishes_everything_when_the_other_replica_is_killed() -> anyhow::Result<()> {
    let (stand, uris) = bronze_of_500().await?;
    let arguments = ["--sizes", "64x64", "--slots", "4", "--lease", "2s"];
    let mut victim = stand.start(Program::Normalize, &arguments)?;
    let mut survivor = stand.start(Program::Normalize, &arguments)?;
    until_counted(&mut victim, "imageml_work_total", DONE, 50.0).await?;
    victim.kill()?;
    let done = survivor.metrics().await?.value("imageml_work_total", DONE);
    assert!(done < 400.0, "the kill came in the middle of the work, not at {done} of 500 by the survivor");

    let attempts = all_done_exactly_once(&stand, &uris).await?;
    let repeated = attempts.iter().filter(|attempts| **attempts == 2).count();
    assert!(attempts.iter().all(|attempts| [1, 2].contains(attempts)), "{attempts:?}");
    assert!(repeated <= 4, "at most what was in the victim's four slots: {repeated}");
    until_at_rest(&mut survivor).await?;
    stop(survivor).await?;

    // What the victim left on the disk goes when the next instance starts there.
    let instances = || std::fs::read_dir(stand.nvme()).map(|entries| entries.flatten().count());
    assert_eq!(instances()?, 2, "the lock file and the victim's folder");
    let mut next = stand.start(Program::Normalize, &arguments)?;
    next.ready().await?;
    stop(next).await?;
    assert_eq!(instances()?, 1, "the lock file");
    Ok(())
}
