//! Datasets and what they hold.

use anyhow::ensure;
use types::{DatasetName, ImageId, PolicyHash, Sha256, Split, VersionNumber};

use super::fixtures::{
    Store, catalogue, dataset, normalize, normalize_key, original, policy, publish, variant,
};
use crate::{Effect, SplitAssignment, StoreError};

/// Datasets are listed by name with counts of originals, images and quarantine.
pub async fn datasets_are_listed_with_their_counts(store: Store) -> anyhow::Result<()> {
    let other: DatasetName = "another".parse()?;
    store.ensure_dataset(&other).await?;
    store.ensure_dataset(&other).await?;
    store.set_policy(&dataset(), &PolicyHash::of("old"), "old").await?;
    store.set_policy(&dataset(), &PolicyHash::of("{}"), "{}").await?;
    catalogue(&store, &[original("a", "one"), original("b", "one"), original("c", "two")]).await?;

    let records = store.datasets().await?;
    assert_eq!(
        records.iter().map(|record| record.name.as_str()).collect::<Vec<_>>(),
        ["another", "wild.life-1"]
    );
    assert_eq!((records[0].originals, &records[0].policy), (0, &None));
    assert_eq!((records[1].originals, records[1].images, records[1].rejected), (3, 2, 0));
    assert_eq!(records[1].policy, Some((PolicyHash::of("{}"), "{}".to_owned())));
    assert_eq!(records[1].latest, None::<VersionNumber>);
    assert_eq!(store.dataset(&dataset()).await?, records[1]);
    Ok(())
}

/// Describing what does not exist is an error of its own.
pub async fn an_unknown_dataset_is_an_error(store: Store) -> anyhow::Result<()> {
    let result = store.dataset(&dataset()).await;
    ensure!(matches!(&result, Err(StoreError::NoSuchDataset(name)) if *name == dataset()), "{result:?}");
    ensure!(store.datasets().await?.is_empty());
    Ok(())
}

/// A key has one record, the last published; every field comes back as it went in.
pub async fn originals_are_replaced_by_key(store: Store) -> anyhow::Result<()> {
    catalogue(&store, &[original("a", "one"), original("b", "two"), original("a", "three")]).await?;
    let found = store.originals(&dataset(), None, 10).await?;
    assert_eq!(found, [original("a", "three"), original("b", "two")]);
    assert_eq!(store.original(&dataset(), "a").await?, Some(original("a", "three")));
    assert_eq!(store.original(&dataset(), "c").await?, None);
    Ok(())
}

/// Pages follow the order of bytes, as S3 lists keys, whatever the database's language.
pub async fn originals_are_paged_in_byte_order(store: Store) -> anyhow::Result<()> {
    // By hand from ASCII and UTF-8: space 20, '-' 2d, '/' 2f, 'B' 42, '_' 5f, 'a' 61, 'ä' c3 a4.
    let expected = ["B", "_", "a", "a b", "a-b", "a/b", "aB", "b", "ä"];
    let mut shuffled = expected;
    shuffled.reverse();
    let records: Vec<_> = shuffled.iter().map(|key| original(key, key)).collect();
    catalogue(&store, &records).await?;
    let mut found: Vec<String> = Vec::new();
    loop {
        let page = store.originals(&dataset(), found.last().map(String::as_str), 4).await?;
        ensure!(page.len() <= 4);
        if page.is_empty() {
            break;
        }
        found.extend(page.into_iter().map(|record| record.key));
    }
    assert_eq!(found, expected);
    Ok(())
}

