//! A database, an object store and a folder for one test, and services that run against them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use local_cloud::{LocalCloud, LocalCloudConfig};
use manifest_store::{DatasetProgress, ManifestStore, ProcessedRecord, StoreError};
use object_storage::{BlobStore as _, ObjectSummary, PutOptions, S3Settings, S3Store};
use queue::{Depth, Queue as _, SqsQueue};
use tempfile::TempDir;
use testkit::{Moto, Service, TestDatabase};
use types::{DatasetName, S3Uri, StageName};

use crate::events;

/// How long anything may take before a test gives up: these machines also compile.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

const KINDS: [&str; 8] = ["inbox", "bronze", "silver", "plans", "gold", "requests", "training", "elsewhere"];

/// A service binary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Ingest,
    Normalize,
    Shard,
    Curate,
}

impl Program {
    pub(crate) const ALL: [Self; 4] = [Self::Ingest, Self::Normalize, Self::Shard, Self::Curate];

    pub(crate) fn path(self) -> &'static Path {
        Path::new(match self {
            Self::Ingest => env!("CARGO_BIN_EXE_tested-ingest"),
            Self::Normalize => env!("CARGO_BIN_EXE_tested-normalize"),
            Self::Shard => env!("CARGO_BIN_EXE_tested-shard"),
            Self::Curate => env!("CARGO_BIN_EXE_tested-curate"),
        })
    }

    /// The kinds of bucket that it watches and writes.
    fn buckets(self) -> (&'static str, &'static str) {
        match self {
            Self::Ingest => ("inbox", "bronze"),
            Self::Normalize => ("bronze", "silver"),
            Self::Shard => ("plans", "gold"),
            Self::Curate => ("requests", "training"),
        }
    }
}

/// Kept for their ends.
enum Server {
    Moto(Arc<Moto>),
    LocalCloud { cloud: LocalCloud, _root: TempDir },
}

/// Everything that services need, for one test alone.
pub(crate) struct Stand {
    server: Server,
    name: String,
    database: TestDatabase,
    pub(crate) store: Arc<dyn ManifestStore>,
    pub(crate) blobs: S3Store,
    /// Of buckets with notifications, by kind.
    queues: BTreeMap<&'static str, SqsQueue>,
    folder: TempDir,
}

impl Stand {
    /// Over moto, which all tests of this process share; the buckets are this test's own.
    pub(crate) async fn on_moto() -> anyhow::Result<Self> {
        let moto = tokio::task::spawn_blocking(Moto::shared).await??;
        let stand = Self::over(Server::Moto(moto)).await?;
        for kind in KINDS {
            stand.blobs.create_bucket(stand.bucket(kind).bucket()).await?;
        }
        Ok(stand)
    }

    /// Over our own server, which holds every key that S3 allows.
    pub(crate) async fn on_local_cloud() -> anyhow::Result<Self> {
        let root = tempfile::tempdir()?;
        let buckets = KINDS.map(|kind| format!("test-{kind}")).to_vec();
        let config = LocalCloudConfig { buckets, ..LocalCloudConfig::new(root.path()) };
        Self::over(Server::LocalCloud { cloud: LocalCloud::start(config).await?, _root: root }).await
    }

    async fn over(server: Server) -> anyhow::Result<Self> {
        let name = match &server {
            Server::Moto(_) => uuid::Uuid::new_v4().simple().to_string(),
            Server::LocalCloud { .. } => "test".to_owned(),
        };
        let (endpoint, access_key, secret_key) = server.access();
        let blobs = S3Store::connect(&S3Settings::fixed(endpoint, access_key, secret_key)).await?;
        let database = testkit::database().await?;
        let store = manifest_store::open(&database.url).await?;
        let folder = tempfile::tempdir()?;
        std::fs::create_dir_all(folder.path().join("a/b/c"))?;
        std::fs::create_dir(folder.path().join("tmp"))?;
        Ok(Self { server, name, database, store, blobs, queues: BTreeMap::new(), folder })
    }

    /// Over moto, with a queue for each bucket that a service watches: the services take events and list nothing.
    pub(crate) async fn with_events() -> anyhow::Result<Self> {
        let mut stand = Self::on_moto().await?;
        for program in Program::ALL {
            let (kind, _) = program.buckets();
            let queue = events::queue_of(stand.endpoint(), stand.bucket(kind).bucket()).await?;
            stand.queues.insert(kind, queue);
        }
        Ok(stand)
    }

    /// Waits until every message of every queue was deleted.
    pub(crate) async fn until_queues_are_empty(&self) -> anyhow::Result<()> {
        for (kind, queue) in &self.queues {
            testkit::until(&format!("the queue of {kind} is empty"), PATIENCE, async || {
                Ok((queue.depth().await? == Depth::default()).then_some(()))
            })
            .await?;
        }
        Ok(())
    }

    pub(crate) fn bucket(&self, kind: &str) -> S3Uri {
        format!("s3://{}-{kind}", self.name).parse().expect("a valid bucket")
    }

    pub(crate) fn object(&self, kind: &str, key: &str) -> S3Uri {
        S3Uri::new(self.bucket(kind).bucket().clone(), key)
    }

    pub(crate) fn endpoint(&self) -> &str {
        self.server.access().0
    }

    pub(crate) fn database_url(&self) -> &str {
        &self.database.url
    }

    /// Everything of this test on local disk, the S3 server's own files excepted.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Deep inside the folder, so that a path that climbs out of it still lands where we look.
    pub(crate) fn nvme(&self) -> PathBuf {
        self.folder.path().join("a/b/c/nvme")
    }

