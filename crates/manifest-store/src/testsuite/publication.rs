//! The end of successful work.

use anyhow::ensure;
use futures::future::join_all;
use types::{StageName, VersionNumber};

use super::fixtures::{
    Store, dataset, key, normalize_key, original, owned, plan, policy, publication, tar, uri, variant,
};
use crate::{ClaimStatus, Direction, Effect, Settlement};

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
