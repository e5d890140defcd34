//! `imageml dataset verify`: every object of a version against its manifest, and the manifest against the store.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use futures::{StreamExt, stream};
use object_storage::{BlobStore, StorageError};
use serde_json::json;
use types::{DatasetVersionManifest, S3Uri, Sha256};

use crate::arguments::{BackendArguments, VersionReference};
use crate::backend::Backend;
use crate::output;

const PARALLEL: usize = 4;

/// Exit code 1 when anything is missing or differs.
pub(crate) async fn run(
    reference: &VersionReference,
    arguments: &BackendArguments,
) -> anyhow::Result<ExitCode> {
    let backend = Backend::open(arguments).await?;
    let checked = check(&backend, reference).await;
    backend.close().await;
    let (objects, problems) = checked?;
    let name = format!("{}@{}", reference.dataset, reference.version.get());
    if arguments.json {
        output::json(&json!({ "version": name, "objects": objects, "problems": problems }))?;
    } else {
        for problem in &problems {
            output::line(problem)?;
        }
        let verdict = if problems.is_empty() { "intact" } else { "DAMAGED" };
        output::line(format!("{name}: {objects} objects read, {verdict}"))?;
    }
    Ok(if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn check(backend: &Backend, reference: &VersionReference) -> anyhow::Result<(usize, Vec<String>)> {
    let (uri, sha256, manifest) = backend.manifest(&reference.dataset, reference.version).await?;
    let mut problems = Vec::new();
    if Sha256::of(&manifest) != sha256 {
        problems.push(format!("{uri}: differs from what was published"));
    }
    let manifest: DatasetVersionManifest = serde_json::from_slice(&manifest).context("manifest.json")?;
    let folder = uri.parent();
    let shards = manifest.shards.into_iter().map(|shard| (shard.uri, shard.sha256));
    let files = manifest.files.into_iter().map(|(name, sha256)| (folder.join(&name), sha256));
    let listed: Vec<_> = shards.chain(files).collect();
    let objects = listed.len() + 1;
    let scratch = backend.scratch()?;
    let found = stream::iter(listed.into_iter().enumerate()).map(|(number, (uri, expected))| {
        let (blobs, to) = (Arc::clone(backend.blobs()), scratch.path().join(number.to_string()));
        async move { compare(blobs.as_ref(), &uri, expected, &to).await }
    });
    let found: Vec<Option<String>> = found.buffered(PARALLEL).collect().await;
    problems.extend(found.into_iter().flatten());
    Ok((objects, problems))
}

async fn compare(
    blobs: &dyn BlobStore,
    uri: &S3Uri,
    expected: Sha256,
    to: &std::path::Path,
) -> Option<String> {
    let read = async {
        let summary = blobs.head(uri).await?;
        let downloaded = blobs.download(&summary.object, to, summary.bytes).await?;
        Ok::<_, StorageError>(downloaded.sha256)
    };
    let read = read.await;
    // The copy was made to be read once.
    drop(tokio::fs::remove_file(to).await);
    match read {
        Ok(sha256) if sha256 == expected => None,
        Ok(sha256) => Some(format!("{uri}: sha256 {sha256}, expected {expected}")),
        Err(error) => Some(error.to_string()),
    }
}
