//! Annotation files among the images of an inbox.

use std::collections::BTreeMap;
use std::io::Read as _;

use annotations::Format;
use anyhow::Context as _;
use manifest_store::{ClaimStatus, Settlement};
use object_storage::BlobStore as _;
use serde_json::{Value, json};
use testkit::{Conversions, Service, photo};
use types::{DatasetVersionManifest, RejectCode, StageName};

use crate::chain::published;
use crate::stand::{PATIENCE, Program, Stand, dataset, stop};

const MAX: u64 = 64 << 20;
const PLANNING: [&str; 4] = ["--settle", "500ms", "--plan-interval", "100ms"];

/// A region of Label Studio, in percent of a picture of 160 by 120 pixels.
fn region(id: &str, label: &str, [x, y, width, height]: [f64; 4]) -> Value {
    json!({
        "id": id, "type": "rectanglelabels", "from_name": "label", "to_name": "image",
        "original_width": 160, "original_height": 120, "image_rotation": 0,
        "value": { "x": x, "y": y, "width": width, "height": height, "rotation": 0, "rectanglelabels": [label] },
    })
}

/// As an export has it: the task with its annotation inside.
fn task(number: u64, image: &str, result: &Value, updated: &str) -> Value {
    let annotation = json!({
        "id": number, "unique_id": format!("annotation-{number}"), "completed_by": 1, "result": result,
        "created_at": "2026-11-01T10:00:00Z", "updated_at": updated,
    });
    json!({ "id": number, "data": { "image": image }, "annotations": [annotation] })
}

/// As S3 target storage writes it: the annotation with its task inside, in an object named by its number.
fn target_storage(number: u64, image: &str, result: &Value) -> Value {
    json!({
        "id": number, "unique_id": format!("annotation-{number}"), "completed_by": { "id": 1, "email": "a@b.c" },
        "result": result, "was_cancelled": false, "ground_truth": false,
        "created_at": "2026-11-01T10:00:00Z", "updated_at": "2026-11-01T10:00:00Z",
        "task": { "id": number, "data": { "image": image }, "meta": {} },
    })
}

/// What the samples of a variant say, by the key of their original.
async fn samples(
    stand: &Stand,
    manifest: &DatasetVersionManifest,
) -> anyhow::Result<BTreeMap<String, Value>> {
    let mut found = BTreeMap::new();
    for shard in &manifest.shards {
        let tar = stand.blobs.read(&shard.uri, MAX).await?;
        for entry in tar::Archive::new(tar.as_ref()).entries()? {
            let mut entry = entry?;
            if entry.path()?.extension().is_some_and(|extension| extension == "json") {
                let mut text = String::new();
                entry.read_to_string(&mut text)?;
                let sample: Value = serde_json::from_str(&text)?;
                found.insert(sample["source"]["key"].as_str().context("a key")?.to_owned(), sample);
            }
        }
    }
    Ok(found)
}

