//! `imageml annotations import`: annotation files into a dataset of the home.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use imaging::Limits;
use ingest::{AnnotationArguments, Ingest};
use manifest_store::ImportRecord;
use object_storage::PutOptions;
use pipeline::DatasetRoute;
use serde_json::{Value, json};
use types::{DatasetName, S3Uri, Sha256};

use super::report::imports;
use crate::arguments::ImportArguments;
use crate::home::{Home, HomeLayout, bucket};
use crate::output;
use crate::rejected;
use crate::run::PipelineRun;

/// Hex digits of the settings' digest in the key of a file.
const SETTINGS_DIGITS: usize = 8;

/// What became of a file.
pub(crate) enum Imported {
    Done(Box<ImportRecord>),
    Rejected(String),
}

/// Exit code 1 when a file was rejected.
pub(crate) async fn run(arguments: ImportArguments) -> anyhow::Result<ExitCode> {
    let home = Home::open(HomeLayout::new(arguments.at.home.clone())?, Vec::new()).await?;
    let imported = Box::pin(import_all(&home, &arguments)).await;
    home.close().await;
    let imported = imported?;
    let failed = imported.iter().any(|(_, outcome)| matches!(outcome, Imported::Rejected(_)));
    if arguments.at.json {
        let files: Vec<_> = imported.iter().map(|(file, outcome)| document(file, outcome)).collect();
        output::json(&json!({ "dataset": arguments.dataset, "files": files }))?;
    } else {
        for (file, outcome) in &imported {
            output::line(format!("{}: {}", file.display(), sentence(outcome)))?;
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn import_all(home: &Home, arguments: &ImportArguments) -> anyhow::Result<Vec<(PathBuf, Imported)>> {
    let pipeline = PipelineRun::start(home, &arguments.machine).await?;
    let imported =
        import_files(home, &pipeline, &arguments.dataset, &arguments.files, &arguments.annotations).await;
    pipeline.finish();
    imported
}

/// Imports files by stage 1, as if they had landed in a bucket; those that are imported already are not read again.
pub(crate) async fn import_files(
    home: &Home,
    pipeline: &PipelineRun<'_>,
    dataset: &DatasetName,
    files: &[PathBuf],
    arguments: &AnnotationArguments,
) -> anyhow::Result<Vec<(PathBuf, Imported)>> {
    // Other settings are other work, and so other objects.
    let settings = arguments.settings()?;
    let mut digest = Sha256::of(settings.canonical().to_string()).to_hex();
    digest.truncate(SETTINGS_DIGITS);
    let folder = bucket("annotations").join(dataset.as_str()).join(&digest);
    let mut placed = Vec::new();
    for file in files {
        let name = file.file_name().and_then(|name| name.to_str());
        let name = name.with_context(|| format!("{} has no plain name", file.display()))?;
        let uri = folder.join(name);
        if placed.iter().any(|(_, other)| *other == uri) {
            bail!("two files are called {name}: import them one after the other, or rename one");
        }
        home.blobs
            .upload(file, &uri, &PutOptions::default())
            .await
            .with_context(|| format!("cannot read {}", file.display()))?;
        placed.push((file.clone(), uri));
    }
    let route = DatasetRoute::Fixed(dataset.clone());
    let ingest = Ingest::new(folder.clone(), bucket("bronze"), route, Limits::default());
    pipeline.drive(Arc::new(ingest.with_annotations(settings)), &home.blobs, &folder).await?;
    outcomes(home, dataset, placed).await
}

async fn outcomes(
    home: &Home,
    dataset: &DatasetName,
    placed: Vec<(PathBuf, S3Uri)>,
) -> anyhow::Result<Vec<(PathBuf, Imported)>> {
    let done = imports(home.store.as_ref(), dataset).await?;
    let rejected = rejected::all(home.store.as_ref(), dataset).await?;
    let outcome = |(file, uri): (PathBuf, S3Uri)| {
        if let Some(found) = rejected.iter().find(|record| record.key.object.uri == uri) {
            return Ok((file, Imported::Rejected(found.reason.to_string())));
        }
        let import = done.iter().rev().find(|record| record.active && record.import.source.uri == uri);
        match import {
            Some(record) => Ok((file, Imported::Done(Box::new(record.clone())))),
            None => bail!("{} holds no annotations: it was taken for an image", file.display()),
        }
    };
    placed.into_iter().map(outcome).collect()
}

/// What became of a file, for people.
pub(crate) fn sentence(outcome: &Imported) -> String {
    let record = match outcome {
        Imported::Rejected(reason) => return format!("rejected: {reason}"),
        Imported::Done(record) => record,
    };
    let number = |name: &str| record.import.summary.get(name).and_then(Value::as_u64).unwrap_or_default();
    let mut text = format!(
        "{} records with {} regions ({} boxes) from {}",
        number("records"),
        number("regions"),
        number("boxes"),
        record.import.annotation_format,
    );
    if number("refused") > 0 {
        let report = types::layout::annotation_report(&record.import.archive_uri);
        text += &format!(", {} refused, see {report}", number("refused"));
    }
    text
}

/// The same for scripts.
pub(crate) fn document(file: &std::path::Path, outcome: &Imported) -> Value {
    match outcome {
        Imported::Rejected(reason) => json!({ "file": file, "rejected": reason }),
        Imported::Done(record) => json!({ "file": file, "import": record.import }),
    }
}
