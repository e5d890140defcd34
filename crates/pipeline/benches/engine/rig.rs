//! The servers, the objects and their events, and one run of an engine over them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use manifest_store::ManifestStore;
use object_storage::{BlobStore, MemoryStore, Put, PutOptions, S3Store};
use pipeline::{
    Backends, CpuPool, Engine, EngineSettings, MemoryBudget, Metrics, Patience, QueueSettings, QueueSource,
    Shutdown, Stage,
};
use prometheus::Registry;
use queue::{MAX_BATCH, NewQueue, Queue, SqsQueue, SqsSettings};
use staging::{StagingArea, StagingConfig};
use tempfile::TempDir;
use testkit::{ElasticMq, PostgresServer, S3Process};
use types::{BucketName, DatasetName, S3Uri};

use crate::cpu::CpuTimes;
use crate::memory;
use crate::stage::{CopyStage, Counter};

/// Of one object.
const BYTES: usize = 1024;

/// Requests under way while objects and events are put.
const PARALLEL: usize = 16;

/// A run that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(1800);

/// The default of the services.
const VISIBILITY: Duration = Duration::from_secs(60);

/// What a run took.
#[derive(Debug)]
pub(crate) struct Measured {
    /// From the engine's start to its last object.
    pub(crate) took: Duration,
    /// Until all messages were deleted.
    pub(crate) cpu: CpuTimes,
    /// Bytes that this process held more than before, at most. Objects in memory are among them.
    pub(crate) memory: u64,
}

/// Servers and objects, for several runs.
#[derive(Debug)]
pub(crate) struct Rig {
    blobs: Arc<dyn BlobStore>,
    /// One message for each object.
    events: Vec<String>,
    store: Arc<dyn ManifestStore>,
    staging: StagingArea,
    elastic: ElasticMq,
    runs: AtomicUsize,
    _s3: Option<S3Process>,
    _postgres: PostgresServer,
    _folder: TempDir,
}

impl Rig {
    /// With objects in this process.
    pub(crate) async fn in_memory(objects: usize) -> anyhow::Result<Self> {
        let blobs = MemoryStore::new();
        for bucket in [bucket_in(), bucket_out()] {
            blobs.create_bucket(&bucket);
        }
        Self::new(objects, Arc::new(blobs), None).await
    }

    /// With objects in an S3 server.
    pub(crate) async fn over_s3(objects: usize) -> anyhow::Result<Self> {
        let server = S3Process::start(&std::env::temp_dir(), &["bench-in", "bench-out"])?;
        let blobs = S3Store::connect(&server.settings()).await?;
        Self::new(objects, Arc::new(blobs), Some(server)).await
    }

    async fn new(objects: usize, blobs: Arc<dyn BlobStore>, s3: Option<S3Process>) -> anyhow::Result<Self> {
        let postgres = PostgresServer::start().await?;
        let folder = tempfile::tempdir()?;
        let config = StagingConfig { root: folder.path().to_owned(), quota: None, min_free: 0 };
        let put = (0..objects).map(|n| put(n, Arc::clone(&blobs)));
        Ok(Self {
            events: stream::iter(put).buffered(PARALLEL).try_collect().await?,
            store: manifest_store::open(&postgres.url(&postgres.address())).await?,
            staging: StagingArea::open(config).await?,
            elastic: ElasticMq::start()?,
            runs: AtomicUsize::new(0),
            blobs,
            _s3: s3,
            _postgres: postgres,
            _folder: folder,
        })
    }

    /// How many objects there are.
    pub(crate) fn objects(&self) -> usize {
        self.events.len()
    }

