use std::sync::Arc;

use anyhow::ensure;
use manifest_store::{ManifestStore, SqliteStore, StoreError, open};
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;

async fn fresh() -> anyhow::Result<(Arc<dyn ManifestStore>, TempDir)> {
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(&folder.path().join("manifest.db")).await?;
    Ok((Arc::new(store), folder))
}

manifest_store::conformance_suite!(fresh);

#[tokio::test]
async fn a_reopened_file_holds_what_it_held() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite://{}/with space.db", folder.path().display());
    open(&url).await?.ensure_dataset(&"kept".parse()?).await?;
    assert_eq!(open(&url).await?.dataset(&"kept".parse()?).await?.originals, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_new_file_is_opened_by_several_at_once() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("manifest.db");
    let stores = futures::future::try_join_all((0..4).map(|_| SqliteStore::open(&path))).await?;
    // Each has a writer of its own, as processes do.
    let names = (0..4).map(|n| format!("dataset-{n}").parse()).collect::<Result<Vec<_>, _>>()?;
    let created = stores.iter().zip(&names).map(|(store, name)| async move {
        use manifest_store::Catalogue;
        store.ensure_dataset(name).await
    });
    futures::future::try_join_all(created).await?;
    use manifest_store::Catalogue;
    assert_eq!(stores[0].datasets().await?.len(), 4);
    Ok(())
}

/// SQLite has no statistics here and joins in the order that it guesses to be best: once it was one that ran the whole
/// page for each original.
#[tokio::test]
async fn a_page_of_samples_never_walks_through_the_dataset() -> anyhow::Result<()> {
    let (_store, folder) = fresh().await?;
    let file = format!("sqlite://{}", folder.path().join("manifest.db").display());
    let mut connection = SqliteConnection::connect(&file).await?;
    let explain = concat!("EXPLAIN QUERY PLAN ", include_str!("../../queries/sqlite/ready_images.sql"));
    let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(explain).fetch_all(&mut connection).await?;
    let searches: Vec<&str> =
        plan.iter().map(|(_, _, _, step)| step.as_str()).filter(|step| step.starts_with("SEARCH")).collect();
    ensure!(searches.len() == 4, "{plan:?}");
    ensure!(!searches.iter().any(|step| step.ends_with("(dataset=?)")), "{searches:?}");
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_a_database_is_refused_with_what_can() -> anyhow::Result<()> {
    let urls = [
        "",
        "sqlite://",
        "sqlite://:memory:",
        "sqlite://x?mode=rwc",
        "mysql://u:secret@h/d",
        "sqlite:///no/such/folder/x.db",
    ];
    for url in urls {
        let Err(StoreError::Configuration(message)) = open(url).await else {
            anyhow::bail!("{url:?} was accepted");
        };
        ensure!(!message.contains("secret"), "{message}");
        ensure!(message.contains("sqlite://") || message.contains("/no/such/folder/x.db"), "{message}");
    }
    Ok(())
}
