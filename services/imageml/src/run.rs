//! `imageml run`: the whole pipeline, stage after stage, in this process.

mod pipeline_run;
mod progress;
mod summary;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail};
use ingest::Ingest;
use local_cloud::Mount;
use normalize::Normalize;
use object_storage::{BlobStore, S3Settings, S3Store};
use pipeline::DatasetRoute;
use shard::{Planned, Planner, Shard};
use types::{BucketName, DatasetName, NormalizationPolicy, RejectCode, S3Uri, Sha256, VersionNumber, layout};

pub(crate) use self::pipeline_run::PipelineRun;
use crate::annotations::import::{Imported, import_files, sentence};
use crate::arguments::{InputLocation, RunArguments};
use crate::home::{Home, HomeLayout, bucket};
use crate::output;

/// Runs the pipeline; exit code 0 when everything was published.
pub(crate) async fn run(arguments: RunArguments) -> anyhow::Result<ExitCode> {
    let begun = Instant::now();
    let policy = match arguments.policy.policy() {
        Ok(policy) => policy,
        Err(error) => return Ok(output::misuse(&error)),
    };
    let source = Source::locate(&arguments.input)?;
    let layout = HomeLayout::new(arguments.at.home.clone())?;
    if let InputLocation::Folder(folder) = &arguments.input {
        refuse_nested(&folder.canonicalize()?, layout.root())?;
    }
    let home = Home::open(layout, source.mounts.clone()).await?;
    let input: Arc<dyn BlobStore> = match &arguments.input {
        InputLocation::Folder(_) => Arc::clone(&home.blobs),
        InputLocation::Bucket(_) => Arc::new(S3Store::connect(&S3Settings::default()).await?),
    };
    let input_store = Arc::clone(&input);
    let steps = Steps { arguments: &arguments, home: &home, source: &source.prefix, input };
    let published = Box::pin(steps.all(policy)).await;
    let exit = match published {
        Ok((version, annotation_files)) => {
            let place = summary::Place { home: &home, input: input_store.as_ref(), source: &source.prefix };
            summary::report(&arguments, &place, summary::Made { version, annotation_files }, begun).await
        }
        Err(error) => Err(error),
    };
    home.close().await;
    exit
}

/// Where images come from, and what must be served for that.
struct Source {
    prefix: S3Uri,
    mounts: Vec<Mount>,
}

impl Source {
    /// A folder is served as a bucket of its own, named by its path: it is read in place.
    fn locate(input: &InputLocation) -> anyhow::Result<Self> {
        let folder = match input {
            InputLocation::Bucket(uri) => return Ok(Self { prefix: uri.clone(), mounts: Vec::new() }),
            InputLocation::Folder(folder) => folder.canonicalize()?,
        };
        let mut name = Sha256::of(folder.as_os_str().as_encoded_bytes()).to_hex();
        name.truncate(12);
        let bucket: BucketName = format!("local-{name}").parse()?;
        let mount = Mount { bucket: bucket.to_string(), folder };
        Ok(Self { prefix: S3Uri::new(bucket, ""), mounts: vec![mount] })
    }
}

/// A home inside the input would be its own input.
fn refuse_nested(folder: &Path, home: &Path) -> anyhow::Result<()> {
    // The home may not be there yet, and either path may lead through links.
    let nearest = home.ancestors().find_map(|folder| folder.canonicalize().ok());
    if nearest.is_some_and(|nearest| nearest.starts_with(folder)) {
        bail!("the home {} lies inside the input folder: give another --home", home.display());
    }
    Ok(())
}

struct Steps<'a> {
    arguments: &'a RunArguments,
    home: &'a Home,
    source: &'a S3Uri,
    input: Arc<dyn BlobStore>,
}

