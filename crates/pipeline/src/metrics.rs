//! What Prometheus sees of a stage.

use std::time::{SystemTime, UNIX_EPOCH};

use prometheus::core::Collector;
use prometheus::{
    Error, Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
};
use types::{RejectCode, StageName};

use crate::{Ending, Event, IgnoreReason, MessageFate, Observer};

/// Steps of the protocol that are timed.
pub(crate) const STEPS: [&str; 6] = ["admit", "claim", "stage", "process", "upload", "publish"];

/// The metrics of one stage; every label value is there from the start, at zero.
#[derive(Debug)]
pub struct Metrics {
    endings: IntCounterVec,
    rejections: IntCounterVec,
    ignored: IntCounterVec,
    steps: HistogramVec,
    uploaded: IntCounter,
    input: IntCounter,
    in_flight: IntGauge,
    received: IntCounter,
    messages: IntCounterVec,
    message_age: Histogram,
    polled: Gauge,
}

/// Registers metrics of one stage.
struct Registrar<'r> {
    registry: &'r Registry,
    stage: StageName,
}

impl Registrar<'_> {
    fn opts(&self, name: &str, help: &str) -> Opts {
        Opts::new(name, help).const_label("stage", self.stage.as_str())
    }

    fn add<C: Collector + Clone + 'static>(&self, metric: Result<C, Error>) -> Result<C, Error> {
        let metric = metric?;
        self.registry.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn counter(&self, name: &str, help: &str) -> Result<IntCounter, Error> {
        self.add(IntCounter::with_opts(self.opts(name, help)))
    }

    fn counters<'v>(
        &self,
        (name, help): (&str, &str),
        label: &str,
        values: impl IntoIterator<Item = &'v str>,
    ) -> Result<IntCounterVec, Error> {
        let counters = self.add(IntCounterVec::new(self.opts(name, help), &[label]))?;
        for value in values {
            counters.with_label_values(&[value]);
        }
        Ok(counters)
    }
}

impl Metrics {
    /// Registers the stage's metrics.
    ///
    /// # Errors
    /// They are registered already.
    pub fn register(registry: &Registry, stage: StageName) -> Result<Self, Error> {
        let new = Registrar { registry, stage };
        let steps =
            HistogramOpts::from(new.opts("imageml_step_seconds", "Time per step of the delivery protocol."));
        let steps = steps.buckets(prometheus::exponential_buckets(0.001, 4.0, 9)?);
        let steps = new.add(HistogramVec::new(steps, &["step"]))?;
        for step in STEPS {
            let _: Histogram = steps.with_label_values(&[step]);
        }
        let age = HistogramOpts::from(
            new.opts("imageml_message_age_seconds", "Age of messages when they were received."),
        );
        let age = age.buckets(prometheus::exponential_buckets(0.1, 4.0, 10)?);
        let endings = ("imageml_work_total", "Deliveries by how they ended.");
        let rejected = ("imageml_rejected_total", "Work put into quarantine, by reason code.");
        let ignored = ("imageml_ignored_total", "What was found and is not work, by reason.");
        let messages = ("imageml_messages_total", "Messages of the queue by what became of them.");
        Ok(Self {
            endings: new.counters(endings, "ending", Ending::LABELS)?,
            rejections: new.counters(rejected, "reason", RejectCode::ALL.iter().map(|code| code.as_str()))?,
            ignored: new.counters(ignored, "reason", IgnoreReason::ALL.map(IgnoreReason::as_str))?,
            steps,
            uploaded: new.counter("imageml_uploaded_bytes_total", "Bytes of outputs uploaded.")?,
            input: new.counter("imageml_input_bytes_total", "Bytes of objects begun.")?,
            in_flight: new
                .add(IntGauge::with_opts(new.opts("imageml_in_flight", "Deliveries being worked on now.")))?,
            received: new.counter("imageml_received_messages_total", "Messages received from the queue.")?,
            messages: new.counters(messages, "fate", MessageFate::ALL.map(MessageFate::label))?,
            message_age: new.add(Histogram::with_opts(age))?,
            polled: new.add(Gauge::with_opts(new.opts(
                "imageml_last_poll_timestamp_seconds",
                "When the source last answered, be it that there is no work; 0 before that.",
            )))?,
        })
    }
}

impl Observer for Metrics {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::Discovered { .. } => {}
            Event::Ignored { reason } => {
                let ending = Ending::Ignored(*reason);
                self.endings.with_label_values(&[ending.label()]).inc();
                self.ignored.with_label_values(&[reason.as_str()]).inc();
            }
            Event::Polled => self.polled.set(seconds_since_1970()),
            Event::Received { messages, age } => {
                self.received.inc_by(*messages);
                if let Some(age) = age {
                    self.message_age.observe(age.as_secs_f64());
                }
            }
            Event::Message(fate) => self.messages.with_label_values(&[fate.label()]).inc(),
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
                match ending {
                    Ending::Rejected(reason) => {
                        self.rejections.with_label_values(&[reason.code.as_str()]).inc();
                    }
                    Ending::Ignored(reason) => self.ignored.with_label_values(&[reason.as_str()]).inc(),
                    Ending::Done | Ending::AlreadySettled | Ending::Retried | Ending::HandedBack => {}
                }
                self.in_flight.dec();
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "time stamps of metrics are by the scraped process's clock")]
fn seconds_since_1970() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
