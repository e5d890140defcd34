//! Objects that are overwritten: which version of them counts.

use anyhow::ensure;
use futures::future::join;
use types::{ObjectVersion, OriginalRecord, PolicyHash, RejectCode, RejectReason, StageName};

use super::fixtures::{
    Store, dataset, key, normalize, normalize_key, original, owned, policy, publication, publish, stage_key,
    tick,
};
use crate::{Claim, ClaimKey, ClaimStatus, Effect, Settlement, StoreError};

const DONE: ClaimStatus = ClaimStatus::Settled(Settlement::Done);

fn ingest_key(record: &OriginalRecord) -> ClaimKey {
    stage_key(StageName::Ingest, &record.source.uri.to_string(), &record.source.version)
}

async fn ingest(store: &Store, record: &OriginalRecord) -> anyhow::Result<()> {
    tick().await;
    publish(store, &ingest_key(record), vec![Effect::Original(record.clone())]).await
}

/// A, then B, then A again: the second A is not taken for the first.
pub async fn content_that_comes_back_is_new_work(store: Store) -> anyhow::Result<()> {
    let (a, b) = (original("x", "A"), original("x", "B"));
    let keys = [ingest_key(&a), ingest_key(&b)];
    ingest(&store, &a).await?;
    assert_eq!(store.statuses(&keys).await?, [DONE, ClaimStatus::Free]);
    ingest(&store, &b).await?;
    assert_eq!(store.statuses(&keys).await?, [ClaimStatus::Free, DONE]);
    assert_eq!(store.originals(&dataset(), None, 10).await?, std::slice::from_ref(&b));

    tick().await;
    let again = owned(&store, &keys[0]).await?;
    assert_eq!(again.attempt, 1, "attempts begin anew");
    ensure!(again.token.0 > 1, "and the fence does not: {again:?}");
    store.publish(&publication(&again, vec![Effect::Original(a.clone())])).await?;
    assert_eq!(store.statuses(&keys).await?, [DONE, ClaimStatus::Free]);
    assert_eq!(store.originals(&dataset(), None, 10).await?, [a]);
    Ok(())
}

/// What became of content at its first coming settles it when it comes back after other content: its bronze object is
/// the same, and is not looked at again.
pub async fn content_that_comes_back_is_settled_as_before(store: Store) -> anyhow::Result<()> {
    let pending = async || anyhow::Ok(store.progress(&dataset(), &policy()).await?.pending);
    let reject = async |record| {
        let claim = owned(&store, &normalize_key(record)).await?;
        store.quarantine(&claim, &RejectReason::new(RejectCode::Corrupt, "")).await?;
        anyhow::Ok(())
    };
    let (broken, good) = (original("x", "broken"), original("x", "good"));
    ingest(&store, &broken).await?;
    reject(&broken).await?;
    assert_eq!(pending().await?, 0);
    ingest(&store, &good).await?;
    assert_eq!(pending().await?, 1);
    tick().await;
    normalize(&store, std::slice::from_ref(&good)).await?;
    assert_eq!(pending().await?, 0);

    ingest(&store, &broken).await?;
    assert_eq!(pending().await?, 0);
    Ok(())
}

/// A rejection of content that was read later than ours is not ours to forget.
pub async fn a_late_publication_keeps_the_rejection_of_newer_content(store: Store) -> anyhow::Result<()> {
    let (old, new) = (original("x", "old"), original("x", "new, and broken"));
    let late = owned(&store, &ingest_key(&old)).await?;
    tick().await;
    let claim = owned(&store, &ingest_key(&new)).await?;
    let reason = RejectReason::new(RejectCode::Corrupt, "");
    store.quarantine(&claim, &reason).await?;
    store.publish(&publication(&late, vec![Effect::Original(old.clone())])).await?;
    let rejected = ClaimStatus::Settled(Settlement::Rejected(reason));
    assert_eq!(store.statuses(&[ingest_key(&old), ingest_key(&new)]).await?, [DONE, rejected]);
    Ok(())
}