    /// Where services put what is short-lived beside their work.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.folder.path().join("tmp")
    }

    /// A service over these stores, fast enough for a test.
    pub(crate) fn start(&self, program: Program, arguments: &[&str]) -> anyhow::Result<Service> {
        self.start_through(self.endpoint(), program, arguments)
    }

    /// The same with another way to the S3 server.
    pub(crate) fn start_through(
        &self,
        endpoint: &str,
        program: Program,
        arguments: &[&str],
    ) -> anyhow::Result<Service> {
        let (_, access_key, secret_key) = self.server.access();
        let (input, output) = program.buckets();
        Service::start(program.path(), |command| {
            command
                .env("AWS_ENDPOINT_URL", endpoint)
                .env("AWS_ACCESS_KEY_ID", access_key)
                .env("AWS_SECRET_ACCESS_KEY", secret_key)
                .env("DATABASE_URL", self.database_url())
                .env("NVME_ROOT", self.nvme())
                .env("NVME_MIN_GB", "0")
                .env("STAGE_INPUT_PREFIX", self.bucket(input).to_string())
                .env("STAGE_OUTPUT_PREFIX", self.bucket(output).to_string())
                .env("POLL_INTERVAL", "200ms")
                .env("RETRY_BACKOFF", "100ms")
                .env("JANITOR_INTERVAL", "off")
                .env("LABEL_STUDIO_ROOT", concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
                .env("TMPDIR", self.scratch())
                .args(arguments)
                .current_dir(self.folder.path().join("a/b"));
            if let Some(queue) = self.queues.get(input) {
                command
                    .env("STAGE_SOURCE", "sqs")
                    .env("QUEUE_URL", queue.url())
                    .env("QUEUE_WAIT", "1s")
                    .env("RECONCILE_INTERVAL", "off");
            }
        })
    }

    pub(crate) async fn put(&self, to: &S3Uri, content: impl Into<Vec<u8>>) -> anyhow::Result<()> {
        self.blobs.write(content.into().into(), to, &PutOptions::default()).await?;
        Ok(())
    }

    /// Puts many, some at a time.
    pub(crate) async fn put_all(
        &self,
        objects: impl IntoIterator<Item = (S3Uri, Vec<u8>)>,
    ) -> anyhow::Result<()> {
        let puts: Vec<_> =
            objects.into_iter().map(|(to, content)| async move { self.put(&to, content).await }).collect();
        stream::iter(puts).buffer_unordered(8).try_collect().await
    }

    pub(crate) async fn list(&self, prefix: &S3Uri) -> anyhow::Result<Vec<ObjectSummary>> {
        let (mut all, mut next) = (Vec::new(), None);
        loop {
            let page = self.blobs.list(prefix, next.as_deref(), 1000).await?;
            all.extend(page.objects);
            match page.next {
                Some(token) => next = Some(token),
                None => return Ok(all),
            }
        }
    }

    /// The one claim of an object that has only ever had one content.
    pub(crate) async fn claim(&self, stage: StageName, uri: &S3Uri) -> anyhow::Result<ProcessedRecord> {
        let mut known = self.store.processed(stage, uri).await?;
        anyhow::ensure!(known.len() == 1, "{} claims of {uri}", known.len());
        known.pop().context("one")
    }

    /// Under the dataset's own policy; nothing yet when there is no such dataset or policy.
    pub(crate) async fn progress(&self, dataset: &DatasetName) -> anyhow::Result<Option<DatasetProgress>> {
        let policy = match self.store.dataset(dataset).await {
            Ok(record) => record.policy,
            Err(StoreError::NoSuchDataset(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let Some((policy, _)) = policy else { return Ok(None) };
        Ok(Some(self.store.progress(dataset, &policy).await?))
    }

    /// Waits until this many originals are catalogued and normalized.
    pub(crate) async fn normalized(&self, dataset: &DatasetName, originals: u64) -> anyhow::Result<()> {
        testkit::until("every original is normalized", PATIENCE, async || {
            let progress = self.progress(dataset).await?;
            let finished = progress.filter(|so_far| so_far.originals == originals && so_far.pending == 0);
            Ok(finished.map(drop))
        })
        .await
    }
}

impl Server {
    /// Endpoint, access key, secret key.
    fn access(&self) -> (&str, &str, &str) {
        match self {
            Self::Moto(moto) => (moto.endpoint(), "test", "test"),
            Self::LocalCloud { cloud, .. } => (cloud.endpoint(), cloud.access_key(), cloud.secret_key()),
        }
    }
}

pub(crate) fn dataset(name: &str) -> DatasetName {
    name.parse().expect("a valid name")
}

/// Waits until a service's sample has at least this value.
pub(crate) async fn until_counted(
    service: &mut Service,
    name: &str,
    labels: &[(&str, &str)],
    least: f64,
) -> anyhow::Result<()> {
    testkit::until(&format!("{name} {labels:?} is {least}"), PATIENCE, async || {
        Ok((service.metrics().await?.value(name, labels) >= least).then_some(()))
    })
    .await
    .with_context(|| service.log_text())
}

/// Waits until a service holds nothing any more.
pub(crate) async fn until_at_rest(service: &mut Service) -> anyhow::Result<()> {
    testkit::until("every gauge of work is zero", PATIENCE, async || {
        let metrics = service.metrics().await?;
        let held = ["imageml_in_flight", "imageml_nvme_reserved_bytes"].map(|name| metrics.value(name, &[]));
        Ok((held == [0.0, 0.0]).then_some(()))
    })
    .await
}

/// SIGTERM, and the end that it should bring.
pub(crate) async fn stop(mut service: Service) -> anyhow::Result<Service> {
    service.terminate()?;
    let status = service.exit(PATIENCE).await?;
    anyhow::ensure!(status.code() == Some(0), "{status}\n{}", service.log_text());
    Ok(service)
}