    /// All objects once, for a dataset of its own.
    pub(crate) async fn run(&self, slots: usize) -> anyhow::Result<Measured> {
        let name = format!("run-{}", self.runs.fetch_add(1, Ordering::Relaxed));
        let dataset: DatasetName = name.parse()?;
        let output = S3Uri::new(bucket_out(), "");
        let stage = Arc::new(CopyStage { dataset: dataset.clone(), output });
        let queue = Arc::new(self.filled_queue(&name).await?);
        let shutdown = Shutdown::default();
        let metrics = Metrics::register(&Registry::new(), stage.name())?;
        let counter = Arc::new(Counter::new(metrics, self.objects(), shutdown.intake.clone()));
        let engine = self.engine(&stage, slots, &counter)?;

        let held = memory::begin()?;
        let (begun, before) = (Instant::now(), CpuTimes::now()?);
        let mut source = self.source(&queue, &counter);
        tokio::time::timeout(LIMIT, engine.run(&mut source, &shutdown)).await.context("it hangs")??;
        let measured = Measured {
            took: counter.last() - begun,
            cpu: CpuTimes::now()? - before,
            memory: memory::peak()?.saturating_sub(held),
        };

        let other = counter.other();
        ensure!(other.is_empty(), "not only successes: {other:?}");
        let depth = queue.depth().await?;
        ensure!(depth == queue::Depth::default(), "messages are left: {depth:?}");
        let limit = u32::try_from(self.objects())? + 1;
        let published = self.store.manifests(&dataset, stage.name(), None, limit).await?.len();
        ensure!(published == self.objects(), "{published} of {} are published", self.objects());
        Ok(measured)
    }

    async fn filled_queue(&self, name: &str) -> anyhow::Result<SqsQueue> {
        let settings = SqsSettings::fixed(self.elastic.endpoint(), "any", "any", "");
        let new = NewQueue { visibility: VISIBILITY, redrive: None };
        let queue = SqsQueue::create(&settings, name, new).await?;
        stream::iter(self.events.chunks(MAX_BATCH).map(anyhow::Ok))
            .try_for_each_concurrent(PARALLEL, async |batch| {
                for sent in queue.send(batch).await? {
                    sent?;
                }
                Ok(())
            })
            .await?;
        Ok(queue)
    }

    /// With the defaults of the services.
    fn engine(&self, stage: &Arc<CopyStage>, slots: usize, counter: &Arc<Counter>) -> anyhow::Result<Engine> {
        let backends = Backends {
            input: Arc::clone(&self.blobs),
            output: Arc::clone(&self.blobs),
            store: Arc::clone(&self.store),
            staging: self.staging.clone(),
            cpu: CpuPool::new(0)?,
            memory: MemoryBudget::new(768 << 20),
        };
        let patience =
            Patience::Service { input: S3Uri::new(bucket_in(), ""), output: S3Uri::new(bucket_out(), "") };
        let settings = EngineSettings {
            owner: "bench".to_owned(),
            slots,
            lease: Duration::from_secs(60),
            max_attempts: 5,
            backoff: Duration::from_secs(2),
            patience,
        };
        let stage = Arc::<CopyStage>::clone(stage);
        Ok(Engine::new(stage, backends, settings, Arc::<Counter>::clone(counter)))
    }

    fn source(&self, queue: &Arc<SqsQueue>, counter: &Arc<Counter>) -> QueueSource {
        let settings = QueueSettings {
            bucket: bucket_in(),
            visibility: VISIBILITY,
            // Short: at the end the last receive is waited for.
            wait: Duration::from_secs(1),
            backoff: Duration::from_secs(2),
            parked: 100,
        };
        let (queue, counter) = (Arc::<SqsQueue>::clone(queue), Arc::<Counter>::clone(counter));
        QueueSource::new(settings, queue, Arc::clone(&self.blobs), counter)
    }
}

/// Writes an object; the message that tells of it.
async fn put(n: usize, blobs: Arc<dyn BlobStore>) -> anyhow::Result<String> {
    let key = format!("photos/2024/{:02}/IMG_{n:08}.jpg", n % 12 + 1);
    let mut content = format!("content {n} ").into_bytes();
    content.resize(BYTES, b'.');
    let uri = S3Uri::new(bucket_in(), key.as_str());
    let Put::Written(etag) = blobs.write(content.into(), &uri, &PutOptions::default()).await? else {
        bail!("{uri} is there already");
    };
    testkit::created_event(bucket_in().as_str(), &key, BYTES, &etag)
}

fn bucket_in() -> BucketName {
    "bench-in".parse().expect("a valid name")
}

fn bucket_out() -> BucketName {
    "bench-out".parse().expect("a valid name")
}
