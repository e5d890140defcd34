//! `imageml annotations import`: annotation files into a dataset of the home.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use dataset_builder::annotation_imports;
use ingest::{AnnotationArguments, Ingest};
use manifest_store::ImportRecord;
use object_storage::PutOptions;
use pipeline::{DatasetRoute, Stage};
use serde_json::{Value, json};
use types::{DatasetName, RejectCode, S3Uri, Sha256};

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
    let mut named: Vec<(&PathBuf, S3Uri)> = Vec::new();
    for file in files {
        check(file).await?;
        let name = file.file_name().and_then(|name| name.to_str());
        let name = name.with_context(|| format!("{} has no plain name", file.display()))?;
        let uri = folder.join(name);
        if named.iter().any(|(_, other)| *other == uri) {
            bail!("two files are called {name}: import them one after the other, or rename one");
        }
        named.push((file, uri));
    }
    // What was rejected for want of a converter gets another chance.
    home.store.ensure_dataset(dataset).await?;
    home.store.redrive(dataset, Some(RejectCode::ConverterMissing), false).await?;
    let route = DatasetRoute::Fixed(dataset.clone());
    let ingest = Ingest::new(folder.clone(), bucket("bronze"), route, pipeline.workers());
    let ingest: Arc<dyn Stage> = Arc::new(ingest.with_annotations(settings));
    let mut placed = Vec::new();
    // One after the other: what the last of them says counts.
    for (file, uri) in named {
        let cannot_read = || format!("cannot read {}", file.display());
        home.blobs.upload(file, &uri, &PutOptions::default()).await.with_context(cannot_read)?;
        pipeline.drive(Arc::clone(&ingest), &home.blobs, &folder).await?;
        placed.push((file.clone(), uri));
    }
    outcomes(home, dataset, placed).await
}

/// Refuses what is no annotation file by its first sign, before it is in the dataset as an image.
async fn check(file: &Path) -> anyhow::Result<()> {
    let name = file.display();
    if !std::fs::metadata(file).with_context(|| format!("cannot read {name}"))?.is_file() {
        bail!("{name} is no file");
    }
    if !ingest::begins_as_json(file).await? {
        bail!("{name} is no JSON: annotation files are Label Studio's or COCO's");
    }
    Ok(())
}

async fn outcomes(
    home: &Home,
    dataset: &DatasetName,
    placed: Vec<(PathBuf, S3Uri)>,
) -> anyhow::Result<Vec<(PathBuf, Imported)>> {
    let done = annotation_imports(home.store.as_ref(), dataset).await?;
    let rejected = rejected::all(home.store.as_ref(), dataset).await?;
    let outcome = |(file, uri): (PathBuf, S3Uri)| {
        if let Some(found) = rejected.iter().find(|record| record.key.object.uri == uri) {
            return Ok((file, Imported::Rejected(found.reason.to_string())));
        }
        let import = done.iter().rev().find(|record| record.active && record.import.source.uri == uri);
        match import {
            Some(record) => Ok((file, Imported::Done(Box::new(record.clone())))),
            None => bail!("{} was neither imported nor rejected", file.display()),
        }
    };
    placed.into_iter().map(outcome).collect()
}

impl Imported {
    /// Whether all of it was imported.
    pub(crate) fn is_whole(&self) -> bool {
        match self {
            Self::Rejected(_) => false,
            Self::Done(record) => record.import.summary.get("refused").and_then(Value::as_u64) == Some(0),
        }
    }
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
        Imported::Done(record) => json!({
            "file": file,
            "import": record.import,
            "report_uri": types::layout::annotation_report(&record.import.archive_uri),
        }),
    }
}
