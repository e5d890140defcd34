//! What goes and what stays.

use std::time::Duration;

use janitor::{JanitorError, JanitorSettings, Swept};
use manifest_store::{Effect, PlanOutcome, VersionPlan};
use object_storage::{BlobStore as _, PutOptions};
use tokio_util::sync::CancellationToken;
use types::{S3Uri, Sha256, StageName, VersionNumber, layout};

use crate::bench::{Bench, Fading, HOUR, OLD, Stopping, dataset, manifest, prefix, tick, variant};

fn orphans(orphans: u64) -> Option<Swept> {
    // Each has ten bytes.
    Some(Swept { orphans, orphan_bytes: orphans * 10, ..Swept::default() })
}

#[tokio::test]
async fn old_orphans_go_and_the_young_the_named_and_the_foreign_stay() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    bench.publish(1).await?;
    for named in [variant(1), manifest(1)] {
        bench.blobs.inner.backdate(&named, OLD)?;
    }
    let (old, young) = ([variant(2), manifest(3)], [variant(4), manifest(5)]);
    for orphan in &old {
        bench.put(orphan, 25 * HOUR).await?;
    }
    for orphan in &young {
        bench.put(orphan, 23 * HOUR).await?;
    }
    let foreign = ["cat.jpg", "ds/normalized/720p/cat.jpg", "ds/images/cat.jpg", "ds/v1/manifest.json"];
    for foreign in foreign {
        bench.put(&prefix().join(foreign), OLD).await?;
    }
    // Another prefix that begins with the same letters.
    let neighbour = variant(2).to_string().replace("/pre/", "/prefix/").parse()?;
    bench.put(&neighbour, OLD).await?;

    assert_eq!(bench.janitor().sweep().await?, orphans(2));
    for gone in old {
        assert!(!bench.is_there(&gone).await?, "{gone}");
    }
    let named = [variant(0), manifest(0), variant(1), manifest(1)];
    let mut stay: Vec<_> = named.into_iter().chain(young).map(|uri| uri.key().to_owned()).collect();
    stay.extend(foreign.map(|key| prefix().join(key).key().to_owned()));
    stay.sort_unstable();
    assert_eq!(bench.keys().await?, stay, "and nothing of the janitor's own");
    assert!(bench.is_there(&neighbour).await?);
    assert_eq!(bench.janitor().sweep().await?, orphans(0), "nothing is left to do");
    Ok(())
}

#[tokio::test]
async fn work_whose_upload_was_collected_is_refused_and_done_again() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    let slow = bench.claim(1).await?;
    bench.upload(1).await?;
    for uploaded in [variant(1), manifest(1)] {
        bench.blobs.inner.backdate(&uploaded, OLD)?;
    }
    tick().await;
    assert_eq!(bench.janitor().sweep().await?, orphans(2));
    let refused = bench.commit(&slow, 1).await;
    assert!(matches!(refused, Err(manifest_store::StoreError::OutputsRemoved)), "{refused:?}");
    bench.store.release(&[slow]).await?;

    tick().await;
    bench.publish(1).await?;
    for published in [variant(1), manifest(1)] {
        bench.blobs.inner.backdate(&published, OLD)?;
    }
    assert_eq!(bench.janitor().sweep().await?, orphans(0));
    assert!(bench.is_there(&variant(1)).await?);
    Ok(())
}

#[tokio::test]
async fn what_was_there_before_the_store_knew_of_the_dataset_stays() -> anyhow::Result<()> {
    // A new database over an old bucket.
    let bench = Bench::empty().await?;
    bench.put(&variant(7), OLD).await?;
    assert_eq!(bench.janitor().sweep().await?, orphans(0), "it has published nothing");
    bench.publish(0).await?;
    bench.blobs.inner.backdate(&manifest(0), 26 * HOUR)?;
    bench.put(&variant(8), 25 * HOUR).await?;
    assert_eq!(bench.janitor().sweep().await?, orphans(1));
    assert!(bench.is_there(&variant(7)).await?);
    assert!(!bench.is_there(&variant(8)).await?);
    Ok(())
}

