//! `imageml dataset`: what there is, where it came from, whether it is intact.

mod verify;

use std::process::ExitCode;

use manifest_store::{DatasetRecord, Direction, ManifestStore, VersionRecord, VersionState};
use serde_json::{Value, json};
use types::{DatasetName, LineageEdge, S3Uri};

use crate::arguments::{BackendArguments, DatasetCommand};
use crate::{backend, output};

pub(crate) async fn run(command: DatasetCommand, arguments: &BackendArguments) -> anyhow::Result<ExitCode> {
    let json = arguments.json;
    match command {
        DatasetCommand::List => list(backend::open_store(arguments).await?.as_ref(), json).await?,
        DatasetCommand::Show { name } => {
            show(backend::open_store(arguments).await?.as_ref(), &name, json).await?;
        }
        DatasetCommand::Lineage { uri, limit } => {
            lineage(backend::open_store(arguments).await?.as_ref(), &uri, limit, json).await?;
        }
        DatasetCommand::Verify { version } => return verify::run(&version, arguments).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(store: &dyn ManifestStore, as_json: bool) -> anyhow::Result<()> {
    let datasets = store.datasets().await?;
    if as_json {
        return output::json(&datasets.iter().map(summary).collect::<Vec<_>>());
    }
    let rows = datasets.iter().map(|dataset| {
        vec![
            dataset.name.to_string(),
            dataset.latest.map_or("-".to_owned(), |version| version.to_string()),
            dataset.images.to_string(),
            (dataset.originals - dataset.images).to_string(),
            dataset.rejected.to_string(),
        ]
    });
    output::line(output::table(&["dataset", "latest", "images", "duplicates", "rejected"], &[2, 3, 4], rows))
}

async fn show(store: &dyn ManifestStore, name: &DatasetName, as_json: bool) -> anyhow::Result<()> {
    let dataset = store.dataset(name).await?;
    let versions = store.versions(name).await?;
    if as_json {
        let mut document = summary(&dataset);
        let versions: Vec<_> = versions.iter().map(version_document).collect();
        if let Some(fields) = document.as_object_mut() {
            fields.insert("versions".to_owned(), versions.into());
        }
        return output::json(&document);
    }
    output::line(format!(
        "{name}: {} images, {} duplicates, {} rejected",
        dataset.images,
        dataset.originals - dataset.images,
        dataset.rejected
    ))?;
    if let Some((hash, canonical)) = &dataset.policy {
        output::line(format!("normalization policy {}: {canonical}", hash.short()))?;
    }
    let rows = versions.iter().map(|version| {
        vec![
            version.version.to_string(),
            state(version.state).to_owned(),
            version.published_at.map_or("-".to_owned(), output::time),
            version.manifest.as_ref().map_or("-".to_owned(), |(uri, _)| uri.to_string()),
        ]
    });
    output::line(output::table(&["version", "state", "published", "manifest"], &[], rows))
}

async fn lineage(store: &dyn ManifestStore, uri: &S3Uri, limit: u32, as_json: bool) -> anyhow::Result<()> {
    let ancestors = store.lineage(uri, Direction::Ancestors, limit).await?;
    let descendants = store.lineage(uri, Direction::Descendants, limit).await?;
    if as_json {
        return output::json(&json!({ "uri": uri, "ancestors": ancestors, "descendants": descendants }));
    }
    if ancestors.is_empty() && descendants.is_empty() {
        return output::line(format!("nothing is known about {uri}"));
    }
    let row = |edge: &LineageEdge| {
        vec![edge.parent.to_string(), edge.relation.as_str().to_owned(), edge.child.to_string()]
    };
    output::line("made from:")?;
    output::line(output::table(&["parent", "relation", "child"], &[], ancestors.iter().map(row)))?;
    output::line("\nmade of it:")?;
    output::line(output::table(&["parent", "relation", "child"], &[], descendants.iter().map(row)))
}

fn summary(dataset: &DatasetRecord) -> Value {
    json!({
        "dataset": dataset.name,
        "latest": dataset.latest,
        "images": dataset.images,
        "duplicates": dataset.originals - dataset.images,
        "rejected": dataset.rejected,
        "normalization_policy_hash": dataset.policy.as_ref().map(|(hash, _)| hash),
    })
}

fn version_document(version: &VersionRecord) -> Value {
    json!({
        "version": version.version,
        "state": state(version.state),
        "input_digest": version.input_digest,
        "settings": version.settings,
        "manifest_uri": version.manifest.as_ref().map(|(uri, _)| uri),
        "manifest_sha256": version.manifest.as_ref().map(|(_, sha256)| sha256),
        "published_at": version.published_at.map(output::time),
    })
}

fn state(state: VersionState) -> &'static str {
    match state {
        VersionState::Planned => "planned",
        VersionState::Published => "published",
        VersionState::Abandoned => "abandoned",
    }
}
