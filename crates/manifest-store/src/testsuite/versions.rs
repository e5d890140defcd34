//! Versions: planned, built, published at once.

use anyhow::ensure;
use futures::future::try_join_all;
use serde_json::json;
use types::{S3Uri, Sha256, Split, StageName, VersionNumber};

use super::fixtures::{Store, dataset, owned, plan, publication, publish, stage_key, tar, uri};
use crate::{ClaimKey, Effect, PlanOutcome, PlannedShard, StoreError, VersionPlan, VersionState};

fn version(number: u32) -> VersionNumber {
    VersionNumber::new(number).expect("from 1")
}

/// The work of publishing a version, or of one of its shards.
fn work(name: &str) -> ClaimKey {
    stage_key(StageName::Shard, &format!("s3://gold/plans/{name}"), "v1")
}

fn manifest() -> (S3Uri, Sha256) {
    (uri("s3://gold/v1/manifest.json"), Sha256::of("manifest"))
}

fn published(number: u32) -> Effect {
    let (manifest_uri, manifest_sha256) = manifest();
    Effect::VersionPublished { version: version(number), manifest_uri, manifest_sha256 }
}

fn built(number: u32, planned: &PlannedShard) -> Effect {
    let shard = tar(planned, &format!("tar {}", planned.number));
    Effect::ShardBuilt { version: version(number), number: planned.number, shard }
}

/// Plans, builds and publishes in one go.
async fn make(store: &Store, number: u32, plan: &VersionPlan) -> anyhow::Result<()> {
    assert_eq!(store.plan_version(&dataset(), plan).await?, PlanOutcome::Planned(version(number)));
    let mut effects: Vec<Effect> = plan.shards.iter().map(|shard| built(number, shard)).collect();
    effects.push(published(number));
    publish(store, &work(&format!("whole-{number}")), effects).await
}

/// The same content is the same version: resumed while it is being built, unchanged once it is published.
pub async fn a_plan_is_resumed_until_it_is_published(store: Store) -> anyhow::Result<()> {
    let unknown = store.plan_version(&dataset(), &plan("a", 1)).await;
    ensure!(matches!(unknown, Err(StoreError::NoSuchDataset(_))), "{unknown:?}");
    store.ensure_dataset(&dataset()).await?;

    let plan = plan("a", 2);
    assert_eq!(store.plan_version(&dataset(), &plan).await?, PlanOutcome::Planned(version(1)));
    assert_eq!(store.plan_version(&dataset(), &plan).await?, PlanOutcome::Resumed(version(1)));
    assert_eq!(store.shards(&dataset(), version(1)).await?.len(), 2);
    let effects = vec![built(1, &plan.shards[0]), built(1, &plan.shards[1]), published(1)];
    publish(&store, &work("all"), effects).await?;
    assert_eq!(store.plan_version(&dataset(), &plan).await?, PlanOutcome::Unchanged(version(1)));
    Ok(())
}

/// Of planners that look at the same content at once, one plans and the others go on with it.
pub async fn concurrent_planners_agree(store: Store) -> anyhow::Result<()> {
    store.ensure_dataset(&dataset()).await?;
    let plan = plan("a", 3);
    let name = dataset();
    let outcomes = try_join_all((0..8).map(|_| store.plan_version(&name, &plan))).await?;
    let first = outcomes.iter().filter(|outcome| **outcome == PlanOutcome::Planned(version(1))).count();
    let others = outcomes.iter().filter(|outcome| **outcome == PlanOutcome::Resumed(version(1))).count();
    assert_eq!((first, others), (1, 7), "{outcomes:?}");
    assert_eq!(store.shards(&dataset(), version(1)).await?.len(), 3);
    Ok(())
}

/// Only the newest plan is built.
pub async fn a_newer_plan_abandons_the_older(store: Store) -> anyhow::Result<()> {
    store.ensure_dataset(&dataset()).await?;
    assert_eq!(store.plan_version(&dataset(), &plan("a", 1)).await?, PlanOutcome::Planned(version(1)));
    assert_eq!(store.plan_version(&dataset(), &plan("b", 1)).await?, PlanOutcome::Planned(version(2)));
    assert_eq!(store.plan_version(&dataset(), &plan("a", 1)).await?, PlanOutcome::Planned(version(3)));
    let states: Vec<_> = store.versions(&dataset()).await?.iter().map(|record| record.state).collect();
    assert_eq!(states, [VersionState::Abandoned, VersionState::Abandoned, VersionState::Planned]);
    Ok(())
}

/// Content that goes back to an older published version is a new version.
pub async fn only_the_latest_published_version_is_unchanged(store: Store) -> anyhow::Result<()> {
    store.ensure_dataset(&dataset()).await?;
    make(&store, 1, &plan("a", 1)).await?;
    make(&store, 2, &plan("b", 1)).await?;
    assert_eq!(store.plan_version(&dataset(), &plan("b", 1)).await?, PlanOutcome::Unchanged(version(2)));
    assert_eq!(store.plan_version(&dataset(), &plan("a", 1)).await?, PlanOutcome::Planned(version(3)));
    assert_eq!(store.dataset(&dataset()).await?.latest, Some(version(2)));
    Ok(())
}