#[tokio::test]
async fn files_of_a_version_go_only_when_it_is_abandoned() -> anyhow::Result<()> {
    let bench = Bench::empty().await?;
    let settings = || JanitorSettings::new(StageName::Curate, prefix());
    let mut numbers = Vec::new();
    for content in ["published", "abandoned", "planned"] {
        bench.store.ensure_dataset(&dataset()).await?;
        let plan = VersionPlan {
            input_digest: Sha256::of(content),
            settings: serde_json::Value::Null,
            shards: Vec::new(),
        };
        let PlanOutcome::Planned(number) = bench.store.plan_version(&dataset(), &plan).await? else {
            anyhow::bail!("{content} is new")
        };
        numbers.push(number);
        if content == "published" {
            publish_version(&bench, number).await?;
        }
    }
    // One that this store knows nothing of.
    numbers.push(VersionNumber::new(9).expect("not zero"));
    let shard = |number: &VersionNumber| -> S3Uri {
        layout::version(&prefix(), &dataset(), *number).join("720p/train-000000.tar")
    };
    for number in &numbers {
        bench.put(&shard(number), OLD).await?;
    }
    assert_eq!(bench.janitor_with(settings()).sweep().await?, orphans(1));
    let mut there = Vec::new();
    for number in &numbers {
        there.push(bench.is_there(&shard(number)).await?);
    }
    assert_eq!(there, [true, false, true, true]);
    Ok(())
}

/// As `curate` does: the manifest lists what it wrote at the end, and not the shards.
async fn publish_version(bench: &Bench, version: VersionNumber) -> anyhow::Result<()> {
    let mut claim = bench.claim(1).await?;
    bench.store.release(std::slice::from_ref(&claim)).await?;
    claim.key.stage = StageName::Curate;
    let owned = bench.store.claim(&[claim.key], "worker", HOUR).await?.pop();
    let Some(manifest_store::ClaimOutcome::Owned(claim)) = owned else { anyhow::bail!("{owned:?}") };
    let name = "00112233445566778899aabbccddeeff-00112233.json";
    let manifest_uri = layout::manifest_folder(&prefix(), &dataset(), StageName::Curate).join(name);
    bench.put(&manifest_uri, 240 * HOUR).await?;
    let publication = manifest_store::Publication {
        manifest: types::StageManifest {
            dataset: dataset(),
            stage: StageName::Curate,
            policy_hash: claim.key.policy,
            source: claim.key.object.clone(),
            metadata: serde_json::Value::Null,
            entries: Vec::new(),
        },
        manifest_uri,
        claim,
        lineage: Vec::new(),
        effects: vec![Effect::VersionPublished {
            version,
            manifest_uri: layout::version_manifest(&prefix(), &dataset(), version),
            manifest_sha256: Sha256::of("manifest"),
        }],
    };
    Ok(bench.store.publish(&publication).await?)
}

#[tokio::test]
async fn stale_uploads_are_aborted_and_dead_claims_freed() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    let written = bench.blobs.head(&variant(0)).await?.modified.expect("it is known");
    let begun = |uri: S3Uri, later: Duration| bench.blobs.inner.begin_upload(&uri, written + later);
    begun(variant(1), Duration::ZERO)?;
    // The first object was written ten days ago.
    begun(variant(2), 239 * HOUR)?;
    begun(prefix().join("cat.jpg"), Duration::ZERO)?;
    let dead = bench.claim_for(3, Duration::ZERO).await?;
    let alive = bench.claim_for(4, HOUR).await?;
    tick().await;

    let settings = JanitorSettings::new(StageName::Normalize, prefix());
    let young = bench.janitor_with(settings.clone()).sweep().await?;
    assert_eq!(young, Some(Swept { uploads: 1, ..Swept::default() }), "the claim died a moment ago");
    let without_grace = JanitorSettings { grace: Duration::ZERO, ..settings };
    let swept = bench.janitor_with(without_grace).sweep().await?;
    assert_eq!(swept, Some(Swept { uploads: 1, claims: 1, ..Swept::default() }));
    let open = bench.blobs.open_uploads(&prefix(), None).await?.uploads;
    assert_eq!(open.len(), 1, "somebody else's");
    assert_eq!(bench.store.renew(&[dead, alive], HOUR).await?, [false, true]);
    Ok(())
}