/// An image is ready when it has variants and an original; the first of its originals by key stands for all.
pub async fn ready_samples_have_variants_and_count_copies(store: Store) -> anyhow::Result<()> {
    let copies = [original("z", "one"), original("B", "one"), original("a", "one")];
    let (single, unready) = (original("c", "two"), original("d", "three"));
    let gone = original("gone", "never catalogued");
    catalogue(&store, &[&copies[..], &[single.clone(), unready]].concat()).await?;
    normalize(&store, &[copies[0].clone(), single.clone(), gone]).await?;

    let mut found = Vec::new();
    loop {
        let after = found.last().map(|sample: &crate::ReadySample| sample.original.image_id);
        let page = store.ready_samples(&dataset(), &policy(), after.as_ref(), 1).await?;
        ensure!(page.len() <= 1);
        if page.is_empty() {
            break;
        }
        found.extend(page);
    }
    ensure!(found.is_sorted_by(|a, b| a.original.image_id < b.original.image_id), "{found:?}");
    assert_eq!(found.len(), 2);
    for sample in &found {
        let (expected, count) =
            if sample.original.image_id == single.image_id { (&single, 1) } else { (&copies[1], 3) };
        assert_eq!((&sample.original, sample.copies), (expected, count));
        let source = if count == 1 { &single } else { &copies[0] };
        assert_eq!(sample.variants, ["1080p", "720p"].map(|name| variant(source, name, policy())));
    }
    assert_eq!(store.ready_samples(&dataset(), &policy(), None, 100).await?, found);
    ensure!(store.ready_samples(&dataset(), &PolicyHash::of("other"), None, 10).await?.is_empty());
    Ok(())
}

/// Publishing variants again, from another copy of the image, adds nothing and replaces nothing.
pub async fn variants_that_are_there_stay(store: Store) -> anyhow::Result<()> {
    let (first, copy) = (original("a", "same"), original("b", "same"));
    normalize(&store, std::slice::from_ref(&first)).await?;
    let mut extended = vec![variant(&copy, "720p", policy()), variant(&copy, "360p", policy())];
    extended.push(variant(&copy, "720p", PolicyHash::of("other")));
    publish(&store, &normalize_key(&copy), vec![Effect::Variants(extended)]).await?;

    let found = store.variants(&dataset(), &first.image_id, &policy()).await?;
    let expected = [
        variant(&first, "1080p", policy()),
        variant(&copy, "360p", policy()),
        variant(&first, "720p", policy()),
    ];
    assert_eq!(found, expected);
    assert_eq!(store.variants(&dataset(), &first.image_id, &PolicyHash::of("other")).await?.len(), 1);
    Ok(())
}

/// Totals are over what a version would hold.
pub async fn variant_totals_leave_out_what_is_not_catalogued(store: Store) -> anyhow::Result<()> {
    let records = [original("a", "one"), original("b", "two"), original("b2", "two")];
    catalogue(&store, &records).await?;
    normalize(&store, &records[..2]).await?;
    normalize(&store, &[original("gone", "never catalogued")]).await?;
    let totals = store.variant_totals(&dataset(), &policy()).await?;
    assert_eq!(totals, [("1080p".to_owned(), 2, 2000), ("720p".to_owned(), 2, 2000)]);
    ensure!(store.variant_totals(&dataset(), &PolicyHash::of("other")).await?.is_empty());
    Ok(())
}

fn assignment(content: &str, split: Split) -> SplitAssignment {
    let image_id = ImageId::of(&Sha256::of(content));
    SplitAssignment { image_id, group_id: ImageId::of(&Sha256::of("group")), split }
}

/// The first assignment of an image is for ever; bulk and pages work.
pub async fn frozen_splits_stay(store: Store) -> anyhow::Result<()> {
    store.freeze_splits(&dataset(), &[assignment("x", Split::Test), assignment("x", Split::Val)]).await?;
    let many: Vec<_> = (0..10_000).map(|n| assignment(&n.to_string(), Split::Train)).collect();
    store.freeze_splits(&dataset(), &[&[assignment("x", Split::Train)], &many[..]].concat()).await?;
    store.freeze_splits(&dataset(), &[]).await?;
    store.freeze_splits(&"other".parse()?, &[assignment("y", Split::Val)]).await?;

    let mut found = Vec::new();
    loop {
        let after = found.last().map(|assignment: &SplitAssignment| assignment.image_id);
        let page = store.splits(&dataset(), after.as_ref(), 4000).await?;
        if page.is_empty() {
            break;
        }
        found.extend(page);
    }
    ensure!(found.is_sorted_by(|a, b| a.image_id < b.image_id));
    assert_eq!(found.len(), 10_001);
    ensure!(found.contains(&assignment("x", Split::Test)), "the first assignment stays");
    Ok(())
}
