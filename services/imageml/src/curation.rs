//! `imageml curate`: stage 4 on one machine.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use bytes::Bytes;
use curate::{Curate, CurationRequest};
use manifest_store::VersionRecord;
use object_storage::PutOptions;
use serde_json::json;
use types::Sha256;

use crate::arguments::CurateArguments;
use crate::home::{Home, HomeLayout, bucket};
use crate::output;
use crate::run::PipelineRun;

pub(crate) async fn run(arguments: CurateArguments) -> anyhow::Result<ExitCode> {
    let path = arguments.request.display();
    let text = std::fs::read(&arguments.request).with_context(|| format!("cannot read {path}"))?;
    let request: CurationRequest =
        serde_json::from_slice(&text).with_context(|| format!("{path} is not a curation request"))?;
    request.check().map_err(|reason| anyhow::anyhow!("{path}: {reason}"))?;
    let home = Home::open(HomeLayout::new(arguments.at.home.clone())?, Vec::new()).await?;
    let curated = Box::pin(curate(&home, &arguments, &request)).await;
    let printed = curated.and_then(|version| print(&home, &arguments, &request, &version));
    home.close().await;
    printed.map(|()| ExitCode::SUCCESS)
}

async fn curate(
    home: &Home,
    arguments: &CurateArguments,
    request: &CurationRequest,
) -> anyhow::Result<VersionRecord> {
    home.store.version(&request.dataset, request.version).await?;
    let canonical = serde_json::to_vec_pretty(request)?;
    let mut name = Sha256::of(&canonical).to_hex();
    name.truncate(16);
    let requests = bucket("requests");
    // The same request again is the same object: nothing happens twice.
    let folder = requests.join(request.name.as_str()).join(&name);
    let options = PutOptions { if_absent: true, ..PutOptions::default() };
    home.blobs.write(Bytes::from(canonical), &folder.join("request.json"), &options).await?;
    let pipeline = PipelineRun::start(home, &arguments.machine).await?;
    let stage = Curate::new(requests, bucket("training"));
    pipeline.drive(Arc::new(stage), &home.blobs, &folder).await?;
    pipeline.finish();
    let versions = home.store.versions(&request.name).await?;
    // Not simply the latest: other requests may have the same name.
    let asked = json!(request);
    match versions
        .into_iter()
        .find(|version| version.manifest.is_some() && version.settings.get("request") == Some(&asked))
    {
        Some(version) => Ok(version),
        None => bail!("not curated: `imageml rejected list {}` says why", request.name),
    }
}

fn print(
    home: &Home,
    arguments: &CurateArguments,
    request: &CurationRequest,
    version: &VersionRecord,
) -> anyhow::Result<()> {
    let (uri, _) = version.manifest.as_ref().context("published versions have a manifest")?;
    let path = home.path_of(uri);
    if arguments.at.json {
        return output::json(&json!({
            "dataset": request.name, "version": version.version, "manifest_uri": uri, "manifest_path": path,
        }));
    }
    let place = path.map_or_else(|| uri.to_string(), |path| path.with_file_name("").display().to_string());
    output::line(format!("{} {}\n{place}", request.name, version.version))
}
