//! A janitor that dies or fails between condemning and burying, and the worker that does the same work meanwhile.

use janitor::JanitorError;
use manifest_store::StoreError;
use object_storage::StorageError;

use crate::bench::{Bench, OLD, Trouble, manifest, tick, variant};

/// Sweeps until the first deletion hangs, and dies there.
async fn die_deleting(bench: &Bench) -> anyhow::Result<()> {
    let janitor = bench.janitor();
    tokio::select! {
        swept = janitor.sweep() => anyhow::bail!("no deletion hung: {swept:?}"),
        hung = bench.blobs.met.acquire() => hung?.forget(),
    }
    bench.blobs.make(Trouble::None);
    Ok(())
}

/// The worker does the work anew and is refused, as long as the object is condemned; its upload is young.
async fn work_is_refused(bench: &Bench) -> anyhow::Result<()> {
    tick().await;
    let claim = bench.claim(1).await?;
    bench.upload(1).await?;
    let refused = bench.commit(&claim, 1).await;
    assert!(matches!(refused, Err(StoreError::OutputsRemoved)), "{refused:?}");
    bench.store.release(&[claim]).await?;
    Ok(())
}

async fn work_succeeds(bench: &Bench) -> anyhow::Result<()> {
    tick().await;
    bench.publish(1).await?;
    for uri in [variant(1), manifest(1)] {
        bench.blobs.inner.backdate(&uri, OLD)?;
    }
    bench.janitor().sweep().await?;
    assert!(bench.is_there(&variant(1)).await? && bench.is_there(&manifest(1)).await?);
    Ok(())
}

#[tokio::test]
async fn object_condemned_by_a_dead_janitor_can_be_published_after_the_next_sweep() -> anyhow::Result<()> {
    for trouble in [Trouble::HangsBefore, Trouble::HangsAfter] {
        let bench = Bench::new().await?;
        bench.put(&variant(1), OLD).await?;
        bench.blobs.make(trouble);
        die_deleting(&bench).await?;
        assert_eq!(bench.is_there(&variant(1)).await?, trouble == Trouble::HangsBefore);

        work_is_refused(&bench).await?;
        let swept = bench.janitor().sweep().await?.expect("nobody else leads");
        assert_eq!(swept.orphans, 1, "{trouble:?}: the upload that was refused");
        work_succeeds(&bench).await?;
    }
    Ok(())
}

#[tokio::test]
async fn deletion_whose_answer_was_lost_is_repeated_before_anybody_may_publish() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    bench.put(&variant(1), OLD).await?;
    bench.blobs.make(Trouble::AnswerLost);
    let failed = bench.janitor().sweep().await;
    assert!(matches!(failed, Err(JanitorError::Storage(StorageError::Unavailable(_)))), "{failed:?}");

    work_is_refused(&bench).await?;
    bench.blobs.make(Trouble::None);
    bench.janitor().sweep().await?;
    work_succeeds(&bench).await
}

#[tokio::test]
async fn janitor_that_may_not_delete_does_not_keep_others_from_publishing() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    // More than are deleted at once.
    for number in 1..=12 {
        bench.put(&variant(number), OLD).await?;
    }
    bench.blobs.make(Trouble::Refused);
    for _ in 0..2 {
        let failed = bench.janitor().sweep().await;
        assert!(matches!(failed, Err(JanitorError::Storage(StorageError::Denied { .. }))), "{failed:?}");
    }
    tick().await;
    for number in 1..=12 {
        assert!(bench.is_there(&variant(number)).await?);
        bench.publish(number).await?;
    }
    Ok(())
}