/// Readers see a version at once and complete: never before its last shard, and then all of it.
pub async fn a_version_is_published_when_all_its_shards_are_built(store: Store) -> anyhow::Result<()> {
    store.ensure_dataset(&dataset()).await?;
    let shard = |variant: &str, split, number| PlannedShard {
        variant: variant.to_owned(),
        split,
        number,
        samples: 10,
    };
    // In the order in which they are to be listed.
    let shards = vec![
        shard("1080p", Split::Train, 0),
        shard("1080p", Split::Val, 0),
        shard("1080p", Split::Test, 0),
        shard("720p", Split::Train, 9),
        shard("720p", Split::Train, 10),
    ];
    let mut plan = VersionPlan { input_digest: Sha256::of("a"), settings: json!({ "seed": 0.1 }), shards };
    plan.shards.reverse();
    store.plan_version(&dataset(), &plan).await?;
    plan.shards.reverse();
    for (n, planned) in plan.shards.iter().enumerate() {
        let early = owned(&store, &work(&format!("early-{n}"))).await?;
        let refused = store.publish(&publication(&early, vec![published(1)])).await;
        ensure!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
        assert_eq!(store.dataset(&dataset()).await?.latest, None);
        publish(&store, &work(&format!("shard-{n}")), vec![built(1, planned)]).await?;
    }
    publish(&store, &work("last"), vec![published(1)]).await?;

    assert_eq!(store.dataset(&dataset()).await?.latest, Some(version(1)));
    let record = store.version(&dataset(), version(1)).await?;
    assert_eq!((record.state, record.manifest), (VersionState::Published, Some(manifest())));
    assert_eq!((record.input_digest, record.settings), (plan.input_digest, plan.settings));
    // Between the day this was written and the year 2100.
    ensure!(record.published_at.is_some_and(|at| (1_750_000_000..4_102_444_800).contains(&at)));
    let found = store.shards(&dataset(), version(1)).await?;
    assert_eq!(found.iter().map(|shard| shard.planned.clone()).collect::<Vec<_>>(), plan.shards);
    for shard in found {
        assert_eq!(shard.built, Some(tar(&shard.planned, &format!("tar {}", shard.planned.number))));
    }
    Ok(())
}

/// Work on an overtaken version may end, but it is never shown.
pub async fn an_abandoned_version_is_not_published(store: Store) -> anyhow::Result<()> {
    store.ensure_dataset(&dataset()).await?;
    let old = plan("a", 1);
    store.plan_version(&dataset(), &old).await?;
    store.plan_version(&dataset(), &plan("b", 1)).await?;
    publish(&store, &work("late shard"), vec![built(1, &old.shards[0])]).await?;
    let claim = owned(&store, &work("late version")).await?;
    let refused = store.publish(&publication(&claim, vec![published(1)])).await;
    ensure!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
    assert_eq!(store.dataset(&dataset()).await?.latest, None);
    Ok(())
}

/// Published is immutable: doing the same again is nothing, doing it differently is refused.
pub async fn shards_of_a_published_version_are_never_replaced(store: Store) -> anyhow::Result<()> {
    store.ensure_dataset(&dataset()).await?;
    let plan = plan("a", 1);
    make(&store, 1, &plan).await?;
    publish(&store, &work("same"), vec![built(1, &plan.shards[0]), published(1)]).await?;

    let other_tar =
        Effect::ShardBuilt { version: version(1), number: 0, shard: tar(&plan.shards[0], "other bytes") };
    let (manifest_uri, _) = manifest();
    let other_manifest =
        Effect::VersionPublished { version: version(1), manifest_uri, manifest_sha256: Sha256::of("other") };
    for (n, effect) in [other_tar, other_manifest].into_iter().enumerate() {
        let claim = owned(&store, &work(&format!("other-{n}"))).await?;
        let refused = store.publish(&publication(&claim, vec![effect])).await;
        ensure!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
    }
    assert_eq!(store.shards(&dataset(), version(1)).await?[0].built, Some(tar(&plan.shards[0], "tar 0")));
    assert_eq!(store.version(&dataset(), version(1)).await?.manifest, Some(manifest()));
    Ok(())
}

/// What was never planned can be neither read nor published.
pub async fn an_unknown_version_is_an_error(store: Store) -> anyhow::Result<()> {
    store.ensure_dataset(&dataset()).await?;
    let read = store.version(&dataset(), version(7)).await;
    ensure!(matches!(&read, Err(StoreError::NoSuchVersion(_, number)) if number.get() == 7), "{read:?}");
    let claim = owned(&store, &work("unknown")).await?;
    let written = store.publish(&publication(&claim, vec![published(7)])).await;
    ensure!(matches!(written, Err(StoreError::NoSuchVersion(..))), "{written:?}");
    ensure!(store.versions(&dataset()).await?.is_empty());
    ensure!(store.shards(&dataset(), version(7)).await?.is_empty());
    Ok(())
}
