//! The servers, the images in bronze with their events, and one run of the service over them.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use manifest_store::ManifestStore;
use object_storage::{BlobStore, Put, PutOptions, S3Settings, S3Store};
use queue::{Depth, MAX_BATCH, NewQueue, Queue, SqsQueue, SqsSettings};
use tempfile::TempDir;
use testkit::{ElasticMq, PostgresServer, S3Process, Service};
use types::{DatasetName, S3Uri, Sha256, StageName, layout};

use crate::Settings;
use crate::memory::Watch;

const PARALLEL: usize = 8;
const VISIBILITY: Duration = Duration::from_secs(60);
/// A run that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(1800);

/// What a run took.
#[derive(Debug)]
pub(crate) struct Measured {
    /// From the first event to the last message deleted.
    pub(crate) took: Duration,
    /// Of the service and its workers.
    pub(crate) cpu: Duration,
    /// The most that service and workers held at once.
    pub(crate) peak_bytes: u64,
}

/// Everything for one run.
pub(crate) struct Rig {
    s3: S3Process,
    store: Arc<dyn ManifestStore>,
    postgres: PostgresServer,
    queue: SqsQueue,
    events: Vec<String>,
    elastic: ElasticMq,
    dataset: DatasetName,
    folder: TempDir,
}

impl Rig {
    /// Servers, and the originals in bronze.
    pub(crate) async fn start(originals: &[Vec<u8>]) -> anyhow::Result<Self> {
        let s3 = S3Process::start(&["bronze", "silver"])?;
        let (endpoint, access_key, secret_key) = s3.access();
        let blobs = S3Store::connect(&S3Settings::fixed(endpoint, access_key, secret_key)).await?;
        let (dataset, bronze): (DatasetName, S3Uri) = ("bench".parse()?, "s3://bronze".parse()?);
        let puts = originals.iter().enumerate().map(|(number, data)| {
            let uri = layout::bronze_image(&bronze, &dataset, &format!("{number:06}.jpg"), &Sha256::of(data));
            put(&blobs, uri, data)
        });
        let events = stream::iter(puts.collect::<Vec<_>>()).buffered(PARALLEL).try_collect().await?;
        let postgres = PostgresServer::start().await?;
        let store = manifest_store::open(&postgres.url(&postgres.address())).await?;
        store.ensure_dataset(&dataset).await?;
        let elastic = ElasticMq::start()?;
        let settings = SqsSettings::fixed(elastic.endpoint(), "any", "any", "");
        let queue =
            SqsQueue::create(&settings, "bronze", NewQueue { visibility: VISIBILITY, redrive: None }).await?;
        Ok(Self { s3, store, postgres, queue, events, elastic, dataset, folder: tempfile::tempdir()? })
    }

    /// Starts the service, sends all events, and waits until they are settled.
    pub(crate) async fn run(&self, settings: &Settings) -> anyhow::Result<Measured> {
        let mut service = self.service(settings)?;
        service.ready().await?;
        let watch = Watch::start(service.pid());
        let begun = Instant::now();
        self.send_events().await?;
        loop {
            tokio::time::sleep(Duration::from_millis(100)).await;
            if self.queue.depth().await? == Depth::default() {
                break;
            }
            ensure!(begun.elapsed() < LIMIT, "it hangs: {}", service.log_text());
        }
        let took = begun.elapsed();
        let (cpu, peak_bytes) = watch.stop()?;
        let limit = u32::try_from(self.events.len())? + 1;
        let published = self.store.manifests(&self.dataset, StageName::Normalize, None, limit).await?.len();
        ensure!(published == self.events.len(), "{published} of {} are published", self.events.len());
        Ok(Measured { took, cpu, peak_bytes })
    }

    fn service(&self, settings: &Settings) -> anyhow::Result<Service> {
        let (endpoint, access_key, secret_key) = self.s3.access();
        Service::start(Path::new(env!("CARGO_BIN_EXE_tested-normalize")), |command| {
            command
                .env("AWS_ENDPOINT_URL", endpoint)
                .env("AWS_ACCESS_KEY_ID", access_key)
                .env("AWS_SECRET_ACCESS_KEY", secret_key)
                .env("AWS_ENDPOINT_URL_SQS", self.elastic.endpoint())
                .env("AWS_REGION", "us-east-1")
                .env("DATABASE_URL", self.postgres.url(&self.postgres.address()))
                .env("NVME_ROOT", self.folder.path())
                .env("NVME_MIN_GB", "0")
                .env("STAGE_INPUT_PREFIX", "s3://bronze")
                .env("STAGE_OUTPUT_PREFIX", "s3://silver")
                .env("STAGE_SOURCE", "sqs")
                .env("QUEUE_URL", self.queue.url())
                .env("RECONCILE_INTERVAL", "off")
                .env("JANITOR_INTERVAL", "off")
                .env("CPU_THREADS", settings.threads.to_string())
                .env("DECODE_ISOLATION", &settings.isolation);
            if let Some(slots) = settings.slots {
                command.env("WORK_SLOTS", slots.to_string());
            }
        })
    }

    async fn send_events(&self) -> anyhow::Result<()> {
        let batches = stream::iter(self.events.chunks(MAX_BATCH).map(anyhow::Ok));
        batches
            .try_for_each_concurrent(PARALLEL, async |batch| {
                for sent in self.queue.send(batch).await? {
                    sent?;
                }
                Ok(())
            })
            .await
    }
}

impl std::fmt::Debug for Rig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rig").field("elastic", &self.elastic).finish_non_exhaustive()
    }
}

/// Writes an original; the message that tells of it.
async fn put(blobs: &S3Store, uri: S3Uri, data: &[u8]) -> anyhow::Result<String> {
    let content = bytes::Bytes::copy_from_slice(data);
    let Put::Written(etag) = blobs.write(content, &uri, &PutOptions::default()).await? else {
        bail!("{uri} is there already");
    };
    testkit::created_event(uri.bucket().as_str(), uri.key(), data.len(), &etag)
}
