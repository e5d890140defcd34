//! The life of a service: start, work, drain.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures::future::BoxFuture;
use manifest_store::ManifestStore;
use object_storage::{BlobStore, S3Settings, S3Store};
use pipeline::{Backends, CpuPool, Engine, MemoryBudget, Metrics, Shutdown, Stage};
use prometheus::Registry;
use staging::StagingArea;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::health::Health;
use crate::source::Parts;
use crate::{CommonArguments, admin, engine_settings, init_tracing};

/// At the end, how long requests to the admin server may take. One that is never completed must not keep the process.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// What a service's own code may use.
#[derive(Debug, Clone)]
pub struct Wiring {
    /// The manifest store.
    pub store: Arc<dyn ManifestStore>,
    /// The object store.
    pub blobs: Arc<dyn BlobStore>,
}

/// Runs beside the engine until the token fires.
pub type Background = Box<dyn FnOnce(CancellationToken) -> BoxFuture<'static, ()> + Send>;

/// A service: a stage, and maybe something that runs beside it.
pub struct App {
    /// The stage.
    pub stage: Arc<dyn Stage>,
    /// What runs beside it.
    pub background: Option<Background>,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let background = self.background.is_some();
        f.debug_struct("App").field("stage", &self.stage).field("background", &background).finish()
    }
}

/// Runs a service until SIGTERM or SIGINT: stop taking work, let work in flight finish within the grace period,
/// hand the rest back, and answer health probes until the end.
///
/// # Errors
/// Something that the service needs at start is missing or unusable; the message says what to do.
pub async fn run(
    arguments: CommonArguments,
    build: impl FnOnce(&Wiring) -> anyhow::Result<App>,
) -> anyhow::Result<()> {
    init_tracing(&arguments.log)?;
    #[cfg(feature = "failpoints")]
    crate::failpoints::arm()?;
    check_prefixes(&arguments)?;
    let store = manifest_store::open(arguments.database_url.expose()).await.context("DATABASE_URL")?;
    let blobs: Arc<dyn BlobStore> = Arc::new(S3Store::connect(&S3Settings::default()).await?);
    let staging = StagingArea::open(arguments.staging()).await.context("NVME_ROOT")?;
    let cpu = CpuPool::new(arguments.cpu_threads.map_or(0, usize::from))?;
    let app = build(&Wiring { store: Arc::clone(&store), blobs: Arc::clone(&blobs) })?;

    let (shutdown, registry, stopped) = (Shutdown::default(), Registry::new(), CancellationToken::new());
    let metrics = Arc::new(Metrics::register(&registry, app.stage.name())?);
    let settings = engine_settings(&arguments, cpu.threads());
    tracing::info!(stage = %app.stage.name(), policy = %app.stage.policy(), owner = %settings.owner, slots = settings.slots, "started");
    let parts = Parts {
        input: arguments.input_prefix.clone(),
        blobs: Arc::clone(&blobs),
        store: Arc::clone(&store),
        stage: Arc::clone(&app.stage),
        observer: Arc::<Metrics>::clone(&metrics),
        backoff: arguments.retry_backoff,
    };
    let mut source = arguments.source.open(&parts).await?;
    let stores = (&store, &blobs);
    let janitor = arguments.janitor.janitor(app.stage.name(), &arguments.output_prefix, stores, &registry)?;
    let memory = MemoryBudget::new(arguments.decode_memory.as_u64());
    let backends = Backends {
        input: Arc::clone(&blobs),
        output: Arc::clone(&blobs),
        store: Arc::clone(&store),
        staging: staging.clone(),
        cpu,
        memory,
    };
    let engine = Engine::new(app.stage, backends, settings, metrics);

    let health = Health::new(staging.clone(), shutdown.intake.clone(), engine.pulse());
    let admin =
        admin::serve(arguments.admin_address, health.clone(), registry, staging, stopped.clone()).await?;
    let prefixes = [arguments.input_prefix, arguments.output_prefix];
    let watch = tokio::spawn(health.watch(store, blobs, prefixes));
    tokio::spawn(stop_on_signal(shutdown.clone(), arguments.shutdown_grace));
    let beside = app.background.map(|start| tokio::spawn(start(shutdown.intake.clone())));
    let janitor = janitor.map(|janitor| tokio::spawn(janitor.run(shutdown.intake.clone())));
    let worked = engine.run(source.as_mut(), &shutdown).await;

    for beside in [beside, janitor].into_iter().flatten() {
        beside.await?;
    }
    watch.await?;
    stopped.cancel();
    if let Ok(ended) = tokio::time::timeout(LAST_ANSWERS, admin).await {
        ended?;
    }
    worked.context("the source of work failed")
}

fn check_prefixes(arguments: &CommonArguments) -> anyhow::Result<()> {
    let (input, output) = (&arguments.input_prefix, &arguments.output_prefix);
    let inside = |outer: &types::S3Uri, inner: &types::S3Uri| {
        outer.as_folder() == inner.as_folder() || outer.relative(&inner.as_folder()).is_some()
    };
    anyhow::ensure!(
        !inside(input, output),
        "STAGE_OUTPUT_PREFIX {output} lies inside STAGE_INPUT_PREFIX {input}: the stage would process its own outputs"
    );
    Ok(())
}

/// The first signal stops intake; the end of the grace period stops the work.
async fn stop_on_signal(shutdown: Shutdown, grace: Duration) {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("signals cannot be handled: only SIGKILL will end this process");
        return;
    };
    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: draining"),
        _ = interrupt.recv() => tracing::info!("SIGINT: draining"),
    }
    shutdown.intake.cancel();
    tokio::select! {
        () = tokio::time::sleep(grace) => tracing::warn!("grace period over: handing work back"),
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    shutdown.work.cancel();
}
