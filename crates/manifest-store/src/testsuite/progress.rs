//! How far a dataset is: what decides when a version may be planned.

use std::time::{Duration, Instant};

use anyhow::ensure;
use types::{DatasetName, ObjectVersion, OriginalRecord, PolicyHash, RejectCode, RejectReason, StageName};

use super::fixtures::{
    Store, catalogue, dataset, normalize, normalize_key, original, owned, policy, publication, publish,
    stage_key, variant,
};
use crate::{ClaimKey, Effect};

async fn pending(store: &Store) -> anyhow::Result<(u64, u64)> {
    let progress = store.progress(&dataset(), &policy()).await?;
    Ok((progress.originals, progress.pending))
}

async fn reject_at_normalize(store: &Store, record: &OriginalRecord) -> anyhow::Result<()> {
    reject(store, &normalize_key(record)).await
}

async fn reject(store: &Store, key: &ClaimKey) -> anyhow::Result<()> {
    let claim = owned(store, key).await?;
    store.quarantine(&claim, &RejectReason::new(RejectCode::Corrupt, "")).await?;
    Ok(())
}

/// An original is settled when its image has variants under the policy, from whichever copy.
pub async fn originals_are_pending_until_their_image_has_variants(store: Store) -> anyhow::Result<()> {
    assert_eq!(pending(&store).await?, (0, 0));
    let records = [original("a", "one"), original("b", "one"), original("c", "two")];
    catalogue(&store, &records).await?;
    assert_eq!(pending(&store).await?, (3, 3));
    normalize(&store, &records[..1]).await?;
    assert_eq!(pending(&store).await?, (3, 1));
    normalize(&store, &records[2..]).await?;
    assert_eq!(pending(&store).await?, (3, 0));
    assert_eq!(store.progress(&dataset(), &PolicyHash::of("other")).await?.pending, 3);
    Ok(())
}

/// Each original by itself, and only by what belongs to its dataset and policy.
pub async fn originals_are_settled_one_by_one(store: Store) -> anyhow::Result<()> {
    let other: DatasetName = "other".parse()?;
    let other_policy = PolicyHash::of("other");
    let under_other = |record| ClaimKey { policy: other_policy, ..normalize_key(record) };
    let in_other = |key| ClaimKey { dataset: other.clone(), ..key };

    let pending_ones =
        ["untouched", "held", "failed", "rendered otherwise", "refused otherwise", "elsewhere"];
    let [untouched, held, failed, rendered_otherwise, refused_otherwise, elsewhere] =
        pending_ones.map(|content| original(content, content));
    let [rendered, copy] = ["one", "two"].map(|key| original(key, "rendered"));
    let [refused, ended] = ["refused", "ended"].map(|content| original(content, content));
    catalogue(&store, &[untouched, rendered.clone(), refused.clone(), held.clone(), failed.clone()]).await?;
    catalogue(&store, &[copy, ended.clone(), rendered_otherwise.clone(), refused_otherwise.clone()]).await?;
    catalogue(&store, std::slice::from_ref(&elsewhere)).await?;
    assert_eq!(pending(&store).await?, (10, 10));

    owned(&store, &normalize_key(&held)).await?;
    let claim = owned(&store, &normalize_key(&failed)).await?;
    store.fail(&claim, Duration::ZERO, "not for good").await?;
    normalize(&store, &[rendered, original("gone", "never catalogued")]).await?;
    reject_at_normalize(&store, &refused).await?;
    publish(&store, &normalize_key(&ended), vec![]).await?;
    let rendition = variant(&rendered_otherwise, "720p", other_policy);
    publish(&store, &under_other(&rendered_otherwise), vec![Effect::Variants(vec![rendition])]).await?;
    reject(&store, &under_other(&refused_otherwise)).await?;
    // The same object and image in another dataset.
    let source = &elsewhere.source;
    let ingest = in_other(stage_key(StageName::Ingest, &source.uri.to_string(), &source.version));
    publish(&store, &ingest, vec![Effect::Original(elsewhere.clone())]).await?;
    let rendition = variant(&elsewhere, "720p", policy());
    let normalized = in_other(normalize_key(&elsewhere));
    publish(&store, &normalized, vec![Effect::Variants(vec![rendition])]).await?;

    assert_eq!(pending(&store).await?, (10, 6));
    assert_eq!(store.progress(&dataset(), &other_policy).await?.pending, 8, "all but those of that policy");
    let progress = store.progress(&other, &policy()).await?;
    assert_eq!((progress.originals, progress.pending), (1, 0));
    Ok(())
}

