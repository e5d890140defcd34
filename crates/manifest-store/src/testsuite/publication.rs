//! The end of successful work.

use std::time::Duration;

use anyhow::ensure;
use futures::future::join_all;
use types::{StageName, VersionNumber};

use super::fixtures::{
    Store, claim_one, dataset, expect_owned, key, normalize_key, original, owned, plan, policy, publication,
    stage_key, tar, tick, uri, variant,
};
use crate::{ClaimStatus, Direction, Effect, Settlement, StoreError};

/// When one effect is refused, nothing of the publication is there, and the claim is still ours.
pub async fn a_publication_happens_wholly_or_not_at_all(store: Store) -> anyhow::Result<()> {
    let key = key("half.jpg");
    let claim = owned(&store, &key).await?;
    let unplanned = plan("", 1).shards.remove(0);
    let effects = vec![
        Effect::Original(original("half.jpg", "half")),
        Effect::ShardBuilt { version: VersionNumber::FIRST, number: 0, shard: tar(&unplanned, "tar") },
    ];
    ensure!(store.publish(&publication(&claim, effects)).await.is_err(), "no such version is planned");
    ensure!(store.manifests(&dataset(), StageName::Normalize, None, 10).await?.is_empty());
    ensure!(store.originals(&dataset(), None, 10).await?.is_empty());
    ensure!(store.lineage(&key.object.uri, Direction::Descendants, 10).await?.is_empty());

    store.publish(&publication(&claim, vec![Effect::Original(original("half.jpg", "half"))])).await?;
    assert_eq!(store.statuses(&[key]).await?, [ClaimStatus::Settled(Settlement::Done)]);
    assert_eq!(store.originals(&dataset(), None, 10).await?.len(), 1);
    assert_eq!(store.manifests(&dataset(), StageName::Normalize, None, 10).await?.len(), 1);
    Ok(())
}

/// The answer to a commit may be lost; asking again with the same token is safe.
pub async fn publishing_again_changes_nothing(store: Store) -> anyhow::Result<()> {
    let claim = owned(&store, &key("again.jpg")).await?;
    store.publish(&publication(&claim, vec![Effect::Original(original("x", "first"))])).await?;
    store.publish(&publication(&claim, vec![Effect::Original(original("x", "second"))])).await?;
    assert_eq!(store.originals(&dataset(), None, 10).await?, [original("x", "first")]);
    assert_eq!(store.manifests(&dataset(), StageName::Normalize, None, 10).await?.len(), 1);
    Ok(())
}

/// Two tasks publish the same claim at the same time: both are answered, one took effect.
pub async fn concurrent_publications_of_one_claim_have_one_effect(store: Store) -> anyhow::Result<()> {
    let claim = owned(&store, &key("both.jpg")).await?;
    let publication = publication(&claim, vec![]);
    for result in join_all((0..4).map(|_| store.publish(&publication))).await {
        result?;
    }
    assert_eq!(store.manifests(&dataset(), StageName::Normalize, None, 10).await?.len(), 1);
    assert_eq!(
        store.lineage(&uri("s3://bronze/images/both.jpg"), Direction::Descendants, 10).await?.len(),
        1
    );
    Ok(())
}

/// Copies of one image publish the same variants and edges at once, in different orders, and none fails for
/// it.
pub async fn exact_duplicates_are_published_side_by_side(store: Store) -> anyhow::Result<()> {
    let copies: Vec<_> = (0..16).map(|n| original(&format!("copy-{n}"), "one picture")).collect();
    let one = |(n, record): (usize, &types::OriginalRecord)| {
        let store = Store::clone(&store);
        let record = record.clone();
        tokio::spawn(async move {
            let mut names = ["1080p", "720p", "480p", "360p"];
            names.rotate_left(n % 4);
            let claim = owned(&store, &normalize_key(&record)).await?;
            let variants = names.map(|name| variant(&record, name, policy()));
            let mut publication = publication(&claim, vec![Effect::Variants(variants.to_vec())]);
            publication.lineage = variants
                .iter()
                .map(|variant| types::LineageEdge {
                    parent: uri("s3://bronze/images/shared"),
                    child: variant.output_uri.clone(),
                    relation: types::Relation::Rendered,
                })
                .collect();
            store.publish(&publication).await?;
            anyhow::Ok(())
        })
    };
    for result in join_all(copies.iter().enumerate().map(one)).await {
        result??;
    }
    assert_eq!(store.variants(&dataset(), &copies[0].image_id, &policy()).await?.len(), 4);
    assert_eq!(store.lineage(&uri("s3://bronze/images/shared"), Direction::Descendants, 100).await?.len(), 4);
    Ok(())
}

