//! What Prometheus sees of the janitor.

use std::time::{SystemTime, UNIX_EPOCH};

use prometheus::core::Collector;
use prometheus::{Error, Gauge, IntCounter, IntCounterVec, IntGauge, Opts, Registry};
use types::StageName;

/// The metrics of one stage's janitor; every label value is there from the start, at zero.
#[derive(Debug)]
pub struct JanitorMetrics {
    pub(crate) orphans: IntCounter,
    pub(crate) claims: IntCounter,
    pub(crate) uploads: IntCounter,
    leader: IntGauge,
    last_sweep: Gauge,
}

impl JanitorMetrics {
    /// Registers the metrics.
    ///
    /// # Errors
    /// They are registered already.
    pub fn register(registry: &Registry, stage: StageName) -> Result<Self, Error> {
        let opts = |name: &str, help: &str| Opts::new(name, help).const_label("stage", stage.as_str());
        let collected = opts("imageml_janitor_collected_total", "What crashes left and was collected.");
        let collected = add(registry, IntCounterVec::new(collected, &["what"]))?;
        let leader = opts("imageml_janitor_leader", "Whether this process is the stage's janitor.");
        let last_sweep = opts(
            "imageml_janitor_last_sweep_timestamp_seconds",
            "When this process last came to the end of a sweep; 0 before that.",
        );
        Ok(Self {
            orphans: collected.with_label_values(&["orphan"]),
            claims: collected.with_label_values(&["claim"]),
            uploads: collected.with_label_values(&["upload"]),
            leader: add(registry, IntGauge::with_opts(leader))?,
            last_sweep: add(registry, Gauge::with_opts(last_sweep))?,
        })
    }

    pub(crate) fn leads(&self, leads: bool) {
        self.leader.set(i64::from(leads));
    }

    pub(crate) fn swept(&self, at: SystemTime) {
        self.last_sweep.set(at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64());
    }
}

fn add<C: Collector + Clone + 'static>(registry: &Registry, metric: Result<C, Error>) -> Result<C, Error> {
    let metric = metric?;
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}
