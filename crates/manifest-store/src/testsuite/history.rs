//! What was published, and what came from what.

use anyhow::ensure;
use serde_json::json;
use types::{LineageEdge, ManifestEntry, Relation, Sha256, StageName};

use super::fixtures::{Store, dataset, key, owned, publication, publish, stage_key, uri};
use crate::Direction;

/// Every field of a manifest survives, floats to the last bit and NUL in JSON too.
pub async fn manifests_come_back_as_they_were_published(store: Store) -> anyhow::Result<()> {
    let claim = owned(&store, &key("a.jpg")).await?;
    let mut publication = publication(&claim, vec![]);
    let affine = [0.1, -1.0 / 3.0, 1e-9, 1e300, -0.0, 5e-324];
    let fields = json!({ "variant_name": "720p", "affine": affine, "note": "\u{0}ü" });
    let entry = |n: u64| ManifestEntry {
        source_uri: uri("s3://bronze/images/a.jpg"),
        output_uri: uri("s3://silver").join(&format!("{n}.jpg")),
        bytes: n,
        sha256: Sha256::of(n.to_be_bytes()),
        fields: fields.as_object().expect("an object").clone(),
    };
    publication.manifest.entries = (0..3).rev().map(entry).collect();
    publication.manifest.metadata = json!({ "stage": 2, "quality": 0.1, "names": [null, true, ""] });
    store.publish(&publication).await?;

    let found = store.manifests(&dataset(), StageName::Normalize, None, 10).await?;
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0].uri, &found[0].manifest), (&publication.manifest_uri, &publication.manifest));
    Ok(())
}

/// Pages hold one stage of one dataset, in the order of publication.
pub async fn manifests_are_paged_by_stage(store: Store) -> anyhow::Result<()> {
    for n in 0..5 {
        publish(&store, &key(&format!("{n}.jpg")), vec![]).await?;
        publish(&store, &stage_key(StageName::Ingest, &format!("s3://inbox/{n}.jpg"), "v"), vec![]).await?;
    }
    let mut ids = Vec::new();
    let mut sources = Vec::new();
    loop {
        let page = store.manifests(&dataset(), StageName::Normalize, ids.last().copied(), 2).await?;
        ensure!(page.len() <= 2 && page.iter().all(|record| record.manifest.entries.len() == 1));
        if page.is_empty() {
            break;
        }
        ids.extend(page.iter().map(|record| record.id));
        sources.extend(page.into_iter().map(|record| record.manifest.source));
    }
    ensure!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    let expected: Vec<_> = (0..5).map(|n| key(&format!("{n}.jpg")).object).collect();
    assert_eq!(sources, expected);
    ensure!(store.manifests(&"other".parse()?, StageName::Normalize, None, 10).await?.is_empty());
    Ok(())
}

fn edge(parent: &str, child: &str, relation: Relation) -> LineageEdge {
    LineageEdge { parent: uri(parent), child: uri(child), relation }
}

async fn record(store: &Store, name: &str, edges: &[LineageEdge]) -> anyhow::Result<()> {
    let claim = owned(store, &key(name)).await?;
    let mut publication = publication(&claim, vec![]);
    publication.lineage = edges.to_vec();
    store.publish(&publication).await?;
    Ok(())
}

/// From an original to the version that holds it and back, nearest first; each edge once, though paths meet.
pub async fn lineage_is_walked_both_ways(store: Store) -> anyhow::Result<()> {
    let steps = [
        edge("s3://inbox/a.jpg", "s3://bronze/a.jpg", Relation::Copied),
        edge("s3://bronze/a.jpg", "s3://silver/1080p/a.jpg", Relation::Rendered),
        edge("s3://bronze/a.jpg", "s3://silver/720p/a.jpg", Relation::Rendered),
        edge("s3://silver/1080p/a.jpg", "s3://gold/v1/0.tar", Relation::Packed),
        edge("s3://silver/720p/a.jpg", "s3://gold/v1/0.tar", Relation::Packed),
        edge("s3://gold/v1/0.tar", "s3://gold/v1/manifest.json", Relation::Listed),
    ];
    record(&store, "first", &steps[3..]).await?;
    record(&store, "second", &steps[..4]).await?;
    record(&store, "elsewhere", &[edge("s3://inbox/b.jpg", "s3://bronze/b.jpg", Relation::Copied)]).await?;

    let down = store.lineage(&uri("s3://inbox/a.jpg"), Direction::Descendants, 100).await?;
    assert_eq!(down, steps);
    let mut up = store.lineage(&uri("s3://gold/v1/manifest.json"), Direction::Ancestors, 100).await?;
    assert_eq!((&up[0], &up[5]), (&steps[5], &steps[0]));
    up.sort();
    let mut expected = steps.to_vec();
    expected.sort();
    assert_eq!(up, expected);
    ensure!(store.lineage(&uri("s3://inbox/a.jpg"), Direction::Ancestors, 100).await?.is_empty());
    ensure!(store.lineage(&uri("s3://inbox/unknown"), Direction::Descendants, 100).await?.is_empty());
    Ok(())
}

/// A walk over thousands of edges stops where it was told to; one in a circle stops by itself.
pub async fn lineage_walks_end_at_the_limit_and_in_cycles(store: Store) -> anyhow::Result<()> {
    let tar = |n: usize| format!("s3://gold/v1/{n:05}.tar");
    let wide: Vec<_> =
        (0..2500).map(|n| edge(&tar(n), "s3://gold/v1/manifest.json", Relation::Listed)).collect();
    let deep: Vec<_> =
        (0..2500).map(|n| edge(&format!("s3://silver/{n}.jpg"), &tar(n), Relation::Packed)).collect();
    record(&store, "wide", &wide).await?;
    record(&store, "deep", &deep).await?;
    let manifest = uri("s3://gold/v1/manifest.json");
    let some = store.lineage(&manifest, Direction::Ancestors, 3000).await?;
    assert_eq!(some.len(), 3000);
    ensure!(some[..2500].iter().all(|edge| edge.relation == Relation::Listed), "nearest first");
    assert_eq!(store.lineage(&manifest, Direction::Ancestors, 10_000).await?.len(), 5000);
    ensure!(store.lineage(&manifest, Direction::Ancestors, 0).await?.is_empty());

    let circle = [
        edge("s3://silver/x", "s3://silver/y", Relation::Copied),
        edge("s3://silver/y", "s3://silver/z", Relation::Copied),
        edge("s3://silver/z", "s3://silver/x", Relation::Copied),
    ];
    record(&store, "circle", &circle).await?;
    assert_eq!(store.lineage(&uri("s3://silver/x"), Direction::Descendants, 100).await?, circle);
    Ok(())
}

/// The health check's question.
pub async fn the_store_answers_a_ping(store: Store) -> anyhow::Result<()> {
    store.ping().await?;
    Ok(())
}
