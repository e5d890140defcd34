//! A real data set, as Label Studio and as COCO wrote it.

use std::collections::HashMap;
use std::path::PathBuf;

use annotations::{Category, CategoryDefinition, Format, Frame, Record, Registry};
use anyhow::{Context as _, ensure};
use label_studio::{Candidate, Verdict, Verifier, Worker};
use serde_json::Value;

use crate::rig::{boxed, record, region, root, settings, verdicts};

fn file(name: &str) -> anyhow::Result<Option<Value>> {
    let path: PathBuf = root().join("../shared/data/raccoon").join(name);
    match std::fs::read(&path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            eprintln!("skipped: {} is not there", path.display());
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

async fn raccoon_verifier(format: Format) -> anyhow::Result<Verifier> {
    let category = Category { id: 1, definition: CategoryDefinition::named("raccoon") };
    Ok(Verifier::new(Worker::start(settings()?).await?, format, Registry::from_iter([category]))?)
}

fn number(value: &Value, name: &str) -> anyhow::Result<f64> {
    value[name].as_f64().with_context(|| format!("{name} of {value}"))
}

fn sized(record: Record, (width, height): (f64, f64)) -> Record {
    let frame = record.frame.map(|frame| Frame { width: width as u32, height: height as u32, ..frame });
    Record { frame, ..record }
}

/// Percent to pixels by hand.
fn of_task(task: &Value) -> anyhow::Result<Record> {
    let mut regions = Vec::new();
    let mut size = (0.0, 0.0);
    for item in task["annotations"][0]["result"].as_array().context("a list")? {
        size = (number(item, "original_width")?, number(item, "original_height")?);
        let at = |name, whole: f64| anyhow::Ok(number(&item["value"], name)? * whole / 100.0);
        let shape = boxed(at("x", size.0)?, at("y", size.1)?, at("width", size.0)?, at("height", size.1)?);
        let label = item["value"]["rectanglelabels"][0].as_str().context("a label")?;
        regions.push(region(item["id"].as_str().context("an id")?, label, shape));
    }
    Ok(sized(record(task["id"].as_i64().context("an id")?, regions), size))
}

#[tokio::test]
async fn the_label_studio_file_is_verified() -> anyhow::Result<()> {
    let Some(tasks) = file("ls.json")? else { return Ok(()) };
    let tasks = tasks.as_array().context("a list")?;
    let records = tasks.iter().map(of_task).collect::<anyhow::Result<Vec<_>>>()?;
    let mut verifier = raccoon_verifier(Format::LabelStudio).await?;
    ensure!(verdicts(&mut verifier, &records).await? == vec![Verdict::Verified; 200]);
    let candidates: Vec<_> = records
        .iter()
        .zip(tasks)
        .map(|(record, task)| Candidate { record, original: Some(&task["annotations"][0]["result"]) })
        .collect();
    ensure!(verifier.verify(&candidates).await? == vec![Verdict::Verified; 200]);
    // Twice 217.
    assert_eq!(verifier.report().by_sdk, [("box", 434)].into());
    ensure!(verifier.report().by_us.is_empty());
    Ok(())
}

#[tokio::test]
async fn the_coco_file_is_verified() -> anyhow::Result<()> {
    let Some(coco) = file("coco.json")? else { return Ok(()) };
    let mut records = HashMap::new();
    for image in coco["images"].as_array().context("a list")? {
        let id = image["id"].as_i64().context("an id")?;
        let size = (number(image, "width")?, number(image, "height")?);
        records.insert(id, sized(record(id, Vec::new()), size));
    }
    for annotation in coco["annotations"].as_array().context("a list")? {
        let bbox: [f64; 4] = serde_json::from_value(annotation["bbox"].clone())?;
        let image = annotation["image_id"].as_i64().context("an id")?;
        let record = records.get_mut(&image).context("an image")?;
        let [x, y, width, height] = bbox;
        record.regions.push(region(&annotation["id"].to_string(), "raccoon", boxed(x, y, width, height)));
    }
    let records: Vec<_> = records.into_values().collect();
    let mut verifier = raccoon_verifier(Format::Coco).await?;
    ensure!(verdicts(&mut verifier, &records).await? == vec![Verdict::Verified; 200]);
    assert_eq!(verifier.report().by_sdk, [("box", 217)].into());
    ensure!(verifier.report().by_us.is_empty());
    Ok(())
}
