//! The test bench: stores, a stage that obeys, an observer that remembers.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use manifest_store::{ClaimKey, ManifestStore, ProcessedRecord, SqliteStore};
use object_storage::{BlobStore, MemoryStore, ObjectSummary, PutOptions, StorageError};
use pipeline::{
    Accepted, Backends, CpuPool, Demand, Ending, Engine, EngineSettings, Event, IgnoreReason, InputMode,
    MemoryBudget, Observer, Outcome, Output, Patience, PollMode, PollSettings, PollingSource, Processed,
    QueueSettings, QueueSource, Route, Shutdown, Stage, StageError, Work, WorkSource,
};
use queue::{MemoryQueue, Queue};
use staging::{StagingArea, StagingConfig};
use tempfile::TempDir;
use tokio::sync::Semaphore;
use types::{BucketName, DatasetName, PolicyHash, RejectCode, RejectReason, S3Uri, StageName};

/// No test is that slow: something hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const BACKOFF: Duration = Duration::from_millis(20);
/// Of messages.
pub(crate) const VISIBILITY: Duration = Duration::from_millis(300);
/// Longer than any test.
pub(crate) const LONG: Duration = Duration::from_secs(3600);

/// What the stage does with an object when its turn comes.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Succeeds with one output.
    Publish,
    /// Fails in a way that may pass.
    Fail,
    /// Finds that it may not read its other inputs.
    Outage,
    /// The same after [`Act::Hold`].
    HoldThenOutage,
    /// Refuses for good.
    Reject,
    /// Asks to be called again.
    NotReady,
    /// Panics on its task.
    Panic,
    /// Panics on the CPU pool.
    PanicOnPool,
    /// Waits until [`ObedientStage::let_go`], deaf to cancellation, then succeeds.
    Hold,
    /// Writes and removes these keys of the input, then succeeds.
    Meddle { write: &'static str, delete: &'static str },
}

#[derive(Debug)]
pub(crate) struct ObedientStage {
    acts: Mutex<HashMap<String, VecDeque<Act>>>,
    runs: Mutex<Vec<(String, Instant)>>,
    held: Semaphore,
    input: InputMode,
}

impl ObedientStage {
    pub(crate) fn new() -> Self {
        Self::with_input(InputMode::Staged { max_bytes: 1 << 20 })
    }

    pub(crate) fn with_input(input: InputMode) -> Self {
        Self { acts: Mutex::default(), runs: Mutex::default(), held: Semaphore::new(0), input }
    }

    /// The next acts for an object; after them it succeeds.
    pub(crate) fn tell(&self, key: &str, acts: impl IntoIterator<Item = Act>) {
        lock(&self.acts).entry(key.to_owned()).or_default().extend(acts);
    }

    /// Ends one hold, now or to come.
    pub(crate) fn let_go(&self) {
        self.held.add_permits(1);
    }

    /// Calls of `process` so far, by key, and when.
    pub(crate) fn runs(&self) -> Vec<(String, Instant)> {
        lock(&self.runs).clone()
    }

