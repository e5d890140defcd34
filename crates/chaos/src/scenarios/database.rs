//! A Postgres that dies, loses its answers, is locked, full or read-only.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures::FutureExt as _;
use testkit::{Service, until};
use tokio::time::sleep;

use crate::rig::pods::{expect_status, lines_with};
use crate::{Rig, RigSettings, Scenario, Verdict};

const PATIENCE: Duration = Duration::from_secs(120);
/// An outage ends with a pause of up to 5 seconds, and a probe.
const WORK_GOES_ON: Duration = Duration::from_secs(30);

pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        id: "S-30",
        fault: "kill -9 for Postgres, 8 times under load, each time started again",
        expected: "both services live on and are ready again",
        settings: RigSettings::default,
        long: false,
        run: |rig| killed(rig).boxed_local(),
    },
    Scenario {
        id: "S-31",
        fault: "12 connections are cut after COMMIT was sent and carried out, before its answer",
        expected: "commits are asked for again, nothing is published twice",
        settings: RigSettings::default,
        long: false,
        run: |rig| answers_lost(rig).boxed_local(),
    },
    Scenario {
        id: "S-32",
        fault: "Postgres under load: the claims locked for 5 s, no connection left for 5 s, read-only for 5 s",
        expected: "none uses up the attempts of an object; messages are kept hidden while the claims are locked",
        settings: RigSettings::default,
        long: false,
        run: |rig| out_of_order(rig).boxed_local(),
    },
];

async fn killed(rig: &mut Rig) -> anyhow::Result<Verdict> {
    let (mut random, mut pods) = (rig.random(), rig.ingests(2).await?);
    let data = rig.run_statement("SHOW data_directory").await?.context("a folder")?;
    for kill in 0..8 {
        let before = rig.settled().await?;
        rig.put_and_tell(kill * 20, 20).await?;
        until_more_than(rig, before).await?;
        sleep(Duration::from_millis(random.below(200))).await;
        rig.postgres.kill()?;
        // A new server does not start beside processes of the old one.
        until("Postgres is dead", PATIENCE, async || Ok((!works_in(Path::new(&data))?).then_some(())))
            .await?;
        rig.postgres.start_again().await?;
    }
    rig.until_settled(160, PATIENCE).await?;
    for pod in &pods {
        let struck = lines_with(std::slice::from_ref(pod), "manifest store unavailable");
        ensure!(struck > 0, "a service did not notice that Postgres was away");
    }
    rig.probe().await?;
    until("all are ready again", PATIENCE, async || Ok(expect_status(&mut pods, "/readyz", 200).await.ok()))
        .await?;
    rig.check(pods, 0).await
}

