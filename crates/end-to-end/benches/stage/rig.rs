//! The servers, the objects with their events, and one run of a service over them.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use manifest_store::ManifestStore;
use object_storage::{BlobStore, Put, PutOptions, S3Store};
use queue::{Depth, MAX_BATCH, NewQueue, Queue, SqsQueue, SqsSettings};
use tempfile::TempDir;
use testkit::{ElasticMq, PostgresServer, S3Process, Service};
use types::{DatasetName, S3Uri, StageName};

use crate::Settings;
use crate::cores::hold_servers_apart;
use crate::cpu::CpuTimes;
use crate::memory::Watch;

const BUCKETS: [&str; 7] = ["inbox", "bronze", "silver", "plans", "gold", "requests", "training"];
const PARALLEL: usize = 8;
const VISIBILITY: Duration = Duration::from_secs(60);
/// How often the queue is looked at, and how often while it holds many messages.
const LOOK_OFTEN: Duration = Duration::from_millis(100);
const LOOK_SELDOM: Duration = Duration::from_millis(700);
const MANY: usize = 100;
/// A run that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(1800);

/// What a run took.
#[derive(Debug)]
pub(crate) struct Measured {
    /// Until the last message was deleted, or what was waited for was there.
    pub(crate) took: Duration,
    pub(crate) cpu: CpuTimes,
    /// The most that service and workers held at once: until about so many messages were deleted, since those before.
    pub(crate) memory: Vec<(usize, u64)>,
}

/// Everything for runs over the same objects.
pub(crate) struct Rig {
    s3: S3Process,
    pub(crate) blobs: S3Store,
    pub(crate) store: Arc<dyn ManifestStore>,
    postgres: PostgresServer,
    elastic: ElasticMq,
    pub(crate) dataset: DatasetName,
    folder: TempDir,
}

/// A service under way.
struct Run {
    service: Service,
    watch: Watch,
    s3_server: u32,
    before: CpuTimes,
    begun: Instant,
}

impl Rig {
    /// Servers without objects.
    pub(crate) async fn start(settings: &Settings) -> anyhow::Result<Self> {
        let s3 = S3Process::start(&settings.scratch, &BUCKETS)?;
        let blobs = S3Store::connect(&s3.settings()).await?;
        let postgres = PostgresServer::start().await?;
        let store = manifest_store::open(&postgres.url(&postgres.address())).await?;
        let dataset: DatasetName = "bench".parse()?;
        store.ensure_dataset(&dataset).await?;
        let (elastic, folder) = (ElasticMq::start()?, TempDir::new_in(&settings.scratch)?);
        hold_servers_apart(settings.threads)?;
        Ok(Self { s3, blobs, store, postgres, elastic, dataset, folder })
    }

    /// Writes originals; the messages that tell of them.
    pub(crate) async fn put(
        &self,
        originals: &[Vec<u8>],
        to: impl Fn(usize, &[u8]) -> S3Uri,
    ) -> anyhow::Result<Vec<String>> {
        let puts = originals.iter().enumerate().map(|(number, data)| self.put_one(to(number, data), data));
        stream::iter(puts.collect::<Vec<_>>()).buffered(PARALLEL).try_collect().await
    }

    async fn put_one(&self, uri: S3Uri, data: &[u8]) -> anyhow::Result<String> {
        let content = bytes::Bytes::copy_from_slice(data);
        let Put::Written(etag) = self.blobs.write(content, &uri, &PutOptions::default()).await? else {
            bail!("{uri} is there already");
        };
        testkit::created_event(uri.bucket().as_str(), uri.key(), data.len(), &etag)
    }

    /// Starts the service on a queue that has these messages already, as sending is no work of the stage, and waits until
    /// they are settled.
    pub(crate) async fn run(
        &self,
        stage: StageName,
        settings: &Settings,
        events: &[String],
    ) -> anyhow::Result<Measured> {
        let access = SqsSettings::fixed(self.elastic.endpoint(), "any", "any", "");
        let new = NewQueue { visibility: VISIBILITY, redrive: None };
        let queue = SqsQueue::create(&access, buckets(stage).0, new).await?;
        send(&queue, events).await?;
        let run = self.begin(|| self.service(stage, settings, &[], Some(&queue))).await?;
        let left = async || {
            let Depth { visible, in_flight, delayed } = queue.depth().await?;
            Ok(usize::try_from(visible + in_flight + delayed)?)
        };
        let measured = run.until_none_is_left(events.len(), left).await?;
        let limit = u32::try_from(events.len())? + 1;
        let published = self.store.manifests(&self.dataset, stage, None, limit).await?.len();
        ensure!(published == events.len(), "{published} of {} are published by {stage}", events.len());
        Ok(measured)
    }

