//! Small, made-up records.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use serde_json::{Map, json};
use types::{
    Affine, DatasetName, ImageId, LineageEdge, ManifestEntry, ObjectVersion, Orientation, OriginalRecord,
    PolicyHash, Relation, S3Uri, Sha256, ShardEntry, Split, StageManifest, StageName, VariantRecord,
};

use crate::{Claim, ClaimKey, ClaimOutcome, Effect, ManifestStore, PlannedShard, Publication, VersionPlan};

pub(super) type Store = Arc<dyn ManifestStore>;

/// Longer than any test.
pub(super) const LONG: Duration = Duration::from_secs(600);
/// Over in a moment, but longer than the calls that a test makes within it.
pub(super) const SHORT: Duration = Duration::from_millis(300);

pub(super) fn dataset() -> DatasetName {
    "wild.life-1".parse().expect("a valid name")
}

pub(super) fn policy() -> PolicyHash {
    PolicyHash::of("the policy of these tests")
}

pub(super) fn uri(text: &str) -> S3Uri {
    text.parse().expect("a valid URI")
}

/// The first version of an object, for stage 2.
pub(super) fn key(name: &str) -> ClaimKey {
    stage_key(StageName::Normalize, &format!("s3://bronze/images/{name}"), "version-1")
}

pub(super) fn stage_key(stage: StageName, object: &str, version: &str) -> ClaimKey {
    let object = ObjectVersion { uri: uri(object), version: version.to_owned() };
    ClaimKey { stage, dataset: dataset(), object, policy: policy() }
}

pub(super) async fn claim_one(
    store: &Store,
    key: &ClaimKey,
    owner: &str,
    lease: Duration,
) -> anyhow::Result<ClaimOutcome> {
    let mut outcomes = store.claim(std::slice::from_ref(key), owner, lease).await?;
    ensure!(outcomes.len() == 1, "one answer for one key: {outcomes:?}");
    Ok(outcomes.remove(0))
}

/// Claims what is free.
pub(super) async fn owned(store: &Store, key: &ClaimKey) -> anyhow::Result<Claim> {
    expect_owned(claim_one(store, key, "owner", LONG).await?)
}

pub(super) fn expect_owned(outcome: ClaimOutcome) -> anyhow::Result<Claim> {
    match outcome {
        ClaimOutcome::Owned(claim) => Ok(claim),
        other => bail!("not granted: {other:?}"),
    }
}

/// Claims as soon as the store says that it can be had.
pub(super) async fn owned_in_time(store: &Store, key: &ClaimKey, owner: &str) -> anyhow::Result<Claim> {
    let begun = Instant::now();
    loop {
        match claim_one(store, key, owner, LONG).await? {
            ClaimOutcome::Owned(claim) => return Ok(claim),
            ClaimOutcome::NotNow { retry_in } => {
                ensure!(begun.elapsed() < Duration::from_secs(30), "never free: again in {retry_in:?}");
                tokio::time::sleep(retry_in).await;
            }
            ClaimOutcome::Settled(settlement) => bail!("settled: {settlement:?}"),
        }
    }
}

/// The end of a claim with one manifest entry and these effects.
pub(super) fn publication(claim: &Claim, effects: Vec<Effect>) -> Publication {
    let source = claim.key.object.clone();
    let output = uri("s3://silver/normalized/720p/x.jpg");
    let entry = ManifestEntry {
        source_uri: source.uri.clone(),
        output_uri: output.clone(),
        bytes: 12,
        sha256: Sha256::of("output"),
        fields: Map::new(),
    };
    Publication {
        claim: claim.clone(),
        manifest: StageManifest {
            dataset: claim.key.dataset.clone(),
            stage: claim.key.stage,
            policy_hash: claim.key.policy,
            source: source.clone(),
            metadata: json!({}),
            entries: vec![entry],
        },
        manifest_uri: uri("s3://silver/manifests/x.json"),
        lineage: vec![LineageEdge { parent: source.uri, child: output, relation: Relation::Rendered }],
        effects,
    }
}

/// The end of a claim with one output, at `output`, and a manifest object beside it.
pub(super) fn publication_at(claim: &Claim, output: &S3Uri) -> Publication {
    let mut publication = publication(claim, vec![]);
    publication.manifest.entries[0].output_uri = output.clone();
    publication.manifest_uri = manifest_of(output);
    publication.lineage.clear();
    publication
}

