//! The listening side: connections in, each with its limits.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;
use crate::rarely::Rarely;
use crate::{Limits, Stop};

/// What a connection may send before it is looked at: the longest head. Thousands of connections have one each.
const BUFFER: usize = 16 << 10;

/// A failed accept is the process out of files: it passes when connections end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long an old connection may take to end. No request is held so long; only a client that does not read its answers
/// keeps it open.
const LAST_REQUEST: Duration = Duration::from_secs(600);

/// Once all work is stopped, how long its answers may take to be written.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Serves connections.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) router: Router,
    pub(crate) limits: Limits,
    pub(crate) metrics: Arc<Metrics>,
}

impl Server {
    /// Serves until `stop.intake`, then lets the requests under way finish, until `stop.work`.
    pub(crate) async fn serve(self, listener: TcpListener, stop: &Stop) {
        let room = Arc::new(Semaphore::new(usize::try_from(self.limits.connections).unwrap_or(usize::MAX)));
        let server = Arc::new(self);
        let (mut connections, warning) = (JoinSet::new(), Rarely::default());
        loop {
            let next = accept(&listener, &room);
            let accepted = tokio::select! {
                () = stop.intake.cancelled() => break,
                Some(_) = connections.join_next() => continue,
                accepted = next => accepted,
            };
            match accepted {
                Ok((socket, permit)) => {
                    let (server, draining) = (Arc::clone(&server), stop.intake.clone());
                    connections.spawn(async move {
                        server.connection(socket, draining).await;
                        drop(permit);
                    });
                }
                Err(error) => {
                    if let Some(withheld) = warning.pass() {
                        tracing::warn!(%error, withheld, "cannot take a connection");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        drop(listener);
        let ended = async { while connections.join_next().await.is_some() {} };
        let hurried = async {
            stop.work.cancelled().await;
            tokio::time::sleep(LAST_ANSWERS).await;
        };
        tokio::select! {
            () = ended => {}
            () = hurried => {}
        }
        connections.shutdown().await;
    }

    async fn connection(&self, socket: TcpStream, draining: CancellationToken) {
        let _open = self.metrics.connection();
        if socket.set_nodelay(true).is_err() {
            // It is closed already.
            return;
        }
        let begun = Arc::new(AtomicBool::new(false));
        let service = TowerToHyperService::new(noting(&self.router, Arc::clone(&begun)));
        // HTTP/1 only: to find out which version it is, hyper-util waits for bytes without a limit of time. And with
        // no timer set, header_read_timeout has no effect.
        let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.next_head)
            .max_buf_size(BUFFER);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(socket), service));
        let silent = async {
            tokio::time::sleep(self.limits.first_head).await;
            if begun.load(Ordering::Relaxed) {
                std::future::pending::<Infallible>().await;
            }
        };
        let last = tokio::select! {
            ended = connection.as_mut() => return note(ended),
            () = silent => return,
            () = draining.cancelled() => Duration::MAX,
            () = tokio::time::sleep(self.limits.connection_age) => LAST_REQUEST,
        };
        connection.as_mut().graceful_shutdown();
        if let Ok(ended) = tokio::time::timeout(last, connection).await {
            note(ended);
        }
    }
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    // Cancel safety: a permit without a connection goes back.
    let permit = Arc::clone(room).acquire_owned().await.map_err(std::io::Error::other)?;
    let (socket, _) = listener.accept().await?;
    Ok((socket, permit))
}

/// The router, with a note of the first request.
fn noting(router: &Router, begun: Arc<AtomicBool>) -> Router {
    router.clone().layer(from_fn(move |request: Request, next: Next| {
        begun.store(true, Ordering::Relaxed);
        next.run(request)
    }))
}

fn note(ended: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "connection broken");
    }
}