/// Each publication has its own answer; what is refused writes nothing, and the rest is there.
pub async fn publications_in_bulk_are_answered_in_order(store: Store) -> anyhow::Result<()> {
    let [good, late, lost, unplanned] = ["good", "late", "lost", "unplanned"].map(key);
    let good = owned(&store, &good).await?;
    let lost_claim = expect_owned(claim_one(&store, &lost, "old", Duration::ZERO).await?)?;
    owned(&store, &lost).await?;
    let unplanned_claim = owned(&store, &unplanned).await?;
    let late = owned(&store, &late).await?;
    let shard = plan("", 1).shards.remove(0);
    let built = Effect::ShardBuilt { version: VersionNumber::FIRST, number: 0, shard: tar(&shard, "tar") };
    let catalogued = |name: &str| Effect::Original(original(name, name));
    let publications = [
        publication(&lost_claim, vec![catalogued("lost")]),
        publication(&good, vec![catalogued("good")]),
        publication(&unplanned_claim, vec![catalogued("unplanned"), built]),
        publication(&good, vec![catalogued("good, again")]),
        publication(&late, vec![catalogued("late")]),
    ];
    let answers = store.publish_all(&publications).await?;
    assert_eq!(answers.len(), 5);
    ensure!(matches!(answers[0], Err(StoreError::Fenced)), "{answers:?}");
    ensure!(matches!(answers[2], Err(StoreError::Invalid(_))), "{answers:?}");
    ensure!(answers[1].is_ok() && answers[3].is_ok() && answers[4].is_ok(), "{answers:?}");

    let names: Vec<_> = store.originals(&dataset(), None, 10).await?.into_iter().map(|o| o.key).collect();
    assert_eq!(names, ["good", "late"]);
    let manifests = store.manifests(&dataset(), StageName::Normalize, None, 10).await?;
    let sources: Vec<_> = manifests.iter().map(|record| &record.manifest.source).collect();
    assert_eq!(sources, [&good.key.object, &late.key.object]);
    ensure!(manifests.iter().all(|record| record.manifest.entries.len() == 1), "{manifests:?}");
    store.publish(&publication(&unplanned_claim, vec![])).await?;
    ensure!(store.publish_all(&[]).await?.is_empty());
    Ok(())
}

/// Versions of one object, records of one key and equal variants in one call: the later one comes later.
pub async fn publications_in_bulk_are_as_if_one_after_the_other(store: Store) -> anyhow::Result<()> {
    let [first, second] = ["1", "2"].map(|v| stage_key(StageName::Normalize, "s3://bronze/images/x", v));
    let (other, same) = (key("other"), original("k", "same"));
    let first_claim = owned(&store, &first).await?;
    tick().await;
    let second_claim = owned(&store, &second).await?;
    let other_claim = owned(&store, &other).await?;
    let of = |content: &str| Effect::Original(original("k", content));
    let copy = original("copy", "same");
    let variants = |from| Effect::Variants(vec![variant(from, "720p", policy())]);
    let publications = [
        publication(&first_claim, vec![of("one"), variants(&same)]),
        publication(&second_claim, vec![of("two"), variants(&copy)]),
        publication(&first_claim, vec![]),
        publication(&other_claim, vec![of("three"), of("four")]),
    ];
    let answers = store.publish_all(&publications).await?;
    ensure!(answers[0].is_ok() && answers[1].is_ok() && answers[3].is_ok(), "{answers:?}");
    ensure!(matches!(answers[2], Err(StoreError::Fenced)), "unsettled by the second: {answers:?}");
    let done = ClaimStatus::Settled(Settlement::Done);
    assert_eq!(store.statuses(&[first, second, other]).await?, [ClaimStatus::Free, done.clone(), done]);
    assert_eq!(store.originals(&dataset(), None, 10).await?, [original("k", "four")]);
    let found = store.variants(&dataset(), &same.image_id, &policy()).await?;
    assert_eq!(found, [variant(&same, "720p", policy())]);
    Ok(())
}

