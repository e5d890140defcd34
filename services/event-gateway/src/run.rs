//! The life of the process.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use queue::{SqsQueue, SqsSettings};
use service::init_tracing;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{Arguments, Gateway, Stop};

/// Runs the gateway until SIGTERM or SIGINT: no more connections, then the requests under way finish within the grace
/// period. After it, or at a second signal, what is still held is answered 503; its senders repeat it.
///
/// # Errors
/// A setting is unusable, or an address is in use; the message says what to do.
pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    init_tracing(&arguments.log)?;
    let settings = arguments.settings()?;
    let queue_settings = SqsSettings { queue_url: arguments.queue_url, ..SqsSettings::default() };
    let queue = SqsQueue::connect(&queue_settings).await.context("QUEUE_URL")?;
    // Before anything is served: a signal must not find the process without handlers.
    let signals = [signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?];
    let gateway = Gateway::bind(settings, Arc::new(queue)).await?;
    let stop = Stop::default();
    tokio::spawn(stop_on_signal(signals, stop.clone(), arguments.shutdown_grace));
    gateway.serve(stop).await
}

async fn stop_on_signal([mut terminate, mut interrupt]: [Signal; 2], stop: Stop, grace: Duration) {
    either(&mut terminate, &mut interrupt).await;
    tracing::info!("draining");
    stop.intake.cancel();
    tokio::select! {
        () = tokio::time::sleep(grace) => tracing::warn!("grace period over: what is held is given back to its senders"),
        () = either(&mut terminate, &mut interrupt) => {}
    }
    stop.work.cancel();
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