impl Steps<'_> {
    /// The version, and what became of annotation files that were named.
    async fn all(
        &self,
        policy: NormalizationPolicy,
    ) -> anyhow::Result<(Option<VersionNumber>, Vec<(PathBuf, Imported)>)> {
        let dataset = &self.arguments.dataset;
        let store = &self.home.store;
        let pipeline = PipelineRun::start(self.home, &self.arguments.machine).await?;
        self.refuse_curated_name().await?;
        store.set_policy(dataset, &policy.hash(), &policy.canonical()).await?;
        self.redrive_circumstances().await?;
        let (bronze, silver) = (bucket("bronze"), bucket("silver"));

        let route = DatasetRoute::Fixed(dataset.clone());
        let ingest = Ingest::new(self.source.clone(), bronze.clone(), route, pipeline.workers())
            .with_annotations(self.arguments.annotations.settings()?);
        pipeline.drive(Arc::new(ingest), &self.input, self.source).await?;
        let annotation_files = self.import_annotations(&pipeline).await?;
        let images = layout::bronze_images(&bronze, dataset);
        let normalize = Normalize::new(bronze, silver, policy, pipeline.workers());
        pipeline.drive(Arc::new(normalize), &self.home.blobs, &images).await?;
        let version = self.publish(&pipeline, dataset).await?;
        pipeline.finish();
        Ok((version, annotation_files))
    }

    /// Files that were named, beside those that lie among the images.
    async fn import_annotations(
        &self,
        pipeline: &PipelineRun<'_>,
    ) -> anyhow::Result<Vec<(PathBuf, Imported)>> {
        let RunArguments { dataset, annotation_files, annotations, .. } = self.arguments;
        if annotation_files.is_empty() {
            return Ok(Vec::new());
        }
        let imported = import_files(self.home, pipeline, dataset, annotation_files, annotations).await?;
        for (file, outcome) in &imported {
            output::note(format!("{}: {}", file.display(), sentence(outcome)));
        }
        Ok(imported)
    }

    /// The name of a curated dataset is taken.
    async fn refuse_curated_name(&self) -> anyhow::Result<()> {
        let dataset = &self.arguments.dataset;
        let versions = self.home.store.versions(dataset).await?;
        if versions.iter().any(|version| version.settings.get("request").is_some()) {
            bail!("{dataset} is a curated dataset: choose another name for one with images of its own");
        }
        Ok(())
    }

    /// What was rejected for the state of this machine at that time, and not for what it is, gets another chance.
    async fn redrive_circumstances(&self) -> anyhow::Result<()> {
        let circumstances = [
            RejectCode::TooLarge,
            RejectCode::AttemptsExhausted,
            RejectCode::InputMissing,
            RejectCode::ConverterMissing,
        ];
        for code in circumstances {
            self.home.store.redrive(&self.arguments.dataset, Some(code), false).await?;
        }
        Ok(())
    }

    /// `None` when there is nothing to publish.
    async fn publish(
        &self,
        pipeline: &PipelineRun<'_>,
        dataset: &DatasetName,
    ) -> anyhow::Result<Option<VersionNumber>> {
        let (plans, gold) = (bucket("plans"), bucket("gold"));
        let settings = self.arguments.plan.settings(std::time::Duration::ZERO);
        let store = &self.home.store;
        let planner = Planner::new(Arc::clone(store), Arc::clone(&self.home.blobs), plans.clone(), settings);
        let plan = async { planner.plan(dataset).await.context("planning") };
        let version = match pipeline.unless_interrupted(plan).await? {
            Planned::Unchanged(version) => return Ok(Some(version)),
            Planned::Version(version) | Planned::UnderWay(version) => version,
            Planned::Empty => return Ok(None),
            Planned::Pending(originals) => bail!(
                "{originals} ingested images have no renditions, and their originals are gone from {}",
                layout::bronze_images(&bucket("bronze"), dataset)
            ),
        };
        let folder = layout::version(&plans, dataset, version);
        pipeline.drive(Arc::new(Shard::new(plans, gold)), &self.home.blobs, &folder).await?;
        let record = store.version(dataset, version).await?;
        if record.manifest.is_none() {
            bail!("version {version} could not be published: `imageml rejected list {dataset}` says why");
        }
        Ok(Some(version))
    }
}
