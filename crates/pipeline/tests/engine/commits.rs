//! Commits whose answers are lost or late.

use manifest_store::{ClaimStatus, Settlement, StoreError};
use pipeline::PollMode;

use crate::bench::{Act, Bench, LONG, Running, until};
use crate::scripted_store::{Commit, ScriptedStore};

const KEY: &str = "in/a";

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_asked_again_and_done_once() -> anyhow::Result<()> {
    let mut bench = Bench::new().await?;
    let store = ScriptedStore::before(&mut bench);
    bench.put(KEY).await?;
    store.tell([Commit::LoseCall, Commit::LoseAnswer]);
    bench.run().await?;
    assert_eq!(bench.recorder.labels_of(KEY), ["done"]);
    assert_eq!((bench.stage.runs().len(), store.asked_to_commit()), (1, 3), "the work is done once");
    assert_eq!(bench.manifests().await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_commit_that_is_never_answered_is_looked_up_and_found_done() -> anyhow::Result<()> {
    let mut bench = Bench::new().await?;
    let store = ScriptedStore::before(&mut bench);
    bench.put(KEY).await?;
    store.tell([Commit::LoseCall, Commit::LoseCall, Commit::LoseAnswer]);
    bench.run().await?;
    assert_eq!(bench.recorder.labels_of(KEY), ["done"], "as the store says");
    assert_eq!((bench.stage.runs().len(), store.asked_to_commit()), (1, 3));
    assert_eq!(bench.manifests().await?, 1);
    Ok(())
}

#[tokio::test]
async fn a_commit_that_never_happened_is_looked_up_and_the_work_handed_back() -> anyhow::Result<()> {
    let mut bench = Bench::new().await?;
    let store = ScriptedStore::before(&mut bench);
    bench.put(KEY).await?;
    store.tell([Commit::LoseCall; 3]);
    bench.run().await?;
    assert_eq!(bench.recorder.labels_of(KEY), ["handed_back", "done"], "nothing is taken for done");
    assert_eq!((bench.stage.runs().len(), store.asked_to_commit()), (2, 4));
    let known = bench.processed(KEY).await?;
    assert_eq!((known[0].attempts, bench.manifests().await?), (1, 1), "the first attempt does not count");
    Ok(())
}

/// Work that is cancelled while its commit is under way.
async fn cancelled_during(commit: Commit) -> anyhow::Result<(Bench, std::sync::Arc<ScriptedStore>)> {
    let mut bench = Bench::new().await?;
    let store = ScriptedStore::before(&mut bench);
    bench.put(KEY).await?;
    bench.stage.tell(KEY, [Act::Publish]);
    store.tell([commit]);
    let running: Running = bench.start(bench.settings("first"), PollMode::Every(LONG));
    let is_under_way = || match commit {
        Commit::HoldAnswer => store.committed().len() == 1,
        Commit::HoldCall | Commit::LoseCall | Commit::LoseAnswer => store.asked_to_commit() == 1,
    };
    until("the commit is under way", async || is_under_way()).await?;
    running.shutdown.intake.cancel();
    running.shutdown.work.cancel();
    running.ended().await?;
    assert_eq!(bench.recorder.labels_of(KEY), ["handed_back"], "nobody waits for the answer");
    Ok((bench, store))
}

#[tokio::test]
async fn work_cancelled_after_its_commit_stays_done() -> anyhow::Result<()> {
    let (bench, store) = cancelled_during(Commit::HoldAnswer).await?;
    let known = bench.processed(KEY).await?;
    assert_eq!(known[0].status, ClaimStatus::Settled(Settlement::Done), "handing back did not touch it");
    store.let_go();
    bench.run_with(bench.settings("second")).await?;
    assert_eq!((bench.stage.runs().len(), bench.manifests().await?), (1, 1), "nothing is left to do");
    Ok(())
}

#[tokio::test]
async fn work_cancelled_before_its_commit_is_free_and_the_late_commit_refused() -> anyhow::Result<()> {
    let (bench, store) = cancelled_during(Commit::HoldCall).await?;
    let known = bench.processed(KEY).await?;
    assert_eq!((known[0].status.clone(), known[0].attempts), (ClaimStatus::Free, 0));
    store.let_go();
    until("the late commit was answered", async || store.committed().len() == 1).await?;
    assert!(matches!(store.committed().as_slice(), [Err(StoreError::Fenced)]), "{:?}", store.committed());
    assert_eq!(bench.manifests().await?, 0);
    bench.run_with(bench.settings("second")).await?;
    assert_eq!(bench.recorder.labels_of(KEY), ["handed_back", "done"]);
    assert_eq!((bench.stage.runs().len(), bench.manifests().await?), (2, 1));
    Ok(())
}