/// The label and box of each region of a sample; sides in thousandths of a pixel, so that they are whole numbers.
fn said(sample: &Value) -> anyhow::Result<Vec<(String, Vec<i64>)>> {
    let regions = sample["annotations"].as_array().context("a list")?;
    let read = |region: &Value| {
        let sides: Vec<f64> = serde_json::from_value(region["bbox"].clone())?;
        let label = region["category"].as_str().context("a label")?.to_owned();
        Ok((label, sides.into_iter().map(|side| (side * 1000.0).round() as i64).collect()))
    };
    regions.iter().map(read).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn annotations_meet_their_images_in_any_order() -> anyhow::Result<()> {
    let stand = Stand::with_events().await?;
    let mut services =
        vec![stand.start(Program::Ingest, &[])?, stand.start(Program::Normalize, &["--sizes", "64x64"])?];
    let met = meet(&stand, &mut services).await;
    met.with_context(|| services.iter().map(Service::log_text).collect::<Vec<_>>().join("\n\n"))?;
    for service in services {
        stop(service).await?;
    }
    Ok(())
}

async fn meet(stand: &Stand, services: &mut Vec<Service>) -> anyhow::Result<()> {
    let object = |key: &str| stand.object("inbox", &format!("street/{key}"));
    let export = |x: f64, updated: &str| {
        let image = object("a.jpg").to_string();
        json!([task(1, &image, &json!([region("r1", "car", [x, 20.0, 50.0, 40.0])]), updated)]).to_string()
    };
    // Before its image: what is wrong with the second file ends with a reason, and nobody waits for it.
    stand.put(&object("export.json"), export(10.0, "2026-11-01T10:00:00Z")).await?;
    stand.put(&object("cut off.json"), r#"[{"id": 1, "data": {"image": "a.jpg"#).await?;
    for (seed, key) in ["a.jpg", "b.jpg", "c.jpg"].iter().enumerate() {
        stand.put(&object(key), photo(seed as u64, 160, 120)).await?;
    }
    // After its image.
    let image = object("b.jpg").to_string();
    let second = target_storage(2, &image, &json!([region("r2", "bus", [0.0, 0.0, 25.0, 50.0])]));
    stand.put(&object("ann/2"), second.to_string()).await?;
    let name = dataset("street");
    stand.normalized(&name, 3).await?;
    testkit::until("both files are imported", PATIENCE, async || {
        Ok((stand.store.annotation_imports(&name, None, 10).await?.len() == 2).then_some(()))
    })
    .await?;
    let reason = testkit::until("the broken file is rejected", PATIENCE, async || {
        let claims = stand.store.processed(StageName::Ingest, &object("cut off.json")).await?;
        Ok(claims.into_iter().find_map(|claim| match claim.status {
            ClaimStatus::Settled(Settlement::Rejected(reason)) => Some(reason),
            _ => None,
        }))
    })
    .await?;
    assert_eq!(reason.code, RejectCode::InvalidAnnotations);
    assert!(reason.detail.starts_with("truncated: the document ends in the middle"), "{reason}");
    services.push(stand.start(Program::Shard, &PLANNING)?);

    let first = samples(stand, &published(stand, "street", 1).await?).await?;
    // 160x120 into 64x64: scale 0.4, and 8 pixels of border above and below.
    assert_eq!(said(&first["a.jpg"])?, [("car".to_owned(), vec![6_400, 17_600, 32_000, 19_200])]);
    assert_eq!(said(&first["b.jpg"])?, [("bus".to_owned(), vec![0, 8_000, 16_000, 24_000])]);
    let reviewed: Vec<_> = first.values().map(|sample| sample["reviewed"].clone()).collect();
    assert_eq!(reviewed, [true, true, false]);
    the_map_is_kept(stand, &object("b.jpg").to_string()).await?;

    // The export again, corrected: another version, of the same renditions.
    let renditions = stand.list(&stand.object("silver", "street/normalized")).await?;
    stand.put(&object("export.json"), export(30.0, "2026-11-02T10:00:00Z")).await?;
    let second = samples(stand, &published(stand, "street", 2).await?).await?;
    assert_eq!(said(&second["a.jpg"])?, [("car".to_owned(), vec![19_200, 17_600, 32_000, 19_200])]);
    assert_eq!(said(&second["b.jpg"])?, said(&first["b.jpg"])?);
    assert_eq!(stand.list(&stand.object("silver", "street/normalized")).await?, renditions);
    Ok(())
}

/// From a record to its image, and to the archived file that it came in.
async fn the_map_is_kept(stand: &Stand, image: &str) -> anyhow::Result<()> {
    let name = dataset("street");
    let links = stand.store.annotation_links(&name, None, 10).await?;
    let link = links.iter().find(|link| link.image_key == "b.jpg").context("b.jpg is linked")?;
    let records = stand.store.annotation_history(&name, &link.record_id).await?;
    let record = &records.first().context("a record")?.record;
    assert_eq!(record.image, image);
    let provenance = json!(record.provenance);
    assert_eq!((&provenance["task_id"], &provenance["annotation_id"]), (&json!(2), &json!(2)));
    assert_eq!((&provenance["unique_id"], record.regions[0].id.as_str()), (&json!("annotation-2"), "r2"));
    let bronze = stand.blobs.read(&link.image_uri, MAX).await?;
    assert_eq!(bronze, photo(1, 160, 120), "the image of that name");
    for import in stand.store.annotation_imports(&name, None, 10).await? {
        let import = import.import;
        assert_eq!(
            (import.annotation_format, import.converter_version.as_str()),
            (Format::LabelStudio, "2.1.2")
        );
        let [archived, landed] = [&import.archive_uri, &import.source.uri];
        assert_eq!(stand.blobs.read(archived, MAX).await?, stand.blobs.read(landed, MAX).await?, "untouched");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_whose_service_dies_is_taken_over_whole() -> anyhow::Result<()> {
    const TASKS: u64 = 4_000;
    let stand = Stand::on_moto().await?;
    let tasks: Vec<_> = (1..=TASKS)
        .map(|number| {
            let result = json!([region("r", "car", [10.0, 20.0, 50.0, 40.0])]);
            task(number, &format!("s3://inbox/{number}.jpg"), &result, "2026-11-01T10:00:00Z")
        })
        .collect();
    let export = stand.object("inbox", "street/export.json");
    let lease = ["--lease", "3s"];
    let mut first = stand.start(Program::Ingest, &lease)?;
    stand.put(&export, json!(tasks).to_string()).await?;
    // After the first result, when the second request is there, the records of the first are in the store.
    let scratch = stand.scratch();
    let conversions = Conversions { scratch: &scratch };
    let result = testkit::until("a batch is checked", PATIENCE, async || Ok(conversions.result()))
        .await
        .with_context(|| first.log_text())?;
    testkit::until("a second batch is checked", PATIENCE, async || {
        Ok(conversions.requested_after(result).then_some(()))
    })
    .await?;
    let converters = testkit::children_of(first.pid())?;
    assert_eq!(converters.len(), 1, "one converter, and nothing else");
    first.kill()?;
    let name = dataset("street");
    assert!(stand.store.annotation_imports(&name, None, 10).await?.is_empty(), "it was killed in the middle");
    assert!(stand.store.annotations(&name, None, 10).await?.is_empty(), "nobody sees a part of an import");
    testkit::until("its converter is gone too", PATIENCE, async || {
        Ok(converters.iter().copied().all(testkit::is_gone).then_some(()))
    })
    .await?;

    let second = stand.start(Program::Ingest, &lease)?;
    let imports = testkit::until("the file is imported", PATIENCE, async || {
        let imports = stand.store.annotation_imports(&name, None, 10).await?;
        Ok((!imports.is_empty()).then_some(imports))
    })
    .await
    .with_context(|| second.log_text())?;
    assert_eq!(imports.len(), 1);
    assert_eq!(imports[0].import.summary["records"], TASKS);
    let (mut count, mut after) = (0, None);
    loop {
        let page = stand.store.annotations(&name, after.as_ref(), 1_000).await?;
        let Some(last) = page.last() else { break };
        (count, after) = (count + page.len() as u64, Some(last.record.id.clone()));
    }
    assert_eq!(count, TASKS);
    assert_eq!(stand.claim(StageName::Ingest, &export).await?.attempts, 2);
    stop(second).await?;
    Ok(())
}
