//! `imageml annotations export`: a version's annotations as a file.

use std::process::ExitCode;

use anyhow::Context;
use dataset_builder::{Export, PlannedSample};
use serde_json::json;

use crate::arguments::ExportArguments;
use crate::backend::Backend;
use crate::output;
use crate::published::Published;

pub(crate) async fn run(arguments: ExportArguments) -> anyhow::Result<ExitCode> {
    let backend = Backend::open(&arguments.backend).await?;
    let published = Published::open(&backend, &arguments.dataset, arguments.version).await;
    backend.close().await;
    let (written, samples) = write(published?, &arguments)?;
    match &arguments.output {
        Some(path) => {
            std::fs::write(path, written).with_context(|| format!("cannot write {}", path.display()))?;
            if arguments.backend.json {
                output::json(&json!({ "output": path, "images": samples }))?;
            } else {
                output::note(format!("{samples} images in {}", path.display()));
            }
        }
        None => output::bytes(&written)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The file, and how many images it describes.
fn write(published: Published, arguments: &ExportArguments) -> anyhow::Result<(Vec<u8>, usize)> {
    let settings = published.settings.clone();
    published.check_variant(&arguments.variant)?;
    let mut samples: Vec<PlannedSample> = Vec::new();
    for sample in published.samples()? {
        let sample = sample?;
        let wanted = arguments.split.is_none_or(|split| split == sample.split);
        if wanted && sample.variant == arguments.variant {
            samples.push(sample.sample);
        }
    }
    samples.sort_by_key(|sample| sample.image_id);
    let export = Export { format: arguments.format.into(), settings: &settings };
    let written =
        export.write(&samples, |sample| sample.uri.clone()).map_err(|reason| anyhow::anyhow!("{reason}"))?;
    Ok((written, samples.iter().filter(|sample| sample.annotation.is_some()).count()))
}