/// What the catalogue no longer holds is free whatever policy it was done under; the same version is not touched, nor
/// are other objects, stages and datasets.
pub async fn done_work_frees_other_versions_under_every_policy(store: Store) -> anyhow::Result<()> {
    let old = key("x");
    let object = ObjectVersion { version: "another".to_owned(), ..old.object.clone() };
    let new = ClaimKey { object, ..old.clone() };
    let with_policy = |key: &ClaimKey| ClaimKey { policy: PolicyHash::of("other"), ..key.clone() };
    let elsewhere = [
        ClaimKey { stage: StageName::Shard, ..old.clone() },
        ClaimKey { dataset: "other".parse()?, ..old.clone() },
        key("x.other"),
    ];
    for key in [&old, &with_policy(&old)].into_iter().chain(&elsewhere) {
        publish(&store, key, vec![]).await?;
    }
    tick().await;
    publish(&store, &with_policy(&new), vec![]).await?;
    publish(&store, &new, vec![]).await?;

    let asked = [old.clone(), with_policy(&old), new.clone(), with_policy(&new)];
    let expected = [ClaimStatus::Free, ClaimStatus::Free, DONE, DONE];
    assert_eq!(store.statuses(&asked).await?, expected);
    assert_eq!(store.statuses(&elsewhere).await?, [DONE, DONE, DONE]);
    Ok(())
}

/// Claims `old` and then `new`.
async fn claimed(store: &Store, old: &ClaimKey, new: &ClaimKey) -> anyhow::Result<(Claim, Claim)> {
    let first = owned(store, old).await?;
    tick().await;
    Ok((first, owned(store, new).await?))
}

/// Who read the object before its successor was claimed and done has nothing to add, under whatever policy.
pub async fn stale_work_is_refused(store: Store) -> anyhow::Result<()> {
    let (a, b) = (original("x", "A"), original("x", "B"));
    let (old, new) = claimed(&store, &ingest_key(&a), &ingest_key(&b)).await?;
    store.publish(&publication(&new, vec![Effect::Original(b.clone())])).await?;
    let stale = publication(&old, vec![Effect::Original(a)]);
    let refused = store.publish(&stale).await;
    ensure!(matches!(refused, Err(StoreError::Superseded)), "{refused:?}");
    assert_eq!(store.originals(&dataset(), None, 10).await?, [b]);
    assert_eq!(store.manifests(&dataset(), StageName::Ingest, None, 10).await?.len(), 1);
    // Its claim is as it was: the engine says what becomes of it.
    assert_eq!(store.renew(std::slice::from_ref(&old), super::fixtures::LONG).await?, [true]);

    let (of_old, of_new) = (key("y"), ClaimKey { policy: PolicyHash::of("other"), ..key("y") });
    let of_new =
        ClaimKey { object: types::ObjectVersion { version: "2".to_owned(), ..of_new.object }, ..of_new };
    let (old, new) = claimed(&store, &of_old, &of_new).await?;
    store.publish(&publication(&new, vec![])).await?;
    let refused = store.publish(&publication(&old, vec![])).await;
    ensure!(matches!(refused, Err(StoreError::Superseded)), "{refused:?}");
    Ok(())
}

/// Whoever comes first, the catalogue ends with the version that was claimed last.
pub async fn of_two_versions_published_at_once_the_later_claimed_stays(store: Store) -> anyhow::Result<()> {
    for round in 0..20 {
        let name = format!("x-{round}");
        let (a, b) = (original(&name, "A"), original(&name, "B"));
        let (old, new) = claimed(&store, &ingest_key(&a), &ingest_key(&b)).await?;
        let stale = publication(&old, vec![Effect::Original(a.clone())]);
        let fresh = publication(&new, vec![Effect::Original(b.clone())]);
        let (of_stale, of_fresh) = if round % 2 == 0 {
            join(store.publish(&stale), store.publish(&fresh)).await
        } else {
            let (of_fresh, of_stale) = join(store.publish(&fresh), store.publish(&stale)).await;
            (of_stale, of_fresh)
        };
        of_fresh?;
        ensure!(matches!(of_stale, Ok(()) | Err(StoreError::Superseded)), "{of_stale:?}");
        assert_eq!(store.original(&dataset(), &name).await?, Some(b.clone()));
        assert_eq!(store.statuses(&[ingest_key(&b)]).await?, [DONE]);
        let [status] = store.statuses(&[ingest_key(&a)]).await?.try_into().expect("one answer");
        ensure!(status != DONE, "the stale one stays to be looked at");
    }
    Ok(())
}