    async fn act(&self, act: Act, work: &Work) -> Result<(), StageError> {
        match act {
            Act::Publish | Act::NotReady => {}
            Act::Fail => {
                let source = std::io::Error::other("the disk hums");
                return Err(StageError::File { path: "somewhere".to_owned(), source });
            }
            Act::HoldThenOutage => {
                self.held.acquire().await.expect("never closed").forget();
                return Box::pin(self.act(Act::Outage, work)).await;
            }
            Act::Outage => {
                let uri = work.object.object.uri.clone();
                return Err(StorageError::Denied { uri, message: "expected in this test".to_owned() }.into());
            }
            Act::Reject => return Err(StageError::rejected(RejectCode::Corrupt, "told to refuse")),
            Act::Panic => panic!("expected in this test"),
            Act::PanicOnPool => work.cpu.run(|| panic!("expected in this test")).await?,
            Act::Hold => self.held.acquire().await.expect("never closed").forget(),
            Act::Meddle { write, delete } => {
                work.blobs.delete(&uri(delete)).await?;
                work.blobs.write("another content".into(), &uri(write), &PutOptions::default()).await?;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Stage for ObedientStage {
    fn name(&self) -> StageName {
        StageName::Normalize
    }

    fn policy(&self) -> PolicyHash {
        PolicyHash::of("obedient")
    }

    fn input(&self) -> InputMode {
        self.input
    }

    fn manifest_folder(&self, _dataset: &DatasetName) -> S3Uri {
        "s3://out/manifests".parse().expect("a valid prefix")
    }

    fn route(&self, object: &ObjectSummary) -> Route {
        let key = object.object.uri.key();
        let accepted = Accepted { dataset: dataset() };
        if key.contains("other") {
            Route::Ignore(IgnoreReason::OtherKey)
        } else if key.contains("refused") {
            Route::Reject(accepted, RejectReason::new(RejectCode::InvalidKey, "by its name"))
        } else {
            Route::Accept(accepted)
        }
    }

    fn demand(&self, object: &ObjectSummary, _document: Option<&Bytes>) -> Result<Demand, RejectReason> {
        Ok(Demand { nvme_bytes: object.bytes })
    }

    async fn process(&self, work: &Work) -> Result<Outcome, StageError> {
        let key = work.object.object.uri.key().to_owned();
        lock(&self.runs).push((key.clone(), Instant::now()));
        let act = lock(&self.acts).get_mut(&key).and_then(VecDeque::pop_front).unwrap_or(Act::Publish);
        self.act(act.clone(), work).await?;
        if matches!(act, Act::NotReady) {
            return Ok(Outcome::NotReady { retry_in: BACKOFF });
        }
        let content = work.read_input().await?;
        let to = format!("s3://out/{}", key.trim_start_matches("in/")).parse().expect("a valid uri");
        let output = Output::document(to, "text/plain", content, work.object.object.uri.clone());
        Ok(Processed { outputs: vec![output], ..Processed::default() }.into())
    }
}

/// Remembers every ending by key, and what the source reported.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    endings: Mutex<Vec<(String, Ending)>>,
    discovered: Mutex<Vec<(u64, u64)>>,
    ignored: Mutex<Vec<IgnoreReason>>,
}

impl Recorder {
    pub(crate) fn endings_of(&self, key: &str) -> Vec<Ending> {
        let endings = lock(&self.endings);
        endings.iter().filter(|(of, _)| of == key).map(|(_, ending)| ending.clone()).collect()
    }

    pub(crate) fn labels_of(&self, key: &str) -> Vec<&'static str> {
        self.endings_of(key).iter().map(Ending::label).collect()
    }

    /// What the source did not deliver.
    pub(crate) fn ignored(&self) -> Vec<IgnoreReason> {
        lock(&self.ignored).clone()
    }

    /// Objects and settled ones among them, per listed page.
    pub(crate) fn discovered(&self) -> Vec<(u64, u64)> {
        lock(&self.discovered).clone()
    }
}

impl Observer for Recorder {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::Finished { object, ending } => {
                lock(&self.endings).push((object.object.uri.key().to_owned(), (*ending).clone()));
            }
            Event::Ignored { reason } => lock(&self.ignored).push(*reason),
            Event::Discovered { objects, settled } => lock(&self.discovered).push((*objects, *settled)),
            _ => {}
        }
    }
}

/// Stores with two buckets, `in` and `out`.
pub(crate) struct Bench {
    pub(crate) blobs: Arc<MemoryStore>,
    pub(crate) store: Arc<dyn ManifestStore>,
    pub(crate) stage: Arc<ObedientStage>,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) staging: StagingArea,
    pub(crate) memory: MemoryBudget,
    _folder: TempDir,
}

impl Bench {
    pub(crate) async fn new() -> anyhow::Result<Self> {
        Self::with(ObedientStage::new()).await
    }

