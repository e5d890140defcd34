//! Driving stages one after the other over the adapters of a home.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use image_workers::ImageWorkers;
use object_storage::BlobStore;
use pipeline::{
    Backends, CpuPool, Engine, EngineSettings, MemoryBudget, Observer, Patience, PollMode, PollSettings,
    PollingSource, Shutdown, Stage,
};
use staging::{StagingArea, StagingConfig};
use types::S3Uri;

use super::progress::Progress;
use crate::arguments::MachineArguments;
use crate::home::Home;
use crate::output;

const INTERRUPTION: &str = "interrupted; run the same command again to go on";
/// The claims of a home are held under one name: only one process can have it open, so what an earlier one held
/// when it died is free.
const OWNER: &str = "imageml-run";
const LEASE: Duration = Duration::from_secs(60);
const MAX_ATTEMPTS: u32 = 5;
const BACKOFF: Duration = Duration::from_millis(500);
const SOURCE_FAILURES: u32 = 5;
/// Free space that is left alone on the disk.
const MIN_FREE: u64 = 256 << 20;
/// The shell's exit code for a process ended by SIGINT.
const INTERRUPTED: i32 = 130;
/// After the first Ctrl-C.
const GRACE: Duration = Duration::from_secs(5);

/// Everything that stages share.
pub(crate) struct PipelineRun<'a> {
    home: &'a Home,
    staging: StagingArea,
    cpu: CpuPool,
    memory: MemoryBudget,
    workers: ImageWorkers,
    shutdown: Shutdown,
    progress: Arc<Progress>,
}

impl<'a> PipelineRun<'a> {
    pub(crate) async fn start(home: &'a Home, machine: &MachineArguments) -> anyhow::Result<Self> {
        home.store.release_owner(OWNER).await?;
        let staging = StagingArea::open(StagingConfig {
            root: home.layout.nvme(),
            quota: machine.nvme_quota.map(|quota| quota.as_u64()),
            min_free: MIN_FREE,
        })
        .await?;
        staging.readiness()?;
        let shutdown = Shutdown::default();
        tokio::spawn(watch_for_interrupt(shutdown.clone()));
        Ok(Self {
            home,
            staging,
            cpu: CpuPool::new(machine.cpu_threads.map_or(0, usize::from))?,
            memory: MemoryBudget::new(machine.decode_memory.as_u64()),
            workers: machine.workers(),
            shutdown,
            progress: Arc::new(Progress::new()),
        })
    }

    /// Those who decode pictures, for all stages.
    pub(crate) fn workers(&self) -> ImageWorkers {
        self.workers.clone()
    }

    /// Runs a stage until everything below `prefix` is settled.
    pub(crate) async fn drive(
        &self,
        stage: Arc<dyn Stage>,
        input: &Arc<dyn BlobStore>,
        prefix: &S3Uri,
    ) -> anyhow::Result<()> {
        let name = stage.name();
        let observer: Arc<dyn Observer> = self.progress.begin(name);
        let store = &self.home.store;
        let polled =
            PollSettings { prefix: prefix.clone(), mode: PollMode::UntilSettled, min_age: Duration::ZERO };
        let mut source = PollingSource::new(
            polled,
            Arc::clone(input),
            Arc::clone(store),
            Arc::clone(&stage),
            Arc::clone(&observer),
        );
        let backends = Backends {
            input: Arc::clone(input),
            output: Arc::clone(&self.home.blobs),
            store: Arc::clone(store),
            staging: self.staging.clone(),
            cpu: self.cpu.clone(),
            memory: self.memory.clone(),
        };
        let settings = EngineSettings {
            owner: OWNER.to_owned(),
            slots: EngineSettings::usual_slots(self.cpu.threads()),
            lease: LEASE,
            max_attempts: MAX_ATTEMPTS,
            backoff: BACKOFF,
            patience: Patience::Run { source_failures: SOURCE_FAILURES },
        };
        let engine = Engine::new(stage, backends, settings, observer);
        engine
            .run(&mut source, &self.shutdown)
            .await
            .with_context(|| format!("{name} cannot read {prefix}"))?;
        self.progress.end();
        if self.shutdown.intake.is_cancelled() {
            bail!(INTERRUPTION);
        }
        Ok(())
    }

    /// Does something that can be broken off at any moment.
    pub(crate) async fn unless_interrupted<T>(
        &self,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        tokio::select! {
            () = self.shutdown.intake.cancelled() => bail!(INTERRUPTION),
            result = work => result,
        }
    }

    pub(crate) fn finish(self) {
        self.progress.end();
    }
}

/// The first Ctrl-C lets work in flight finish for a moment, a second one does not.
#[expect(clippy::disallowed_methods, reason = "a third Ctrl-C is a kill, and a kill is safe at any moment")]
async fn watch_for_interrupt(shutdown: Shutdown) {
    if tokio::signal::ctrl_c().await.is_err() {
        return;
    }
    output::note("interrupted: finishing what is in flight (Ctrl-C again to stop at once)");
    shutdown.intake.cancel();
    tokio::select! {
        () = tokio::time::sleep(GRACE) => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    shutdown.work.cancel();
    if tokio::signal::ctrl_c().await.is_ok() {
        std::process::exit(INTERRUPTED);
    }
}
