use std::sync::Arc;

use anyhow::ensure;
use manifest_store::{ManifestStore, SqliteStore, StoreError, open};
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
