//! Permanent failures, kept until somebody puts them back.

use anyhow::ensure;
use types::{PolicyHash, RejectCode, RejectReason, StageName};

use super::fixtures::{LONG, Store, claim_one, dataset, key, owned, publish, stage_key};
use crate::{ClaimKey, ClaimOutcome, Settlement};

async fn reject(store: &Store, key: &ClaimKey, code: RejectCode) -> anyhow::Result<()> {
    let claim = owned(store, key).await?;
    store.quarantine(&claim, &RejectReason::new(code, "as tested")).await?;
    Ok(())
}

/// Quarantined work is not given out again; the reason is kept, whatever a decoder put into it.
pub async fn quarantined_work_is_settled_with_its_reason(store: Store) -> anyhow::Result<()> {
    let key = key("broken.png");
    let claim = owned(&store, &key).await?;
    store.quarantine(&claim, &RejectReason::new(RejectCode::Corrupt, "bad chunk \0 ✗")).await?;
    let reason = RejectReason::new(RejectCode::Corrupt, "bad chunk \\u{0} ✗");
    let outcome = claim_one(&store, &key, "owner", LONG).await?;
    assert_eq!(outcome, ClaimOutcome::Settled(Settlement::Rejected(reason.clone())));

    let listed = store.rejected(&dataset(), None, 10).await?;
    assert_eq!(listed.len(), 1);
    assert_eq!((&listed[0].key, &listed[0].reason, listed[0].attempts), (&key, &reason, 1));
    // Between the day this was written and the year 2100.
    ensure!((1_750_000_000..4_102_444_800).contains(&listed[0].rejected_at), "{listed:?}");
    assert_eq!(store.dataset(&dataset()).await?.rejected, 1);
    Ok(())
}

/// An object that is done is fine: what was rejected of it before is forgotten, and only that.
pub async fn done_work_retires_the_rejections_of_its_object(store: Store) -> anyhow::Result<()> {
    let stage = StageName::Ingest;
    let (old, new) = (stage_key(stage, "s3://inbox/a", "v1"), stage_key(stage, "s3://inbox/a", "v2"));
    let other_policy = ClaimKey { policy: PolicyHash::of("another"), ..old.clone() };
    let elsewhere = stage_key(stage, "s3://inbox/b", "v1");
    let later_stage = stage_key(StageName::Normalize, "s3://inbox/a", "v1");
    for key in [&old, &other_policy, &elsewhere, &later_stage] {
        reject(&store, key, RejectCode::Truncated).await?;
    }
    let with_checkpoint = ClaimKey { policy: PolicyHash::of("a third"), ..old.clone() };
    let claim = owned(&store, &with_checkpoint).await?;
    store.put_checkpoint(&claim, "part", &serde_json::json!(1)).await?;
    store.quarantine(&claim, &RejectReason::new(RejectCode::Truncated, "")).await?;

    publish(&store, &new, vec![]).await?;
    let left = store.rejected(&dataset(), None, 10).await?;
    let left: Vec<_> = left.iter().map(|record| &record.key).collect();
    assert_eq!(left, [&elsewhere, &later_stage]);
    ensure!(store.checkpoints(&with_checkpoint).await?.is_empty());
    Ok(())
}

/// Pages follow each other without gaps or repeats, by stage and key.
pub async fn the_quarantine_is_paged_in_order(store: Store) -> anyhow::Result<()> {
    let mut keys = vec![
        stage_key(StageName::Normalize, "s3://bronze/images/a", "v1"),
        stage_key(StageName::Ingest, "s3://inbox/b", "v2"),
        stage_key(StageName::Ingest, "s3://inbox/b", "v1"),
        stage_key(StageName::Ingest, "s3://inbox/a/z", "v1"),
        stage_key(StageName::Ingest, "s3://inbox/B", "v1"),
    ];
    for key in &keys {
        reject(&store, key, RejectCode::Empty).await?;
    }
    let mut elsewhere = key("elsewhere");
    elsewhere.dataset = "other".parse()?;
    reject(&store, &elsewhere, RejectCode::Empty).await?;

    let mut found = Vec::new();
    loop {
        let page = store.rejected(&dataset(), found.last(), 2).await?;
        ensure!(page.len() <= 2);
        if page.is_empty() {
            break;
        }
        found.extend(page.into_iter().map(|record| record.key));
    }
    // Made in the reverse of: ingest before normalize, 'B' (0x42) before 'a' (0x61) before 'b', v1 before v2.
    keys.reverse();
    assert_eq!(found, keys);
    Ok(())
}

/// Redrive puts back what was asked for, with attempts from zero; a dry run only counts.
pub async fn redrive_takes_one_reason_or_all_and_can_only_count(store: Store) -> anyhow::Result<()> {
    let [corrupt, empty, truncated] = ["corrupt", "empty", "truncated"].map(key);
    reject(&store, &corrupt, RejectCode::Corrupt).await?;
    reject(&store, &empty, RejectCode::Empty).await?;
    reject(&store, &truncated, RejectCode::Truncated).await?;

    assert_eq!(store.redrive(&dataset(), None, true).await?, 3);
    assert_eq!(store.redrive(&dataset(), Some(RejectCode::Corrupt), true).await?, 1);
    assert_eq!(store.rejected(&dataset(), None, 10).await?.len(), 3);

    assert_eq!(store.redrive(&dataset(), Some(RejectCode::Corrupt), false).await?, 1);
    assert_eq!(store.rejected(&dataset(), None, 10).await?.len(), 2);
    assert_eq!(owned(&store, &corrupt).await?.attempt, 1);

    assert_eq!(store.redrive(&"other".parse()?, None, false).await?, 0);
    assert_eq!(store.redrive(&dataset(), None, false).await?, 2);
    ensure!(store.rejected(&dataset(), None, 10).await?.is_empty());
    Ok(())
}
