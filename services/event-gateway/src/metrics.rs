//! What Prometheus sees of the gateway. Labels come from closed sets and every series is there from the start.

use std::sync::Arc;

use prometheus::core::Collector;
use prometheus::{
    Error, Histogram, HistogramOpts, IntCounterVec, IntGauge, Opts, Registry, exponential_buckets,
};

use crate::answer::Outcome;

/// The gateway's metrics.
#[derive(Debug)]
pub(crate) struct Metrics {
    requests: IntCounterVec,
    events: IntCounterVec,
    in_flight: IntGauge,
    connections: IntGauge,
    pub(crate) send_seconds: Histogram,
    pub(crate) ready: IntGauge,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> Result<Self, Error> {
        let requests =
            Opts::new("imageml_gateway_requests_total", "Requests to the webhook by how they ended.");
        let requests = add(registry, IntCounterVec::new(requests, &["outcome"]))?;
        for outcome in Outcome::ALL {
            requests.with_label_values(&[outcome.label()]);
        }
        let events = Opts::new("imageml_gateway_events_total", "Events put on the queue, by kind.");
        let events = add(registry, IntCounterVec::new(events, &["kind"]))?;
        for kind in ["created", "removed", "other"] {
            events.with_label_values(&[kind]);
        }
        let gauge = |name: &str, help: &str| add(registry, IntGauge::new(name, help));
        let seconds = HistogramOpts::new(
            "imageml_gateway_send_seconds",
            "Time until the queue had the events of a request, the time held included.",
        );
        // 5 ms to 41 s: beyond the time that requests are held.
        let seconds = seconds.buckets(exponential_buckets(0.005, 2.0, 14)?);
        Ok(Self {
            requests,
            events,
            in_flight: gauge(
                "imageml_gateway_in_flight",
                "Requests whose events are being put on the queue now.",
            )?,
            connections: gauge("imageml_gateway_connections", "Open connections to the webhook address.")?,
            send_seconds: add(registry, Histogram::with_opts(seconds))?,
            ready: gauge("imageml_ready", "1 when /readyz answers 200.")?,
        })
    }

    /// Counts a request when it ends.
    pub(crate) fn request(self: &Arc<Self>) -> Counted {
        Counted { metrics: Arc::clone(self), outcome: Outcome::Aborted }
    }

    /// A delivery is under way while this lives.
    pub(crate) fn in_flight(&self) -> Raised {
        Raised::new(&self.in_flight)
    }

    /// A connection is open while this lives.
    pub(crate) fn connection(&self) -> Raised {
        Raised::new(&self.connections)
    }

    pub(crate) fn count_events(&self, created: u64, removed: u64, other: u64) {
        for (kind, count) in [("created", created), ("removed", removed), ("other", other)] {
            self.events.with_label_values(&[kind]).inc_by(count);
        }
    }
}

fn add<C: Collector + Clone + 'static>(registry: &Registry, metric: Result<C, Error>) -> Result<C, Error> {
    let metric = metric?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

/// A request. Dropped before it has an outcome, its sender has gone away.
#[derive(Debug)]
pub(crate) struct Counted {
    metrics: Arc<Metrics>,
    outcome: Outcome,
}

impl Counted {
    pub(crate) fn finish(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.metrics.requests.with_label_values(&[self.outcome.label()]).inc();
    }
}

/// One more on a gauge.
#[derive(Debug)]
pub(crate) struct Raised(IntGauge);

impl Raised {
    fn new(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Raised {
    fn drop(&mut self) {
        self.0.dec();
    }
}
