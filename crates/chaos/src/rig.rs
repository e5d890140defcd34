//! The world of one scenario.

pub(crate) mod disks;
mod padded;
pub(crate) mod pods;
pub(crate) mod puts;
pub(crate) mod sessions;
pub(crate) mod traffic;
mod waiting;
pub(crate) mod webhooks;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use local_cloud::{LocalCloud, LocalCloudConfig};
use manifest_store::ManifestStore;
use object_storage::{S3Settings, S3Store};
use queue::{NewQueue, Redrive, SqsQueue, SqsSettings};
use tempfile::TempDir;
use testkit::{ElasticMq, FaultProxy, PostgresServer, Service, TcpProxy};
use types::{DatasetName, S3Uri};

use crate::checker::DECODE_MEMORY;
use crate::{Ledger, Pod, Program, Random};

/// What differs between scenarios.
#[derive(Debug, Clone)]
pub struct RigSettings {
    /// Receives before a message goes to the dead-letter queue.
    pub max_receives: u32,
    /// The services' visibility time and lease.
    pub visibility: Duration,
}

impl Default for RigSettings {
    fn default() -> Self {
        Self { max_receives: 5, visibility: Duration::from_secs(4) }
    }
}

/// Servers, proxies before them, and what was sent. The services see the proxies; the rig itself goes around them.
pub struct Rig {
    /// Everything random comes from here.
    pub seed: u64,
    /// What differs between scenarios.
    pub settings: RigSettings,
    /// Before the S3 server.
    pub s3: FaultProxy,
    /// Before the SQS server.
    pub sqs: FaultProxy,
    /// Before Postgres.
    pub pg: TcpProxy,
    /// The Postgres server.
    pub postgres: PostgresServer,
    /// The S3 server, directly.
    pub blobs: S3Store,
    /// The manifest store, directly.
    pub store: Arc<dyn ManifestStore>,
    /// The queue, directly.
    pub queue: SqsQueue,
    /// Its dead-letter queue.
    pub dead: SqsQueue,
    /// What was put.
    pub ledger: Ledger,
    access: (String, String),
    _cloud: LocalCloud,
    _elastic: Arc<ElasticMq>,
    folder: TempDir,
}

impl Rig {
    /// Starts everything.
    ///
    /// # Errors
    /// A server could not be started; the message says which.
    pub async fn start(seed: u64, settings: RigSettings) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("chaos-").tempdir()?;
        let buckets = ["inbox", "bronze", "silver"].map(ToOwned::to_owned).to_vec();
        let config = LocalCloudConfig { buckets, ..LocalCloudConfig::new(folder.path().join("s3")) };
        let cloud = LocalCloud::start(config).await?;
        let access = (cloud.access_key().to_owned(), cloud.secret_key().to_owned());
        let blobs = S3Store::connect(&S3Settings::fixed(cloud.endpoint(), &access.0, &access.1)).await?;

        let elastic = tokio::task::spawn_blocking(ElasticMq::shared).await??;
        let (queue, dead) = queues(elastic.endpoint(), settings.max_receives).await?;

        let postgres = PostgresServer::start().await?;
        let store = manifest_store::open(&postgres.url(&postgres.address())).await?;
        Ok(Self {
            seed,
            settings,
            s3: FaultProxy::start(cloud.endpoint(), seed).await?,
            sqs: FaultProxy::start(elastic.endpoint(), seed ^ 1).await?,
            pg: TcpProxy::start(&postgres.address()).await?,
            postgres,
            blobs,
            store,
            queue,
            dead,
            ledger: Ledger::create(&folder.path().join("ledger.jsonl"))?,
            access,
            _cloud: cloud,
            _elastic: elastic,
            folder,
        })
    }

    /// Fresh randomness of this scenario.
    pub fn random(&self) -> Random {
        Random::new(self.seed)
    }

    /// The dataset that everything belongs to.
    pub fn dataset(&self) -> DatasetName {
        "chaos".parse().expect("a valid name")
    }

    /// Where pictures arrive.
    pub fn inbox(&self, key: &str) -> S3Uri {
        S3Uri::new("inbox".parse().expect("a valid name"), format!("chaos/{key}"))
    }

    /// The outputs of ingest.
    pub fn bronze(&self) -> S3Uri {
        "s3://bronze".parse().expect("a valid URI")
    }

    /// The services' staging area.
    pub fn nvme(&self) -> PathBuf {
        self.folder.path().join("nvme")
    }

    /// Everything on disk.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The queue's own name for itself.
    pub fn queue_url(&self) -> &str {
        self.queue.url()
    }

    /// An ingest service fed by the queue alone, with short times.
    pub fn ingest(&self) -> Pod {
        let seconds = |time: Duration| format!("{}ms", time.as_millis());
        self.aws(Pod::new(Program::Ingest))
            .env("DATABASE_URL", self.postgres.url(&self.pg.address().to_string()))
            .env("NVME_ROOT", self.nvme().display().to_string())
            .env("NVME_MIN_GB", "0")
            .env("STAGE_INPUT_PREFIX", "s3://inbox")
            .env("STAGE_OUTPUT_PREFIX", "s3://bronze")
            .env("STAGE_SOURCE", "sqs")
            .env("QUEUE_URL", self.queue_url())
            .env("QUEUE_WAIT", "1s")
            .env("QUEUE_VISIBILITY", seconds(self.settings.visibility))
            .env("CLAIM_LEASE", seconds(self.settings.visibility))
            .env("RECONCILE_INTERVAL", "off")
            .env("JANITOR_INTERVAL", "off")
            .env("RETRY_BACKOFF", "200ms")
            .env("SHUTDOWN_GRACE", "10s")
            .env("DECODE_MEMORY", DECODE_MEMORY.to_string())
            .env("WORK_SLOTS", "4")
            .env("CPU_THREADS", "1")
    }

    /// The webhook gateway before the queue.
    pub fn gateway(&self) -> Pod {
        self.aws(Pod::new(Program::Gateway)).env("QUEUE_URL", self.queue_url())
    }

    fn aws(&self, pod: Pod) -> Pod {
        pod.env("AWS_ENDPOINT_URL_S3", self.s3.endpoint())
            .env("AWS_ENDPOINT_URL_SQS", self.sqs.endpoint())
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", self.access.0.clone())
            .env("AWS_SECRET_ACCESS_KEY", self.access.1.clone())
    }

    /// Starts `count` ingest services and waits until they are ready.
    ///
    /// # Errors
    /// One did not start.
    pub async fn ingests(&self, count: usize) -> anyhow::Result<Vec<Service>> {
        let mut pods: Vec<_> = (0..count).map(|_| self.ingest().start()).collect::<Result<_, _>>()?;
        for pod in &mut pods {
            pod.ready().await?;
        }
        Ok(pods)
    }
}

impl std::fmt::Debug for Rig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rig")
            .field("seed", &self.seed)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// A queue and its dead-letter queue.
async fn queues(endpoint: &str, max_receives: u32) -> anyhow::Result<(SqsQueue, SqsQueue)> {
    let name = format!("chaos-{}", uuid::Uuid::new_v4().simple());
    let settings = SqsSettings::fixed(endpoint, "test", "test", "");
    let visibility = Duration::from_secs(30);
    let dead =
        SqsQueue::create(&settings, &format!("{name}-dead"), NewQueue { visibility, redrive: None }).await?;
    let redrive = Some(Redrive { to: &dead, max_receive_count: max_receives });
    let queue = SqsQueue::create(&settings, &name, NewQueue { visibility, redrive }).await?;
    Ok((queue, dead))
}
