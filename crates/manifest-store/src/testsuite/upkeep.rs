//! Duties, dead claims, and objects that are to be deleted.

use std::time::{Duration, Instant};

use anyhow::ensure;
use futures::future::join;
use types::{S3Uri, StageName};

use super::fixtures::{
    LONG, Store, claim_one, dataset, expect_owned, key, manifest_of, owned, publication_at, stage_key, tick,
    uri,
};
use crate::{ClaimKey, ClaimOutcome, Leadership, StoreError};

/// A duty is one holder's until it lets go; other duties are others'.
pub async fn a_duty_has_one_leader_at_a_time(store: Store) -> anyhow::Result<()> {
    let mut first = store.lead("janitor").await?.expect("nobody else is there");
    ensure!(first.holds().await);
    ensure!(store.lead("janitor").await?.is_none());
    let mut other = store.lead("another duty").await?.expect("nobody has this one");
    ensure!(other.holds().await && first.holds().await);

    drop(first);
    let mut second = in_time(&store, "janitor").await?;
    ensure!(second.holds().await);
    ensure!(store.lead("janitor").await?.is_none());
    Ok(())
}

/// The server may need a moment to see that a leader has gone.
async fn in_time(store: &Store, duty: &str) -> anyhow::Result<Box<dyn Leadership>> {
    let begun = Instant::now();
    loop {
        if let Some(leader) = store.lead(duty).await? {
            return Ok(leader);
        }
        ensure!(begun.elapsed() < Duration::from_secs(30), "{duty} never became free");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Claims whose process died are freed after a grace, attempts counted; the living and other stages are left alone.
pub async fn expired_claims_of_one_stage_are_freed(store: Store) -> anyhow::Result<()> {
    let [dead, alive, done] = ["dead", "alive", "done"].map(key);
    let elsewhere = stage_key(StageName::Ingest, "s3://inbox/dead", "1");
    let dead_claim = expect_owned(claim_one(&store, &dead, "dead", Duration::ZERO).await?)?;
    let elsewhere_claim = expect_owned(claim_one(&store, &elsewhere, "dead", Duration::ZERO).await?)?;
    let done_claim = expect_owned(claim_one(&store, &done, "dead", Duration::ZERO).await?)?;
    store.publish(&publication_at(&done_claim, &uri("s3://silver/done"))).await?;
    let alive_claim = owned(&store, &alive).await?;
    tick().await;

    assert_eq!(store.free_expired(StageName::Normalize, LONG).await?, 0, "within the grace");
    assert_eq!(store.renew(std::slice::from_ref(&dead_claim), Duration::ZERO).await?, [true]);
    tick().await;
    assert_eq!(store.free_expired(StageName::Normalize, Duration::ZERO).await?, 1);
    assert_eq!(store.renew(&[dead_claim, elsewhere_claim, alive_claim], LONG).await?, [false, true, true]);
    assert_eq!(owned(&store, &dead).await?.attempt, 2);
    ensure!(matches!(claim_one(&store, &done, "next", LONG).await?, ClaimOutcome::Settled(_)));
    Ok(())
}

/// What a manifest names, as an output or as the manifest itself, stays; what is not named may go, more than once.
pub async fn named_objects_are_never_condemned(store: Store) -> anyhow::Result<()> {
    let [named, orphan] = ["s3://silver/named", "s3://silver/orphan"].map(uri);
    let claim = owned(&store, &key("x")).await?;
    store.publish(&publication_at(&claim, &named)).await?;

    let asked = [named.clone(), orphan.clone(), manifest_of(&named), orphan.clone(), manifest_of(&orphan)];
    let expected = [false, true, false, true, true];
    assert_eq!(store.condemn(&asked).await?, expected);
    assert_eq!(store.condemn(&asked).await?, expected, "the janitor may have died in between");
    store.bury(&asked).await?;
    store.bury(&asked).await?;
    assert_eq!(store.condemn(&asked).await?, expected, "somebody may have uploaded it again");
    ensure!(store.condemn(&[]).await?.is_empty());
    store.bury(&[]).await?;
    Ok(())
}

/// Claims `key` later than everything before.
async fn claim_later(store: &Store, key: &ClaimKey) -> anyhow::Result<crate::Claim> {
    tick().await;
    owned(store, key).await
}

/// Between condemning and burying nobody may name an object, whenever the work was claimed, whether it is an output or a
/// manifest; other objects are not concerned, and nothing is written.
pub async fn nothing_condemned_is_published_until_it_is_buried_and_claimed_again(
    store: Store,
) -> anyhow::Result<()> {
    let [by_output, by_manifest, other] = ["output", "manifest", "other"].map(key);
    let [output, manifest] = ["s3://silver/output", "s3://silver/manifest"].map(uri);
    let condemned = [output.clone(), manifest_of(&manifest)];
    assert_eq!(store.condemn(&condemned).await?, [true, true]);
    let publications = [
        publication_at(&claim_later(&store, &by_output).await?, &output),
        publication_at(&claim_later(&store, &other).await?, &uri("s3://silver/other")),
        publication_at(&claim_later(&store, &by_manifest).await?, &manifest),
    ];
    let answers = store.publish_all(&publications).await?;
    ensure!(matches!(answers[0], Err(StoreError::OutputsRemoved)), "{answers:?}");
    ensure!(matches!(answers[2], Err(StoreError::OutputsRemoved)), "{answers:?}");
    ensure!(answers[1].is_ok(), "{answers:?}");
    assert_eq!(store.manifests(&dataset(), StageName::Normalize, None, 10).await?.len(), 1);

    tick().await;
    store.bury(&condemned).await?;
    for (n, key) in [(0, &by_output), (2, &by_manifest)] {
        store.release(std::slice::from_ref(&publications[n].claim)).await?;
        let again = crate::Publication { claim: claim_later(&store, key).await?, ..publications[n].clone() };
        assert_eq!(again.claim.attempt, 1, "no attempt is lost to the janitor");
        store.publish(&again).await?;
    }
    assert_eq!(store.condemn(&condemned).await?, [false, false]);
    Ok(())
}

/// An upload before the burial may be the one that was deleted: who claimed before it does the work again.
pub async fn work_claimed_before_a_burial_is_refused(store: Store) -> anyhow::Result<()> {
    let (old, bystander) = (key("old"), key("bystander"));
    let output = uri("s3://silver/output");
    let early = owned(&store, &old).await?;
    let held = owned(&store, &bystander).await?;
    tick().await;
    assert_eq!(store.condemn(std::slice::from_ref(&output)).await?, [true]);
    store.bury(std::slice::from_ref(&output)).await?;
    let refused = store.publish(&publication_at(&early, &output)).await;
    ensure!(matches!(refused, Err(StoreError::OutputsRemoved)), "{refused:?}");

    store.release(std::slice::from_ref(&early)).await?;
    let late = claim_later(&store, &old).await?;
    // Burying anything forgets old burials, but not while somebody holds a claim from before.
    store.bury(&[]).await?;
    let refused = store.publish(&publication_at(&held, &output)).await;
    ensure!(matches!(refused, Err(StoreError::OutputsRemoved)), "{refused:?}");
    store.publish(&publication_at(&late, &output)).await?;
    store.publish(&publication_at(&held, &uri("s3://silver/bystander"))).await?;
    store.bury(&[]).await?;
    Ok(())
}

/// Whoever is first: either the object is condemned and not published, or published and not condemned.
pub async fn condemning_and_publishing_at_once_never_lose_an_object(store: Store) -> anyhow::Result<()> {
    for round in 0..20 {
        let output = uri(&format!("s3://silver/{round}"));
        let claim = owned(&store, &key(&format!("{round}"))).await?;
        let publication = publication_at(&claim, &output);
        let objects: [S3Uri; 1] = [output];
        let (published, condemned) = if round % 2 == 0 {
            join(store.publish(&publication), store.condemn(&objects)).await
        } else {
            let (condemned, published) = join(store.condemn(&objects), store.publish(&publication)).await;
            (published, condemned)
        };
        match (published, condemned?.as_slice()) {
            (Ok(()), [false]) | (Err(StoreError::OutputsRemoved), [true]) => {}
            other => anyhow::bail!("round {round}: {other:?}"),
        }
    }
    Ok(())
}