/// A value that a database cannot hold fails its own publication only.
pub async fn one_wrong_value_in_bulk_harms_nobody_else(store: Store) -> anyhow::Result<()> {
    let claims =
        [owned(&store, &key("a")).await?, owned(&store, &key("b")).await?, owned(&store, &key("c")).await?];
    let mut publications = claims.each_ref().map(|claim| publication(claim, vec![]));
    // No database has integers of 64 bits without a sign.
    publications[1].manifest.entries[0].bytes = u64::MAX;
    let answers = store.publish_all(&publications).await?;
    ensure!(answers[0].is_ok() && answers[2].is_ok(), "{answers:?}");
    ensure!(matches!(answers[1], Err(StoreError::Invalid(_))), "{answers:?}");
    assert_eq!(store.manifests(&dataset(), StageName::Normalize, None, 10).await?.len(), 2);
    let refused = store.publish(&publications[1]).await;
    ensure!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
    store.publish(&publication(&claims[1], vec![])).await?;
    Ok(())
}

/// A version may be completed in the call that brings its last shard, after it.
pub async fn shards_and_their_version_are_published_in_one_call(store: Store) -> anyhow::Result<()> {
    store.ensure_dataset(&dataset()).await?;
    let plan = plan("a", 2);
    store.plan_version(&dataset(), &plan).await?;
    let version = VersionNumber::FIRST;
    let published = || Effect::VersionPublished {
        version,
        manifest_uri: uri("s3://gold/v1/manifest.json"),
        manifest_sha256: types::Sha256::of("manifest"),
    };
    let mut effects = vec![published()];
    for planned in &plan.shards {
        effects.push(Effect::ShardBuilt { version, number: planned.number, shard: tar(planned, "tar") });
    }
    effects.push(published());
    let mut publications = Vec::new();
    for (n, effect) in effects.into_iter().enumerate() {
        publications.push(publication(&owned(&store, &key(&format!("plan-{n}"))).await?, vec![effect]));
    }
    let answers = store.publish_all(&publications).await?;
    ensure!(matches!(answers[0], Err(StoreError::Invalid(_))), "before its shards: {answers:?}");
    ensure!(answers[1..].iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(store.dataset(&dataset()).await?.latest, Some(version));
    Ok(())
}

/// Eight tasks publish what overlaps in objects, variants and edges, each in an order of its own.
pub async fn bulk_publications_that_overlap_all_come_through(store: Store) -> anyhow::Result<()> {
    const OBJECTS: usize = 24;
    let originals: Vec<_> = (0..OBJECTS).map(|n| original(&format!("{n}"), &format!("{}", n % 5))).collect();
    let mut publications = Vec::new();
    for record in &originals {
        let claim = owned(&store, &normalize_key(record)).await?;
        let variants = ["1080p", "720p"].map(|name| variant(record, name, policy()));
        publications.push(publication(&claim, vec![Effect::Variants(variants.into())]));
    }
    let one = |task: usize| {
        let store = Store::clone(&store);
        let mut publications = publications.clone();
        publications.rotate_left(task * 5 % OBJECTS);
        if task.is_multiple_of(2) {
            publications.reverse();
        }
        tokio::spawn(async move { store.publish_all(&publications).await })
    };
    for answers in join_all((0..8).map(one)).await {
        for answer in answers?? {
            answer?;
        }
    }
    assert_eq!(store.manifests(&dataset(), StageName::Normalize, None, 100).await?.len(), OBJECTS);
    Ok(())
}
