//! SIGTERM.

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::Context as _;
use manifest_store::{ClaimStatus, Settlement};
use testkit::{Gate, Service};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use types::{S3Uri, StageName};

use crate::stand::{PATIENCE, Program, Stand, dataset, stop, until_counted};
use testkit::photo;

const OBJECTS: u64 = 300;
const SLOTS: f64 = 4.0;

/// A replica with all its slots stuck on an S3 server that no longer answers, in the middle of the work.
struct Stuck {
    stand: Stand,
    gate: Gate,
    replica: Service,
    uris: Vec<S3Uri>,
}

impl Stuck {
    async fn new(arguments: &[&str]) -> anyhow::Result<Self> {
        let stand = Stand::on_moto().await?;
        let uris: Vec<_> =
            (0..OBJECTS).map(|n| stand.object("bronze", &format!("ds/images/{n:03}.jpg"))).collect();
        stand.put_all(uris.iter().cloned().zip((0..OBJECTS).map(|seed| photo(seed, 160, 120)))).await?;
        let gate = Gate::before(stand.endpoint()).await?;
        // A lease that no test would live through: whatever is not handed back stays where it is.
        let common = ["--sizes", "64x64", "--slots", "4", "--lease", "1h"];
        let arguments = [common.as_slice(), arguments].concat();
        let mut replica = stand.start_through(gate.endpoint(), Program::Normalize, &arguments)?;
        replica.ready().await?;
        until_counted(&mut replica, "imageml_work_total", &[("ending", "done")], 1.0).await?;
        gate.shut();
        until_counted(&mut replica, "imageml_in_flight", &[], SLOTS).await?;
        Ok(Self { stand, gate, replica, uris })
    }

    async fn draining(&mut self) -> anyhow::Result<()> {
        self.replica.terminate()?;
        let answer = testkit::until("the replica is not ready any more", PATIENCE, async || {
            let answer = self.replica.get("/readyz").await?;
            Ok((answer.status != 200).then_some(answer))
        })
        .await?;
        assert_eq!((answer.status, answer.body.as_str()), (503, "not ready: shutting down\n"));
        assert_eq!(self.replica.get("/livez").await?.status, 200, "alive while it drains");
        let in_flight = self.replica.metrics().await?.value("imageml_in_flight", &[]);
        // Work that needed nothing but its commit when the gate shut may have ended since.
        assert!(in_flight > 0.0 && in_flight <= SLOTS, "metrics to the end: {in_flight} in flight");
        Ok(())
    }

    /// Objects done, and nothing held by anybody.
    async fn done_and_none_held(&self) -> anyhow::Result<usize> {
        let mut done = 0;
        for uri in &self.uris {
            for claim in self.stand.store.processed(StageName::Normalize, uri).await? {
                match claim.status {
                    ClaimStatus::Settled(Settlement::Done) => {
                        assert_eq!(claim.attempts, 1, "{uri}");
                        done += 1;
                    }
                    ClaimStatus::Free => assert_eq!(claim.attempts, 0, "{uri}"),
                    other => panic!("{uri}: {other:?}"),
                }
            }
        }
        Ok(done)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_in_flight_is_finished_within_the_grace_period() -> anyhow::Result<()> {
    let mut stuck = Stuck::new(&["--shutdown-grace", "100s"]).await?;
    let admin = stuck.replica.admin().context("it is up")?;
    let _silent = TcpStream::connect(admin).await?;
    let mut halting = TcpStream::connect(admin).await?;
    halting.write_all(b"GET /metr").await?;
    stuck.draining().await?;
    stuck.gate.open();
    let status = stuck.replica.exit(PATIENCE).await?;
    assert_eq!(status.code(), Some(0), "{}", stuck.replica.log_text());
    assert!(!stuck.replica.has_logged("grace period over: handing work back"));
    let done = stuck.done_and_none_held().await?;
    assert!(done > 4 && done < stuck.uris.len(), "it stopped in the middle: {done}");
    let nvme: Vec<_> = std::fs::read_dir(stuck.stand.nvme())?.collect::<Result<_, _>>()?;
    assert_eq!(nvme.len(), 1, "only the lock file stays: {nvme:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_does_not_finish_in_time_is_handed_to_the_other_replica_at_once() -> anyhow::Result<()> {
    let mut stuck = Stuck::new(&["--shutdown-grace", "2s"]).await?;
    let began = Instant::now();
    stuck.draining().await?;
    let status = stuck.replica.exit(PATIENCE).await?;
    assert_eq!(status.code(), Some(0), "{}", stuck.replica.log_text());
    assert!(began.elapsed().as_secs() < 20, "{:?} after SIGTERM", began.elapsed());
    assert!(stuck.replica.has_logged("grace period over: handing work back"));
    let done = stuck.done_and_none_held().await?;
    assert!(done < stuck.uris.len());

    let mut other = stuck.stand.start(Program::Normalize, &["--sizes", "64x64", "--lease", "1h"])?;
    let missing = (stuck.uris.len() - done) as f64;
    until_counted(&mut other, "imageml_work_total", &[("ending", "done")], missing).await?;
    stop(other).await?;
    assert_eq!(stuck.done_and_none_held().await?, stuck.uris.len(), "each at its first counted attempt");
    let manifests = stuck.stand.store.manifests(&dataset("ds"), StageName::Normalize, None, 1000).await?;
    let sources: BTreeSet<_> = manifests.iter().map(|found| &found.manifest.source.uri).collect();
    assert_eq!((manifests.len(), sources.len()), (stuck.uris.len(), stuck.uris.len()));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_whose_log_nobody_reads_works_on_and_ends() -> anyhow::Result<()> {
    let stand = Stand::on_moto().await?;
    let mut service = stand.start(Program::Normalize, &["--sizes", "64x64"])?;
    service.ready().await?;
    service.close_log()?;
    stand.put(&stand.object("bronze", "ds/images/photo.jpg"), photo(1, 160, 120)).await?;
    stand.put(&stand.object("bronze", "ds/images/broken.jpg"), b"no picture".as_slice()).await?;
    for ending in ["done", "rejected"] {
        until_counted(&mut service, "imageml_work_total", &[("ending", ending)], 1.0).await?;
    }
    stop(service).await?;
    Ok(())
}
