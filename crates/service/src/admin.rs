//! The admin server: `/livez`, `/readyz`, `/metrics`.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::{Encoder, IntGauge, Opts, Registry, TextEncoder};
use staging::StagingArea;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower_http::timeout::TimeoutLayer;

use crate::health::Health;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
struct Admin {
    health: Health,
    registry: Registry,
    disk: DiskGauges,
    staging: StagingArea,
}

/// Read from the staging area at each scrape.
#[derive(Debug, Clone)]
struct DiskGauges {
    free: IntGauge,
    reserved: IntGauge,
    ready: IntGauge,
}

impl DiskGauges {
    fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let gauge = |name: &str, help: &str| -> Result<IntGauge, prometheus::Error> {
            let gauge = IntGauge::with_opts(Opts::new(name, help))?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        Ok(Self {
            free: gauge("imageml_nvme_free_bytes", "Free bytes of the staging disk.")?,
            reserved: gauge("imageml_nvme_reserved_bytes", "Bytes of the staging disk reserved by work.")?,
            ready: gauge("imageml_ready", "1 when the service takes work.")?,
        })
    }
}

/// Serves until `stop` fires. Binds before it returns, so that a port in use is an error at start.
pub(crate) async fn serve(
    address: SocketAddr,
    health: Health,
    registry: Registry,
    staging: StagingArea,
    stop: CancellationToken,
) -> anyhow::Result<tokio::task::JoinHandle<()>> {
    let disk = DiskGauges::register(&registry)?;
    let admin = Admin { health, registry, disk, staging };
    let router = Router::new()
        .route("/livez", get(live))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT))
        .with_state(admin);
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot serve the admin address {address} (--admin-address)"))?;
    tracing::info!(address = %listener.local_addr()?, "serving /livez, /readyz and /metrics");
    Ok(tokio::spawn(async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
        if let Err(error) = served.await {
            tracing::error!(%error, "admin server ended");
        }
    }))
}

async fn live(State(admin): State<Admin>) -> Response {
    if admin.health.is_alive() {
        "ok\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the engine does not turn any more\n").into_response()
    }
}

async fn ready(State(admin): State<Admin>) -> Response {
    match admin.health.problem() {
        None => "ready\n".into_response(),
        Some(problem) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {problem}\n")).into_response(),
    }
}

async fn metrics(State(admin): State<Admin>) -> Response {
    let gauge = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
    admin.disk.free.set(admin.staging.free().map_or(0, gauge));
    admin.disk.reserved.set(gauge(admin.staging.reserved()));
    admin.disk.ready.set(i64::from(admin.health.problem().is_none()));
    let mut text = Vec::new();
    match TextEncoder::new().encode(&admin.registry.gather(), &mut text) {
        Ok(()) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
