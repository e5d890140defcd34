//! The four services together: from the inbox to a training dataset.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::time::Duration;

use anyhow::Context as _;
use object_storage::BlobStore;
use serde_json::json;
use shard::PlannerSettings;
use testkit::Service;
use types::{DatasetVersionManifest, ImageId, S3Uri, Sha256, VersionNumber};

use crate::library_run::LibraryRun;
use crate::stand::{PATIENCE, Program, Stand, dataset, stop, until_at_rest};
use testkit::photo;

const SIZES: &str = "64x64,96x72:crop";
const IMAGES: u64 = 24;
const MAX: u64 = 64 << 20;

/// What lands: different images, a copy of one of them, and a broken file.
fn inbox(stand: &Stand) -> Vec<(S3Uri, Vec<u8>)> {
    let object = |key: &str| stand.object("inbox", &format!("holiday/{key}"));
    let photos = (0..IMAGES).map(|seed| {
        let width = 120 + 4 * u16::try_from(seed).expect("small");
        (object(&format!("day {}/{seed:02}.jpg", seed % 3)), photo(seed, width, 120))
    });
    let copy = (object("copies/again.jpg"), photo(3, 132, 120));
    let broken = (object("broken.jpg"), photo(100, 120, 120).into_iter().take(700).collect());
    photos.chain([copy, broken]).collect()
}

pub(crate) async fn published(
    stand: &Stand,
    name: &str,
    number: u32,
) -> anyhow::Result<DatasetVersionManifest> {
    let (name, wanted) = (dataset(name), VersionNumber::new(number));
    testkit::until(&format!("version {number} of {name} is published"), PATIENCE, async || {
        let found = stand.store.datasets().await?.into_iter().find(|found| found.name == name);
        Ok(found.filter(|found| found.latest == wanted).map(drop))
    })
    .await?;
    let record = stand.store.version(&name, wanted.context("from 1")?).await?;
    let (uri, sha256) = record.manifest.context("a published version has a manifest")?;
    let document = stand.blobs.read(&uri, MAX).await?;
    assert_eq!(Sha256::of(&document), sha256);
    Ok(serde_json::from_slice(&document)?)
}

/// The keys of the samples in the tars of one variant, each tar checked against the manifest.
async fn sample_keys(
    blobs: &dyn BlobStore,
    manifest: &DatasetVersionManifest,
    wanted: impl Fn(&types::ShardEntry) -> bool,
) -> anyhow::Result<BTreeSet<String>> {
    let mut keys = BTreeSet::new();
    for shard in manifest.shards.iter().filter(|shard| wanted(shard)) {
        let bytes = blobs.read(&shard.uri, MAX).await?;
        assert_eq!((Sha256::of(&bytes), bytes.len() as u64), (shard.sha256, shard.bytes));
        let mut members: BTreeMap<String, usize> = BTreeMap::new();
        for entry in tar::Archive::new(bytes.as_ref()).entries()? {
            let mut entry = entry?;
            let path = String::from_utf8(entry.path_bytes().into_owned())?;
            let (key, _) = path.split_once('.').context("a member has an extension")?;
            *members.entry(key.to_owned()).or_default() += 1;
            let mut content = Vec::new();
            entry.read_to_end(&mut content)?;
            assert!(!content.is_empty(), "{path}");
        }
        assert_eq!(members.len() as u64, shard.samples);
        assert!(members.values().all(|count| *count == 2), "image and JSON: {members:?}");
        keys.extend(members.into_keys());
    }
    Ok(keys)
}