#[tokio::test]
async fn journal_lets_nothing_be_deleted_that_is_not_the_stages() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    let (foreign, journal) =
        (prefix().join("cat.jpg"), layout::janitor_journal(&prefix(), StageName::Normalize));
    bench.put(&foreign, OLD).await?;
    let noted = serde_json::json!([{ "uri": foreign, "bytes": 10 }, { "uri": variant(0), "bytes": 10 }]);
    bench.blobs.write(noted.to_string().into(), &journal, &PutOptions::default()).await?;
    assert_eq!(bench.janitor().sweep().await?, orphans(0));
    assert!(bench.is_there(&foreign).await? && bench.is_there(&variant(0)).await?);
    assert!(!bench.is_there(&journal).await?);
    Ok(())
}

#[tokio::test]
async fn one_janitor_sweeps_and_the_others_do_not() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    bench.put(&variant(1), OLD).await?;
    let duty = JanitorSettings::new(StageName::Normalize, prefix()).duty();
    let leader = bench.store.lead(&duty).await?;
    assert!(leader.is_some());
    assert_eq!(bench.janitor().sweep().await?, None);
    assert!(bench.is_there(&variant(1)).await?);
    drop(leader);
    assert_eq!(bench.janitor().sweep().await?, orphans(1));
    Ok(())
}

#[tokio::test]
async fn sweep_ends_at_once_with_its_leadership_and_the_next_leader_goes_on() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    for number in 1..=30 {
        bench.put(&variant(number), OLD).await?;
    }
    let (stop, mut left) = (CancellationToken::new(), Vec::new());
    // By how often each leader is told that it still leads. The first seven times are before: claims, uploads, the old
    // journal, a page, the new journal, condemning, eight deletions. With something in the old journal, deletions follow
    // the fourth.
    for told in [4, 7, 5, 6] {
        let swept = bench.janitor().sweep_as(&mut Fading(told), &stop).await;
        assert!(matches!(swept, Err(JanitorError::LeadershipLost)), "{told}: {swept:?}");
        left.push(bench.keys().await?.iter().filter(|key| key.ends_with(".jpg")).count() - 1);
    }
    // The third one repeats what the second had done and not buried.
    assert_eq!(left, [30, 22, 22, 14]);
    bench.janitor().sweep().await?;
    for number in 1..=30 {
        assert!(!bench.is_there(&variant(number)).await?);
    }
    // Nothing is condemned any more: all of it can be published.
    tick().await;
    for number in 1..=30 {
        bench.publish(number).await?;
    }
    Ok(())
}

#[tokio::test]
async fn sweep_that_is_told_to_stop_ends_between_deletions_and_leaves_nothing_condemned() -> anyhow::Result<()>
{
    let bench = Bench::new().await?;
    for number in 1..=30 {
        bench.put(&variant(number), OLD).await?;
    }
    let stop = CancellationToken::new();
    // As above: after the first eight deletions.
    let stopped = bench.janitor().sweep_as(&mut Stopping(7, stop.clone()), &stop).await;
    assert!(matches!(stopped, Err(JanitorError::Stopped)), "{stopped:?}");
    let left = bench.keys().await?.iter().filter(|key| key.ends_with(".jpg")).count() - 1;
    assert_eq!(left, 22);
    tick().await;
    for number in 1..=30 {
        bench.publish(number).await?;
    }
    assert_eq!(bench.janitor().sweep().await?, orphans(0));
    Ok(())
}

#[tokio::test]
async fn sweep_of_a_leader_that_is_none_touches_nothing() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    bench.put(&variant(1), OLD).await?;
    let stop = CancellationToken::new();
    let refused = bench.janitor().sweep_as(&mut Fading(0), &stop).await;
    assert!(matches!(refused, Err(JanitorError::LeadershipLost)), "{refused:?}");
    stop.cancel();
    let stopped = bench.janitor().sweep_as(&mut Fading(1_000), &stop).await;
    assert!(matches!(stopped, Err(JanitorError::Stopped)), "{stopped:?}");
    assert!(bench.is_there(&variant(1)).await?);
    Ok(())
}
