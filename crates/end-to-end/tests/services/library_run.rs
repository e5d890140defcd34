//! The same stages in this process, one after the other, over memory and SQLite: what the services' outputs are
//! compared with.

use std::sync::Arc;
use std::time::Duration;

use image_workers::{ImageWorkers, Isolation, WorkerSettings};
use ingest::Ingest;
use manifest_store::{ManifestStore, SqliteStore};
use normalize::Normalize;
use object_storage::{BlobStore, MemoryStore, PutOptions};
use pipeline::{
    Backends, CpuPool, DatasetRoute, Engine, EngineSettings, MemoryBudget, Metrics, Patience, PollMode,
    PollSettings, PollingSource, Shutdown, Stage,
};
use shard::{Planned, Planner, PlannerSettings, Shard};
use staging::{StagingArea, StagingConfig};
use tempfile::TempDir;
use types::{AlphaPolicy, NormalizationPolicy, OutputFormat, Rgb, S3Uri};

use crate::stand::{Stand, dataset};

pub(crate) struct LibraryRun {
    pub(crate) blobs: Arc<dyn BlobStore>,
    store: Arc<dyn ManifestStore>,
    staging: StagingArea,
    _folder: TempDir,
}

impl LibraryRun {
    /// Publishes version 1 of `name` from these objects, in buckets of the same names as the stand's.
    pub(crate) async fn publish(
        stand: &Stand,
        name: &str,
        inbox: &[(S3Uri, Vec<u8>)],
        sizes: &str,
        settings: PlannerSettings,
    ) -> anyhow::Result<Self> {
        let run = Self::new(stand, inbox).await?;
        let [from, bronze, silver, plans, gold] =
            ["inbox", "bronze", "silver", "plans", "gold"].map(|kind| stand.bucket(kind));
        // The test's program is no worker.
        let settings_of_workers = WorkerSettings { isolation: Isolation::None, ..WorkerSettings::default() };
        let workers = ImageWorkers::new(settings_of_workers);
        let ingest = Ingest::new(from.clone(), bronze.clone(), DatasetRoute::FirstSegment, workers.clone());
        run.drive(Arc::new(ingest), &from).await?;
        let normalize = Normalize::new(bronze.clone(), silver, policy(sizes)?, workers);
        run.drive(Arc::new(normalize), &bronze).await?;
        let planner = Planner::new(Arc::clone(&run.store), Arc::clone(&run.blobs), plans.clone(), settings);
        let planned = planner.plan(&dataset(name)).await?;
        anyhow::ensure!(matches!(planned, Planned::Version(_)), "{planned:?}");
        run.drive(Arc::new(Shard::new(plans.clone(), gold)), &plans).await?;
        Ok(run)
    }

    async fn new(stand: &Stand, inbox: &[(S3Uri, Vec<u8>)]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let blobs = MemoryStore::new();
        for kind in ["inbox", "bronze", "silver", "plans", "gold"] {
            blobs.create_bucket(stand.bucket(kind).bucket());
        }
        for (uri, content) in inbox {
            blobs.write(content.clone().into(), uri, &PutOptions::default()).await?;
        }
        let config = StagingConfig { root: folder.path().join("nvme"), quota: None, min_free: 0 };
        Ok(Self {
            blobs: Arc::new(blobs),
            store: Arc::new(SqliteStore::open(&folder.path().join("manifest.db")).await?),
            staging: StagingArea::open(config).await?,
            _folder: folder,
        })
    }

    async fn drive(&self, stage: Arc<dyn Stage>, prefix: &S3Uri) -> anyhow::Result<()> {
        let metrics = Arc::new(Metrics::register(&prometheus::Registry::new(), stage.name())?);
        let polled =
            PollSettings { prefix: prefix.clone(), mode: PollMode::UntilSettled, min_age: Duration::ZERO };
        let mut source = PollingSource::new(
            polled,
            Arc::clone(&self.blobs),
            Arc::clone(&self.store),
            Arc::clone(&stage),
            Arc::<Metrics>::clone(&metrics),
        );
        let backends = Backends {
            input: Arc::clone(&self.blobs),
            output: Arc::clone(&self.blobs),
            store: Arc::clone(&self.store),
            staging: self.staging.clone(),
            cpu: CpuPool::new(1)?,
            memory: MemoryBudget::new(256 << 20),
        };
        let settings = EngineSettings {
            owner: "library".to_owned(),
            slots: 2,
            lease: Duration::from_secs(60),
            max_attempts: 1,
            backoff: Duration::from_millis(10),
            patience: Patience::Run { source_failures: 1 },
        };
        Engine::new(stage, backends, settings, metrics).run(&mut source, &Shutdown::default()).await?;
        Ok(())
    }
}

/// The services' default policy, from the documentation of their flags.
fn policy(sizes: &str) -> anyhow::Result<NormalizationPolicy> {
    let format = OutputFormat::Jpeg { quality: "90".parse()? };
    let alpha = AlphaPolicy::Flatten { background: "#ffffff".parse::<Rgb>()? };
    Ok(NormalizationPolicy::new(sizes.parse()?, format, alpha, "#000000".parse()?)?)
}