fn image_ids(images: impl IntoIterator<Item = Vec<u8>>) -> BTreeSet<String> {
    images.into_iter().map(|image| ImageId::of(&Sha256::of(image)).to_string()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_in_the_inbox_become_a_version_and_a_training_dataset() -> anyhow::Result<()> {
    inbox_to_training_dataset(Stand::on_moto().await?).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_stage_is_driven_by_the_events_of_the_one_before() -> anyhow::Result<()> {
    inbox_to_training_dataset(Stand::with_events().await?).await
}

async fn inbox_to_training_dataset(stand: Stand) -> anyhow::Result<()> {
    let mut services = vec![
        stand.start(Program::Ingest, &[])?,
        stand.start(Program::Normalize, &["--sizes", SIZES])?,
        stand.start(Program::Curate, &[])?,
    ];
    let flowed = flow(&stand, &mut services).await;
    flowed.with_context(|| services.iter().map(Service::log_text).collect::<Vec<_>>().join("\n\n"))?;
    stand.until_queues_are_empty().await?;
    for mut service in services {
        until_at_rest(&mut service).await?;
        let service = stop(service).await?;
        assert_eq!(service.complaints(), Vec::<String>::new(), "a clean run warns of nothing");
    }
    Ok(())
}

async fn flow(stand: &Stand, services: &mut Vec<Service>) -> anyhow::Result<()> {
    let landed = inbox(stand);
    stand.put_all(landed.clone()).await?;
    stand.normalized(&dataset("holiday"), IMAGES + 1).await?;
    // Begins when all is there: a version of half the images would be right, but not the one that we compare with.
    let arguments =
        ["--settle", "500ms", "--plan-interval", "100ms", "--shard-size", "64KiB", "--split", "60/20/20"];
    services.push(stand.start(Program::Shard, &arguments)?);

    let first = published(stand, "holiday", 1).await?;
    same_as_in_one_process(stand, &first, &landed).await?;
    let expected =
        image_ids((0..IMAGES).map(|seed| photo(seed, 120 + 4 * u16::try_from(seed).expect("small"), 120)));
    for variant in ["64x64", "96x72-crop"] {
        let keys = sample_keys(&stand.blobs, &first, |shard| shard.variant == variant).await?;
        assert_eq!(keys, expected, "{variant}");
    }
    training_dataset_holds_the_train_split(stand, &first).await?;

    stand.put(&stand.object("inbox", "holiday/late.jpg"), photo(200, 120, 120)).await?;
    let second = published(stand, "holiday", 2).await?;
    let keys = sample_keys(&stand.blobs, &second, |shard| shard.variant == "64x64").await?;
    assert_eq!(keys.len() as u64, IMAGES + 1);
    assert!(keys.is_superset(&expected));
    sample_keys(&stand.blobs, &first, |_| true).await?;
    Ok(())
}

async fn same_as_in_one_process(
    stand: &Stand,
    version: &DatasetVersionManifest,
    landed: &[(S3Uri, Vec<u8>)],
) -> anyhow::Result<()> {
    let settings = PlannerSettings {
        clip: annotations::ClipPolicy::default(),
        shard_bytes: 64 << 10,
        split_ratios: "60/20/20".parse().map_err(anyhow::Error::msg)?,
        seed: "imageml".to_owned(),
        settle: Duration::ZERO,
    };
    let run = LibraryRun::publish(stand, "holiday", landed, SIZES, settings).await?;
    let uri = types::layout::version_manifest(&stand.bucket("gold"), &dataset("holiday"), version.version);
    let same: DatasetVersionManifest = serde_json::from_slice(&run.blobs.read(&uri, MAX).await?)?;
    assert_eq!(*version, same, "shards, indexes and tables have the same digests");
    assert!(version.shards.len() > 4, "several shards: {:?}", version.shards);
    for shard in &version.shards {
        assert_eq!(stand.blobs.read(&shard.uri, MAX).await?, run.blobs.read(&shard.uri, MAX).await?);
    }
    Ok(())
}

async fn training_dataset_holds_the_train_split(
    stand: &Stand,
    source: &DatasetVersionManifest,
) -> anyhow::Result<()> {
    let request = json!({
        "name": "holiday-train", "dataset": "holiday", "version": 1, "variant": "64x64", "splits": ["train"],
    });
    stand.put(&stand.object("requests", "holiday-train/first.json"), request.to_string()).await?;
    let training = published(stand, "holiday-train", 1).await?;
    let in_source = sample_keys(&stand.blobs, source, |shard| {
        shard.variant == "64x64" && shard.split == types::Split::Train
    });
    let chosen = sample_keys(&stand.blobs, &training, |_| true).await?;
    assert_eq!(chosen, in_source.await?);
    assert!(!chosen.is_empty());
    let card = stand.blobs.read(&stand.object("training", "holiday-train/v1/README.md"), MAX).await?;
    assert!(String::from_utf8(card.to_vec())?.contains("holiday"));
    Ok(())
}