    pub(crate) async fn with(stage: ObedientStage) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let config = StagingConfig { root: folder.path().join("nvme"), quota: Some(1000), min_free: 0 };
        let blobs = Arc::new(MemoryStore::new());
        for bucket in ["bucket", "out"] {
            blobs.create_bucket(&bucket.parse::<BucketName>()?);
        }
        Ok(Self {
            blobs,
            store: Arc::new(SqliteStore::open(&folder.path().join("manifest.db")).await?),
            stage: Arc::new(stage),
            recorder: Arc::default(),
            staging: StagingArea::open(config).await?,
            memory: MemoryBudget::new(8 << 20),
            _folder: folder,
        })
    }

    pub(crate) async fn put(&self, key: &str) -> anyhow::Result<()> {
        let content = format!("content of {key}");
        self.blobs.write(content.into(), &uri(key), &PutOptions::default()).await?;
        Ok(())
    }

    pub(crate) fn settings(&self, owner: &str) -> EngineSettings {
        EngineSettings {
            owner: owner.to_owned(),
            slots: 4,
            lease: LONG,
            max_attempts: 3,
            backoff: BACKOFF,
            patience: Patience::Run { source_failures: 1 },
        }
    }

    pub(crate) fn engine(&self, settings: EngineSettings, observer: Arc<dyn Observer>) -> Engine {
        let backends = Backends {
            input: Arc::clone(&self.blobs) as Arc<dyn BlobStore>,
            output: Arc::clone(&self.blobs) as Arc<dyn BlobStore>,
            store: Arc::clone(&self.store),
            staging: self.staging.clone(),
            cpu: CpuPool::new(1).expect("a thread starts"),
            memory: self.memory.clone(),
        };
        Engine::new(Arc::clone(&self.stage) as Arc<dyn Stage>, backends, settings, observer)
    }

    pub(crate) fn source(&self, mode: PollMode) -> PollingSource {
        self.source_of(mode, Duration::ZERO)
    }

    /// A source that leaves younger objects alone.
    pub(crate) fn source_of(&self, mode: PollMode, min_age: Duration) -> PollingSource {
        PollingSource::new(
            PollSettings { prefix: uri("in/"), mode, min_age },
            Arc::clone(&self.blobs) as Arc<dyn BlobStore>,
            Arc::clone(&self.store),
            Arc::clone(&self.stage) as Arc<dyn Stage>,
            Arc::clone(&self.recorder) as Arc<dyn Observer>,
        )
    }

    /// Works until everything is settled.
    pub(crate) async fn run(&self) -> anyhow::Result<()> {
        self.run_with(self.settings("only")).await
    }

    pub(crate) async fn run_with(&self, settings: EngineSettings) -> anyhow::Result<()> {
        let engine = self.engine(settings, Arc::clone(&self.recorder) as Arc<dyn Observer>);
        let mut source = self.source(PollMode::UntilSettled);
        tokio::time::timeout(PATIENCE, engine.run(&mut source, &Shutdown::default())).await??;
        Ok(())
    }

    /// Starts working in the background.
    pub(crate) fn start(&self, settings: EngineSettings, mode: PollMode) -> Running {
        self.start_with(settings, Box::new(self.source(mode)))
    }

    /// The same with another source.
    pub(crate) fn start_with(&self, settings: EngineSettings, mut source: Box<dyn WorkSource>) -> Running {
        let engine = self.engine(settings, Arc::clone(&self.recorder) as Arc<dyn Observer>);
        let shutdown = Shutdown::default();
        let signal = shutdown.clone();
        let task = tokio::spawn(async move { engine.run(source.as_mut(), &signal).await });
        Running { shutdown, task }
    }

    /// A source of events.
    pub(crate) fn events(&self, queue: &Arc<MemoryQueue>) -> QueueSource {
        let settings = QueueSettings {
            bucket: "bucket".parse().expect("valid"),
            visibility: VISIBILITY,
            wait: Duration::from_millis(500),
            backoff: BACKOFF,
            parked: 10,
        };
        let queue = Arc::clone(queue) as Arc<dyn Queue>;
        let blobs = Arc::clone(&self.blobs) as Arc<dyn BlobStore>;
        QueueSource::new(settings, queue, blobs, Arc::clone(&self.recorder) as Arc<dyn Observer>)
    }

    /// How a service bears with outages.
    pub(crate) fn service(&self, owner: &str) -> EngineSettings {
        let patience = Patience::Service { input: uri("in/"), output: "s3://out".parse().expect("valid") };
        EngineSettings { patience, ..self.settings(owner) }
    }

    /// What the store knows about a key, newest claim first.
    pub(crate) async fn processed(&self, key: &str) -> anyhow::Result<Vec<ProcessedRecord>> {
        Ok(self.store.processed(StageName::Normalize, &uri(key)).await?)
    }

    pub(crate) async fn claim_key(&self, key: &str) -> anyhow::Result<ClaimKey> {
        let object = self.blobs.head(&uri(key)).await?.object;
        let (stage, policy) = (self.stage.name(), self.stage.policy());
        Ok(ClaimKey { stage, dataset: dataset(), object, policy })
    }

    pub(crate) async fn manifests(&self) -> anyhow::Result<usize> {
        Ok(self.store.manifests(&dataset(), StageName::Normalize, None, 100).await?.len())
    }
}

/// An engine at work.
pub(crate) struct Running {
    pub(crate) shutdown: Shutdown,
    task: tokio::task::JoinHandle<Result<(), pipeline::SourceError>>,
}

impl Running {
    pub(crate) async fn ended(self) -> anyhow::Result<()> {
        tokio::time::timeout(PATIENCE, self.task).await???;
        Ok(())
    }
}

/// Looks until it is so.
pub(crate) async fn until(what: &str, mut look: impl AsyncFnMut() -> bool) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !look().await {
        anyhow::ensure!(Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

pub(crate) fn uri(key: &str) -> S3Uri {
    S3Uri::new("bucket".parse().expect("valid"), key)
}

pub(crate) fn dataset() -> DatasetName {
    "ds".parse().expect("valid")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