/// Where [`publication_at`] puts the manifest of an output.
pub(super) fn manifest_of(output: &S3Uri) -> S3Uri {
    uri(&format!("{output}.manifest.json"))
}

/// Until the clock of every store shows another time: SQLite's has milliseconds.
pub(super) async fn tick() {
    tokio::time::sleep(Duration::from_millis(2)).await;
}

/// Claims `key` and publishes these effects under it.
pub(super) async fn publish(store: &Store, key: &ClaimKey, effects: Vec<Effect>) -> anyhow::Result<()> {
    let claim = owned(store, key).await?;
    store.publish(&publication(&claim, effects)).await?;
    Ok(())
}

/// An original with `content` under `key`.
pub(super) fn original(key: &str, content: &str) -> OriginalRecord {
    let sha256 = Sha256::of(content);
    OriginalRecord {
        key: key.to_owned(),
        source: ObjectVersion { uri: uri("s3://inbox/wild").join(key), version: format!("etag-{content}") },
        // Each content has a bronze object of its own.
        bronze_uri: uri("s3://bronze/images").join(&format!("{content}-{key}")),
        image_id: ImageId::of(&sha256),
        sha256,
        bytes: content.len() as u64,
        format: "jpeg".to_owned(),
        width: 4000,
        height: 3000,
        orientation: Orientation::Rotate90,
        pixel_hash: Sha256::of(format!("pixels of {content}")),
        // The highest bit is set: it must survive signed columns.
        perceptual_hash: 0xfedc_ba98_7654_3210,
        exif: json!({ "Make": "Oly\u{0}", "ExposureTime": 0.1 }),
        animated: true,
    }
}

/// Catalogues originals as stage 1 does, each under a claim of its own.
pub(super) async fn catalogue(store: &Store, originals: &[OriginalRecord]) -> anyhow::Result<()> {
    for record in originals {
        let key = stage_key(StageName::Ingest, &record.source.uri.to_string(), &record.source.version);
        publish(store, &key, vec![Effect::Original(record.clone())]).await?;
    }
    Ok(())
}

/// The variant of an original under a policy.
pub(super) fn variant(original: &OriginalRecord, name: &str, policy: PolicyHash) -> VariantRecord {
    VariantRecord {
        image_id: original.image_id,
        source_uri: original.bronze_uri.clone(),
        variant_name: name.to_owned(),
        output_uri: uri("s3://silver/normalized").join(&format!("{name}/{}.jpg", original.image_id)),
        width: 1280,
        height: 720,
        normalization_policy_hash: policy,
        bytes: 1000,
        sha256: Sha256::of(format!("{name} of {}", original.image_id)),
        // None of these has a finite binary form.
        affine: Affine([0.1, 0.0, -1.0 / 3.0, 0.0, 0.7, 1e-9]),
    }
}

/// The stage 2 work on an original's bronze object.
pub(super) fn normalize_key(original: &OriginalRecord) -> ClaimKey {
    stage_key(StageName::Normalize, &original.bronze_uri.to_string(), &original.source.version)
}

/// Normalizes originals into variants `1080p` and `720p`, as stage 2 does.
pub(super) async fn normalize(store: &Store, originals: &[OriginalRecord]) -> anyhow::Result<()> {
    for record in originals {
        let variants = ["1080p", "720p"].map(|name| variant(record, name, policy()));
        publish(store, &normalize_key(record), vec![Effect::Variants(variants.into())]).await?;
    }
    Ok(())
}

/// A plan for content named `content`, with `shards` training shards of variant `720p`.
pub(super) fn plan(content: &str, shards: u32) -> VersionPlan {
    let shard =
        |number| PlannedShard { variant: "720p".to_owned(), split: Split::Train, number, samples: 10 };
    VersionPlan {
        input_digest: Sha256::of(content),
        settings: json!({ "seed": "7" }),
        shards: (0..shards).map(shard).collect(),
    }
}

/// The tar of a planned shard.
pub(super) fn tar(planned: &PlannedShard, content: &str) -> ShardEntry {
    ShardEntry {
        variant: planned.variant.clone(),
        split: planned.split,
        uri: uri("s3://gold/v1")
            .join(&format!("{}/{}-{:06}.tar", planned.variant, planned.split, planned.number)),
        samples: planned.samples,
        bytes: 10_240,
        sha256: Sha256::of(content),
    }
}
