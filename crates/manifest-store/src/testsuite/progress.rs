//! How far a dataset is: what decides when a version may be planned.

use std::time::{Duration, Instant};

use anyhow::ensure;
use types::{ObjectVersion, OriginalRecord, PolicyHash, RejectCode, RejectReason, StageName};

use super::fixtures::{
    Store, catalogue, dataset, normalize, normalize_key, original, owned, policy, publication, publish,
    stage_key,
};
use crate::Effect;

async fn pending(store: &Store) -> anyhow::Result<(u64, u64)> {
    let progress = store.progress(&dataset(), &policy()).await?;
    Ok((progress.originals, progress.pending))
}

async fn reject_at_normalize(store: &Store, record: &OriginalRecord) -> anyhow::Result<()> {
    let claim = owned(store, &normalize_key(record)).await?;
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
    let variant = super::fixtures::variant(&record, "720p", policy());
    store.publish(&publication(&claim, vec![Effect::Variants(vec![variant])])).await?;
    let quiet = store.progress(&dataset(), &policy()).await?.quiet_for;
    ensure!(quiet <= changing.elapsed() + Duration::from_millis(2), "a new variant is a change: {quiet:?}");
    Ok(())
}
