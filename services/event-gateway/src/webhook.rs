//! The public address: what is asked there, and how it is answered.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;

use crate::answer::Outcome;
use crate::body::{Bodies, Held, Room};
use crate::delivery::Delivery;
use crate::metrics::Metrics;
use crate::parcel::{self, Content, Parcel, Reading};
use crate::rarely::Rarely;
use crate::recent::{Claim, Recent};
use crate::{Limits, Tokens};

/// What handles requests.
#[derive(Debug)]
pub(crate) struct Webhook {
    tokens: Tokens,
    bodies: Bodies,
    slots: Arc<Semaphore>,
    recent: Recent,
    delivery: Arc<Delivery>,
    /// Deliveries; they go on when their senders have gone away.
    deliveries: TaskTracker,
    metrics: Arc<Metrics>,
    warning: Rarely,
}

impl Webhook {
    pub(crate) fn new(tokens: Tokens, limits: &Limits, delivery: Delivery, deliveries: TaskTracker) -> Self {
        Self {
            tokens,
            bodies: Bodies::new(limits),
            slots: Arc::new(Semaphore::new(limits.requests)),
            recent: Recent::default(),
            metrics: Arc::clone(&delivery.metrics),
            delivery: Arc::new(delivery),
            deliveries,
            warning: Rarely::default(),
        }
    }

    /// The routes. `/` and the webhook itself answer probes too: RustFS sends `HEAD` to the origin, MinIO to the
    /// address that it was given.
    pub(crate) fn router(self) -> Router {
        let webhook = post(receive).get(alive);
        Router::new()
            .route("/", get(alive))
            .route("/healthz", get(alive))
            .route("/webhook", webhook.clone())
            .route("/webhook/", webhook.clone())
            .route("/webhook/{*below}", webhook)
            .fallback(not_found)
            .method_not_allowed_fallback(method_not_allowed)
            .with_state(Arc::new(self))
    }

    async fn handle(&self, head: &HeaderMap, body: Body) -> Outcome {
        // Before anything else of the request is looked at.
        if !self.tokens.admit(head) {
            return Outcome::Unauthorized;
        }
        let Held { bytes, mut room } = match self.bodies.read(body).await {
            Ok(held) => held,
            Err(outcome) => return outcome,
        };
        // Not earlier: who sends slowly must not take it from others.
        let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() else { return Outcome::Overloaded };
        let parcel = match parcel::read(&bytes) {
            Reading::Test => return Outcome::Test,
            Reading::Parcel(parcel) => parcel,
        };
        if let Content::Poison(class) = parcel.content {
            self.warn(class, bytes.len());
        }
        drop(bytes);
        if let Err(outcome) = room.resize(parcel.bytes()) {
            return outcome;
        }
        self.queue(parcel, (slot, room)).await
    }

    async fn queue(&self, parcel: Parcel, (slot, room): (OwnedSemaphorePermit, Room)) -> Outcome {
        let ours = match self.recent.claim(parcel.id()) {
            Claim::Queued => return Outcome::Duplicate,
            Claim::Theirs(theirs) => {
                // What is waited for has room of its own.
                drop((parcel, room));
                let queued = theirs.queued().await;
                drop(slot);
                return if queued { Outcome::Duplicate } else { Outcome::Unavailable };
            }
            Claim::Ours(ours) => ours,
        };
        let (delivery, in_flight) = (Arc::clone(&self.delivery), self.metrics.in_flight());
        // A task of its own: a sender that gives up and repeats finds it under way, or done.
        let task = self.deliveries.spawn(async move {
            let outcome = delivery.deliver(&parcel).await;
            if outcome != Outcome::Unavailable {
                ours.queued();
            }
            drop((slot, room, in_flight));
            outcome
        });
        // It ends without an outcome when it panicked, or with the process.
        task.await.unwrap_or(Outcome::Unavailable)
    }

    /// Nothing of what was sent: it may be anything.
    fn warn(&self, class: &'static str, bytes: usize) {
        if let Some(withheld) = self.warning.pass() {
            tracing::warn!(
                reason = class,
                body.bytes = bytes,
                withheld,
                "a body that says nothing goes to the dead letters"
            );
        }
    }
}

async fn receive(State(webhook): State<Arc<Webhook>>, head: HeaderMap, body: Body) -> Response {
    let counted = webhook.metrics.request();
    let outcome = webhook.handle(&head, body).await;
    counted.finish(outcome);
    outcome.into_response()
}

async fn alive() -> &'static str {
    "ok\n"
}

async fn not_found(State(webhook): State<Arc<Webhook>>) -> Response {
    webhook.metrics.request().finish(Outcome::NotFound);
    Outcome::NotFound.into_response()
}

async fn method_not_allowed(State(webhook): State<Arc<Webhook>>) -> Response {
    webhook.metrics.request().finish(Outcome::NotFound);
    (StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n").into_response()
}
