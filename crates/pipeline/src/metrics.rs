//! What Prometheus sees of a stage.

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
};
use types::{RejectCode, StageName};

use crate::{Ending, Event, Observer};

/// Steps of the protocol that are timed.
pub(crate) const STEPS: [&str; 6] = ["admit", "claim", "stage", "process", "upload", "publish"];

/// The metrics of one stage; every label value is there from the start, at zero.
#[derive(Debug)]
pub struct Metrics {
    endings: IntCounterVec,
    rejections: IntCounterVec,
    steps: HistogramVec,
    uploaded: IntCounter,
    input: IntCounter,
    in_flight: IntGauge,
}

impl Metrics {
    /// Registers the stage's metrics.
    ///
    /// # Errors
    /// They are registered already.
    pub fn register(registry: &Registry, stage: StageName) -> Result<Self, prometheus::Error> {
        let opts = |name: &str, help: &str| Opts::new(name, help).const_label("stage", stage.as_str());
        let endings =
            IntCounterVec::new(opts("imageml_work_total", "Deliveries by how they ended."), &["ending"])?;
        let rejections = IntCounterVec::new(
            opts("imageml_rejected_total", "Work put into quarantine, by reason code."),
            &["reason"],
        )?;
        let steps = HistogramVec::new(
            HistogramOpts::from(opts("imageml_step_seconds", "Time per step of the delivery protocol."))
                .buckets(prometheus::exponential_buckets(0.001, 4.0, 9)?),
            &["step"],
        )?;
        let uploaded =
            IntCounter::with_opts(opts("imageml_uploaded_bytes_total", "Bytes of outputs uploaded."))?;
        let input = IntCounter::with_opts(opts("imageml_input_bytes_total", "Bytes of objects begun."))?;
        let in_flight = IntGauge::with_opts(opts("imageml_in_flight", "Deliveries being worked on now."))?;
        for label in Ending::LABELS {
            endings.with_label_values(&[label]);
        }
        for code in RejectCode::ALL {
            rejections.with_label_values(&[code.as_str()]);
        }
        for step in STEPS {
            let _: Histogram = steps.with_label_values(&[step]);
        }
        registry.register(Box::new(endings.clone()))?;
        registry.register(Box::new(rejections.clone()))?;
        registry.register(Box::new(steps.clone()))?;
        registry.register(Box::new(uploaded.clone()))?;
        registry.register(Box::new(input.clone()))?;
        registry.register(Box::new(in_flight.clone()))?;
        Ok(Self { endings, rejections, steps, uploaded, input, in_flight })
    }
}

impl Observer for Metrics {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::Discovered { .. } => {}
            Event::Ignored { reason, .. } => {
                self.endings.with_label_values(&[Ending::Ignored(*reason).label()]).inc();
            }
            Event::Started { object } => {
                self.in_flight.inc();
                self.input.inc_by(object.bytes);
            }
            Event::Step { step, took } => {
                self.steps.with_label_values(&[*step]).observe(took.as_secs_f64());
            }
            Event::Uploaded { bytes } => self.uploaded.inc_by(*bytes),
            Event::Finished { ending, .. } => {
                self.endings.with_label_values(&[ending.label()]).inc();
                if let Ending::Rejected(reason) = ending {
                    self.rejections.with_label_values(&[reason.code.as_str()]).inc();
                }
                self.in_flight.dec();
            }
        }
    }
}
