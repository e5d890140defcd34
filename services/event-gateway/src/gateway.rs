//! All parts, put together.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use prometheus::Registry;
use queue::Queue;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin::Admin;
use crate::delivery::Delivery;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::rarely::Rarely;
use crate::server::Server;
use crate::webhook::Webhook;
use crate::{Settings, open_files};

/// At the end, how long requests to the admin server may take.
const LAST_PROBES: Duration = Duration::from_secs(2);

/// How a gateway is ended.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// No more connections, no more requests; those under way may finish.
    pub intake: CancellationToken,
    /// What has not finished is answered 503.
    pub work: CancellationToken,
}

/// A gateway whose addresses are bound.
#[derive(Debug)]
pub struct Gateway {
    public: TcpListener,
    admin: TcpListener,
    settings: Settings,
    queue: Arc<dyn Queue>,
}

impl Gateway {
    /// Binds the addresses, so that a port in use is an error at start. The queue need not answer.
    ///
    /// # Errors
    /// An address cannot be bound.
    pub async fn bind(settings: Settings, queue: Arc<dyn Queue>) -> anyhow::Result<Self> {
        let admin = TcpListener::bind(settings.admin).await.with_context(|| {
            format!("cannot serve the admin address {} (--admin-address)", settings.admin)
        })?;
        let public = TcpListener::bind(settings.listen)
            .await
            .with_context(|| format!("cannot take webhooks at {} (--listen)", settings.listen))?;
        Ok(Self { public, admin, settings, queue })
    }

    /// Where webhooks are taken.
    ///
    /// # Errors
    /// The system does not say.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.public.local_addr()
    }

    /// Where probes and metrics are served.
    ///
    /// # Errors
    /// The system does not say.
    pub fn admin_address(&self) -> std::io::Result<SocketAddr> {
        self.admin.local_addr()
    }

    /// Serves until it is stopped.
    ///
    /// # Errors
    /// A part of it panicked.
    pub async fn serve(self, stop: Stop) -> anyhow::Result<()> {
        tracing::info!(address = %self.admin_address()?, "serving /livez, /healthz, /readyz and /metrics");
        tracing::info!(webhook.address = %self.address()?, "taking webhooks");
        let registry = Registry::new();
        let metrics = Arc::new(Metrics::register(&registry)?);
        let health = Health::new(stop.intake.clone());
        let (deliveries, probed) = (TaskTracker::new(), CancellationToken::new());
        let admin = Admin { health: health.clone(), registry, metrics: Arc::clone(&metrics) };
        let admin = tokio::spawn(admin.serve(self.admin, probed.clone()));
        let watch = tokio::spawn(health.clone().watch(Arc::clone(&self.queue)));

        let Settings { tokens, hold, mut limits, .. } = self.settings;
        limits.connections = open_files::make_room(limits.connections);
        let delivery = Delivery {
            queue: self.queue,
            hold,
            health,
            metrics: Arc::clone(&metrics),
            hurry: stop.work.clone(),
            refusals: Rarely::default(),
        };
        let router = Webhook::new(tokens, &limits, delivery, deliveries.clone()).router();
        Server { router, limits, metrics }.serve(self.public, &stop).await;

        // Some have lost their senders; `stop.work` ends them too.
        deliveries.close();
        deliveries.wait().await;
        watch.await?;
        probed.cancel();
        // A probe that never ends must not keep the process.
        match tokio::time::timeout(LAST_PROBES, admin).await {
            Ok(ended) => ended.context("the admin server"),
            Err(_) => Ok(()),
        }
    }
}