    /// Starts the service, which lists its input, and waits until something is there.
    pub(crate) async fn run_until(
        &self,
        stage: StageName,
        settings: &Settings,
        arguments: &[&str],
        done: impl AsyncFn() -> anyhow::Result<bool>,
    ) -> anyhow::Result<Measured> {
        let run = self.begin(|| self.service(stage, settings, arguments, None)).await?;
        run.until_none_is_left(1, async || Ok(usize::from(!done().await?))).await
    }

    /// What is measured begins with the start of the service.
    async fn begin(&self, start: impl FnOnce() -> anyhow::Result<Service>) -> anyhow::Result<Run> {
        let begun = Instant::now();
        let mut service = start()?;
        let (watch, s3_server) = (Watch::start(service.pid()), self.s3.id());
        let before = CpuTimes::now(service.pid(), s3_server);
        service.ready().await?;
        Ok(Run { service, watch, s3_server, before, begun })
    }

    fn service(
        &self,
        stage: StageName,
        settings: &Settings,
        arguments: &[&str],
        queue: Option<&SqsQueue>,
    ) -> anyhow::Result<Service> {
        let (endpoint, access_key, secret_key) = self.s3.access();
        let (input, output) = buckets(stage);
        Service::start(program(stage), |command| {
            command
                .env("AWS_ENDPOINT_URL", endpoint)
                .env("AWS_ACCESS_KEY_ID", access_key)
                .env("AWS_SECRET_ACCESS_KEY", secret_key)
                .env("AWS_REGION", "us-east-1")
                .env("DATABASE_URL", self.postgres.url(&self.postgres.address()))
                .env("NVME_ROOT", self.folder.path())
                .env("NVME_MIN_GB", "0")
                .env("STAGE_INPUT_PREFIX", format!("s3://{input}"))
                .env("STAGE_OUTPUT_PREFIX", format!("s3://{output}"))
                .env("POLL_INTERVAL", "200ms")
                .env("JANITOR_INTERVAL", "off")
                .env("CPU_THREADS", settings.threads.to_string())
                .env("DECODE_ISOLATION", &settings.isolation)
                .args(arguments);
            if let Some(queue) = queue {
                command
                    .env("AWS_ENDPOINT_URL_SQS", self.elastic.endpoint())
                    .env("STAGE_SOURCE", "sqs")
                    .env("QUEUE_URL", queue.url())
                    .env("RECONCILE_INTERVAL", "off");
            }
            if let Some(slots) = settings.slots {
                command.env("WORK_SLOTS", slots.to_string());
            }
        })
    }
}

impl Run {
    async fn until_none_is_left(
        self,
        total: usize,
        left: impl AsyncFn() -> anyhow::Result<usize>,
    ) -> anyhow::Result<Measured> {
        let mut marks = [10, 5, 2].map(|part| total / part).into_iter().peekable();
        let mut memory = Vec::new();
        loop {
            let left = left().await?;
            let done = total.saturating_sub(left);
            if done == total {
                break;
            }
            if let Some(mark) = marks.next_if(|mark| (1..=done).contains(mark)) {
                memory.push((mark, self.watch.highest()));
            }
            ensure!(self.begun.elapsed() < LIMIT, "it hangs: {}", self.service.log_text());
            // A look costs the queue more than an image does.
            tokio::time::sleep(if left > MANY { LOOK_SELDOM } else { LOOK_OFTEN }).await;
        }
        let took = self.begun.elapsed();
        let cpu = CpuTimes::now(self.service.pid(), self.s3_server) - self.before;
        memory.push((total, self.watch.highest()));
        self.watch.stop()?;
        Ok(Measured { took, cpu, memory })
    }
}

impl Measured {
    /// The most that service and workers held at once.
    pub(crate) fn peak_bytes(&self) -> u64 {
        self.memory.iter().map(|(_, bytes)| *bytes).max().unwrap_or(0)
    }
}

impl std::fmt::Debug for Rig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rig").field("elastic", &self.elastic).finish_non_exhaustive()
    }
}

/// What the stage watches, and where it writes.
fn buckets(stage: StageName) -> (&'static str, &'static str) {
    match stage {
        StageName::Ingest => ("inbox", "bronze"),
        StageName::Normalize => ("bronze", "silver"),
        StageName::Shard => ("plans", "gold"),
        StageName::Curate => ("requests", "training"),
    }
}

fn program(stage: StageName) -> &'static Path {
    Path::new(match stage {
        StageName::Ingest => env!("CARGO_BIN_EXE_tested-ingest"),
        StageName::Normalize => env!("CARGO_BIN_EXE_tested-normalize"),
        StageName::Shard => env!("CARGO_BIN_EXE_tested-shard"),
        StageName::Curate => env!("CARGO_BIN_EXE_tested-curate"),
    })
}

async fn send(queue: &SqsQueue, events: &[String]) -> anyhow::Result<()> {
    let batches = stream::iter(events.chunks(MAX_BATCH).map(anyhow::Ok));
    batches
        .try_for_each_concurrent(PARALLEL, async |batch| {
            for sent in queue.send(batch).await? {
                sent?;
            }
            Ok(())
        })
        .await
}