/// Whether a process works in this folder; all of Postgres' work in its data directory.
fn works_in(folder: &Path) -> anyhow::Result<bool> {
    for process in std::fs::read_dir("/proc")? {
        // Those that are no processes have none, and those that end meanwhile do not count.
        if std::fs::read_link(process?.path().join("cwd")).is_ok_and(|place| place == folder) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn until_more_than(rig: &Rig, settled: usize) -> anyhow::Result<()> {
    until("work goes on", WORK_GOES_ON, async || Ok((rig.settled().await? > settled).then_some(()))).await
}

async fn answers_lost(rig: &mut Rig) -> anyhow::Result<Verdict> {
    let (mut random, pods) = (rig.random(), rig.ingests(2).await?);
    for round in 0..12 {
        rig.put_and_tell(u64::try_from(round)? * 25, 25).await?;
        sleep(Duration::from_millis(random.below(150))).await;
        rig.pg.cut_after_client_sends(b"COMMIT", 1);
        if rig.settled().await? == rig.ledger.entries().len() {
            // Too late for these: something has to commit.
            rig.put_and_tell(1000 + u64::try_from(round)?, 1).await?;
        }
        until("an answer is lost", WORK_GOES_ON, async || Ok((rig.pg.lost_answers() > round).then_some(())))
            .await?;
    }
    let put = rig.ledger.entries().len();
    rig.until_settled(put, PATIENCE).await?;
    // Some of the commits are claims or renewals; those that published are logged with these words.
    ensure!(lines_with(&pods, "commit not confirmed, asking again") > 0, "no publication lost its answer");
    rig.probe().await?;
    rig.check(pods, 0).await
}

async fn out_of_order(rig: &mut Rig) -> anyhow::Result<Verdict> {
    let mut pods = rig.ingests(2).await?;
    claims_locked(rig).await?;
    no_connection_left(rig).await?;
    read_only(rig).await?;
    ensure!(lines_with(&pods, "read-only transaction") > 0, "no service was refused a write");
    rig.until_settled(180, PATIENCE).await?;
    expect_status(&mut pods, "/livez", 200).await?;
    // Work that fails while other work succeeds is taken to fail by itself, which is so when an outage begins: once
    // for each of the three.
    let attempts = pods.iter().flat_map(Service::log).filter_map(|line| line["fields"]["attempt"].as_u64());
    ensure!(attempts.max().unwrap_or(0) <= 3, "outages counted as attempts of an object, again and again");
    rig.probe().await?;
    rig.check(pods, 0).await
}

/// Under load: as soon as some of these pictures are done.
async fn with_load(rig: &mut Rig, first: u64) -> anyhow::Result<()> {
    let before = rig.settled().await?;
    rig.put_and_tell(first, 60).await?;
    until_more_than(rig, before).await
}

async fn claims_locked(rig: &mut Rig) -> anyhow::Result<()> {
    let before = rig.settled().await?;
    rig.put_and_tell(0, 30).await?;
    until_more_than(rig, before).await?;
    let mut locking = rig.session().await?;
    locking.run("BEGIN").await?;
    locking.run("LOCK TABLE claims IN ACCESS EXCLUSIVE MODE").await?;
    // What came before may all be done by now: this is what meets the lock.
    rig.put_and_tell(30, 30).await?;
    let hidden =
        |rig: &Rig| rig.sqs.count(|call| call.target.as_deref() == Some("ChangeMessageVisibilityBatch"));
    let before = hidden(rig);
    sleep(Duration::from_secs(5)).await;
    let waiting =
        rig.run_statement("SELECT count(*) FROM pg_locks WHERE NOT granted").await?.context("a count")?;
    ensure!(waiting != "0", "nobody waits for the lock");
    ensure!(hidden(rig) >= before + 2, "messages were not kept hidden while the claims were locked");
    locking.run("COMMIT").await?;
    rig.until_settled(60, PATIENCE).await
}

async fn no_connection_left(rig: &mut Rig) -> anyhow::Result<()> {
    with_load(rig, 60).await?;
    rig.pg.refuse(true);
    rig.pg.cut_all();
    let mut sessions = Vec::new();
    // The backends of the connections that were cut end when they notice.
    until("no connection is left", WORK_GOES_ON, async || {
        match rig.session().await {
            Ok(session) => sessions.push(session),
            Err(error) => {
                ensure!(format!("{error:#}").contains("too many clients"), error);
                return Ok((sessions.len() > 80).then_some(()));
            }
        }
        Ok(None)
    })
    .await?;
    rig.pg.refuse(false);
    // The rig has its connection from before; services wait for theirs, which no log line tells.
    let before = rig.settled().await?;
    sleep(Duration::from_secs(5)).await;
    ensure!(rig.settled().await? == before && before < 120, "work went on without connections");
    drop(sessions);
    rig.until_settled(120, PATIENCE).await
}

async fn read_only(rig: &mut Rig) -> anyhow::Result<()> {
    with_load(rig, 120).await?;
    rig.run_statement("ALTER SYSTEM SET default_transaction_read_only = on").await?;
    rig.run_statement("SELECT pg_reload_conf()").await?;
    sleep(Duration::from_secs(5)).await;
    rig.run_statement("ALTER SYSTEM RESET default_transaction_read_only").await?;
    rig.run_statement("SELECT pg_reload_conf()").await?;
    Ok(())
}
