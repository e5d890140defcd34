use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use manifest_store::{ClaimOutcome, ManifestStore, PostgresStore, StoreError, open};
use sqlx::{Connection, PgConnection};
use testkit::TestDatabase;
use types::StageName;

use super::model::{claim_key, publication};

async fn fresh() -> anyhow::Result<(Arc<dyn ManifestStore>, TestDatabase)> {
    let database = testkit::database().await?;
    let store = PostgresStore::connect(&database.url, 8).await?;
    Ok((Arc::new(store), database))
}

manifest_store::conformance_suite!(fresh);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn replicas_that_start_together_take_turns_at_the_schema() -> anyhow::Result<()> {
    let database = testkit::database().await?;
    let stores = futures::future::try_join_all((0..4).map(|_| open(&database.url))).await?;
    stores[0].ensure_dataset(&"shared".parse()?).await?;
    assert_eq!(stores[3].datasets().await?.len(), 1);
    Ok(())
}

/// What the database itself refuses has ended the transaction that all share.
#[tokio::test]
async fn a_publication_that_the_database_refuses_harms_no_other() -> anyhow::Result<()> {
    let (store, _database) = fresh().await?;
    let dataset = "shared".parse()?;
    // Three objects.
    let keys = [0, 1, 3].map(|n| claim_key(&dataset, n));
    let outcomes = store.claim(&keys, "owner", Duration::from_secs(600)).await?;
    let mut publications = Vec::new();
    for outcome in outcomes {
        let ClaimOutcome::Owned(claim) = outcome else { anyhow::bail!("{outcome:?}") };
        publications.push(publication(&claim));
    }
    // Text in Postgres holds no NUL.
    publications[1].manifest.source.version = "\0".to_owned();
    let answers = store.publish_all(&publications).await?;
    ensure!(answers[0].is_ok() && answers[2].is_ok(), "{answers:?}");
    ensure!(matches!(answers[1], Err(StoreError::Invalid(_))), "{answers:?}");
    assert_eq!(store.manifests(&dataset, StageName::Normalize, None, 10).await?.len(), 2);
    Ok(())
}

/// The duty is the connection's: when the server ends it, the leader knows, and the next one can have it.
#[tokio::test]
async fn a_leader_whose_connection_broke_leads_no_more() -> anyhow::Result<()> {
    let (store, database) = fresh().await?;
    let mut leader = store.lead("janitor").await?.context("nobody else is there")?;
    let mut server = PgConnection::connect(&database.url).await?;
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1",
    )
    .execute(&mut server)
    .await?;
    ensure!(!leader.holds().await);
    ensure!(!leader.holds().await, "and never again");
    let next = async || Ok(store.lead("janitor").await?);
    testkit::until("the duty is free", Duration::from_secs(30), next).await?;
    Ok(())
}

#[tokio::test]
async fn errors_do_not_show_the_password() -> anyhow::Result<()> {
    // Nobody listens on port 1; the second is not a URL; the third has a port that is none.
    for url in [
        "postgres://user:secret@127.0.0.1:1/x",
        "postgres://user:secret@[/x",
        "postgres://user:secret@h:port/x",
    ] {
        let error = open(url).await.err();
        ensure!(
            matches!(error, Some(StoreError::Unavailable(_) | StoreError::Configuration(_))),
            "{error:?}"
        );
        ensure!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
    Ok(())
}