/// Quarantine settles an original; redrive makes it pending again.
pub async fn a_rejected_original_is_settled(store: Store) -> anyhow::Result<()> {
    let record = original("a", "one");
    catalogue(&store, std::slice::from_ref(&record)).await?;
    let claim = owned(&store, &normalize_key(&record)).await?;
    store.fail(&claim, Duration::ZERO, "not for good").await?;
    assert_eq!(pending(&store).await?, (1, 1));
    reject_at_normalize(&store, &record).await?;
    assert_eq!(pending(&store).await?, (1, 0));
    store.redrive(&dataset(), None, false).await?;
    assert_eq!(pending(&store).await?, (1, 1));
    Ok(())
}

/// Stage 2 may see the bronze object, and refuse it, before stage 1's record of it is committed.
pub async fn a_rejection_that_overtook_the_catalogue_counts(store: Store) -> anyhow::Result<()> {
    let record = original("a", "one");
    let ingest_key = stage_key(StageName::Ingest, &record.source.uri.to_string(), &record.source.version);
    let first_attempt = owned(&store, &ingest_key).await?;
    reject_at_normalize(&store, &record).await?;
    store.fail(&first_attempt, Duration::ZERO, "the answer of an upload was lost").await?;
    publish(&store, &ingest_key, vec![Effect::Original(record)]).await?;
    assert_eq!(pending(&store).await?, (1, 0));
    Ok(())
}

/// New bytes under an old key are new work, though the old ones were refused.
pub async fn an_overwritten_original_is_pending_again(store: Store) -> anyhow::Result<()> {
    let (before, after) = (original("a", "broken"), original("a", "mended"));
    catalogue(&store, std::slice::from_ref(&before)).await?;
    reject_at_normalize(&store, &before).await?;
    assert_eq!(pending(&store).await?, (1, 0));
    catalogue(&store, std::slice::from_ref(&after)).await?;
    assert_eq!(pending(&store).await?, (1, 1));
    normalize(&store, &[after]).await?;
    assert_eq!(pending(&store).await?, (1, 0));
    Ok(())
}

/// Quiet is the time since content changed: zero before there is any, unmoved by doing the same again.
pub async fn quiet_time_runs_from_the_last_change(store: Store) -> anyhow::Result<()> {
    assert_eq!(store.progress(&dataset(), &policy()).await?.quiet_for, Duration::ZERO);
    let begun = Instant::now();
    let record = original("a", "one");
    catalogue(&store, std::slice::from_ref(&record)).await?;
    // Until the store has seen a quarter of a second of quiet.
    let quiet = loop {
        let quiet = store.progress(&dataset(), &policy()).await?.quiet_for;
        ensure!(
            quiet <= begun.elapsed() + Duration::from_millis(2),
            "{quiet:?} is longer than there were originals"
        );
        match Duration::from_millis(250).checked_sub(quiet) {
            Some(rest) if !rest.is_zero() => tokio::time::sleep(rest).await,
            _ => break quiet,
        }
    };
    let again = ObjectVersion { version: "copied-onto-itself".to_owned(), ..record.source.clone() };
    let same = OriginalRecord { source: again, ..record.clone() };
    catalogue(&store, &[same]).await?;
    ensure!(store.progress(&dataset(), &policy()).await?.quiet_for >= quiet, "nothing changed");

    let changing = Instant::now();
    let claim = owned(&store, &normalize_key(&record)).await?;
    let variant = variant(&record, "720p", policy());
    store.publish(&publication(&claim, vec![Effect::Variants(vec![variant])])).await?;
    let quiet = store.progress(&dataset(), &policy()).await?.quiet_for;
    ensure!(quiet <= changing.elapsed() + Duration::from_millis(2), "a new variant is a change: {quiet:?}");
    Ok(())
}

/// Variants under another policy and other datasets are no change.
pub async fn changes_elsewhere_leave_the_quiet_time(store: Store) -> anyhow::Result<()> {
    let record = original("a", "one");
    catalogue(&store, std::slice::from_ref(&record)).await?;
    normalize(&store, std::slice::from_ref(&record)).await?;
    let quiet = Duration::from_millis(100);
    tokio::time::sleep(quiet).await;

    let other_policy = PolicyHash::of("other");
    let key = ClaimKey { policy: other_policy, ..normalize_key(&record) };
    let rendition = variant(&record, "720p", other_policy);
    publish(&store, &key, vec![Effect::Variants(vec![rendition])]).await?;
    let key = ClaimKey { dataset: "other".parse()?, ..normalize_key(&record) };
    let effects =
        vec![Effect::Original(record.clone()), Effect::Variants(vec![variant(&record, "720p", policy())])];
    publish(&store, &key, effects).await?;

    // SQLite rounds both times to milliseconds.
    let found = store.progress(&dataset(), &policy()).await?.quiet_for + Duration::from_millis(1);
    ensure!(found >= quiet, "{found:?}");
    Ok(())
}
