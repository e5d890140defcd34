use std::sync::Arc;

use anyhow::ensure;
use manifest_store::{ManifestStore, PostgresStore, StoreError, open};
use testkit::TestDatabase;

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
