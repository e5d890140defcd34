//! Where a service's work comes from.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};
use manifest_store::ManifestStore;
use object_storage::BlobStore;
use pipeline::{
    Observer, PollMode, PollSettings, PollingSource, QueueSettings, QueueSource, ReconciledSource, Stage,
    WorkSource,
};
use queue::{SqsQueue, SqsSettings};
use types::S3Uri;

/// Deliveries that may wait in the process for their time to be tried again.
const PARKED: usize = 100;

/// A time between repetitions, or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval(pub Option<Duration>);

impl FromStr for Interval {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self(None));
        }
        match humantime::parse_duration(text) {
            Ok(Duration::ZERO) => Err("expected a time above zero, like 10m, or off".to_owned()),
            Ok(interval) => Ok(Self(Some(interval))),
            Err(error) => Err(format!("expected a time like 10m, or off: {error}")),
        }
    }
}

/// How work is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SourceKind {
    /// The input prefix is listed again and again.
    Poll,
    /// Bucket notifications come from an SQS-compatible queue.
    Sqs,
}

/// Where work comes from.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Source of work")]
pub struct SourceArguments {
    /// How work is found: by listing the input prefix, or by bucket notifications in an SQS-compatible queue
    #[arg(long, env = "STAGE_SOURCE", default_value = "poll", value_name = "SOURCE")]
    pub source: SourceKind,
    /// With `poll`: pause between two listings of the input prefix
    #[arg(long, env = "POLL_INTERVAL", default_value = "10s", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub poll_interval: Duration,
    /// With `sqs`: the queue (endpoint and credentials are the AWS SDK's own settings, or the URL's host)
    #[arg(long, env = "QUEUE_URL", value_name = "URL", required_if_eq("source", "sqs"))]
    pub queue_url: Option<String>,
    /// With `sqs`: how long messages stay hidden without a heartbeat
    #[arg(long, env = "QUEUE_VISIBILITY", default_value = "60s", value_name = "TIME", value_parser = visibility)]
    pub queue_visibility: Duration,
    /// With `sqs`: how long one receive waits for messages, at most 20s
    #[arg(long, env = "QUEUE_WAIT", default_value = "5s", value_name = "TIME", value_parser = wait)]
    pub queue_wait: Duration,
    /// With `sqs`: how often the input prefix is listed too, so that a lost event is only a delay; or `off`
    #[arg(long, env = "RECONCILE_INTERVAL", default_value = "10m", value_name = "TIME")]
    pub reconcile_interval: Interval,
}

fn visibility(text: &str) -> Result<Duration, String> {
    let parsed = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if (Duration::from_secs(2)..=Duration::from_secs(12 * 3600)).contains(&parsed) {
        Ok(parsed)
    } else {
        Err("expected 2s to 12h".to_owned())
    }
}

fn wait(text: &str) -> Result<Duration, String> {
    let parsed = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if parsed <= Duration::from_secs(20) { Ok(parsed) } else { Err("expected at most 20s".to_owned()) }
}

/// What every source works with.
pub(crate) struct Parts {
    pub(crate) input: S3Uri,
    pub(crate) blobs: Arc<dyn BlobStore>,
    pub(crate) store: Arc<dyn ManifestStore>,
    pub(crate) stage: Arc<dyn Stage>,
    pub(crate) observer: Arc<dyn Observer>,
    /// The pause before an unreadable message comes again.
    pub(crate) backoff: Duration,
}

impl Parts {
    fn polling(&self, every: Duration, min_age: Duration) -> PollingSource {
        let settings = PollSettings { prefix: self.input.clone(), mode: PollMode::Every(every), min_age };
        PollingSource::new(
            settings,
            Arc::clone(&self.blobs),
            Arc::clone(&self.store),
            Arc::clone(&self.stage),
            Arc::clone(&self.observer),
        )
    }
}

impl SourceArguments {
    /// The source that they describe.
    pub(crate) async fn open(&self, parts: &Parts) -> anyhow::Result<Box<dyn WorkSource>> {
        match self.source {
            SourceKind::Poll => Ok(Box::new(parts.polling(self.poll_interval, Duration::ZERO))),
            SourceKind::Sqs => self.open_queue(parts).await,
        }
    }

    async fn open_queue(&self, parts: &Parts) -> anyhow::Result<Box<dyn WorkSource>> {
        let queue_url = self.queue_url.clone().context("--source sqs needs --queue-url (or QUEUE_URL)")?;
        let queue = SqsQueue::connect(&SqsSettings { queue_url, ..SqsSettings::default() }).await?;
        let settings = QueueSettings {
            bucket: parts.input.bucket().clone(),
            visibility: self.queue_visibility,
            wait: self.queue_wait,
            backoff: parts.backoff,
            parked: PARKED,
        };
        let (blobs, observer) = (Arc::clone(&parts.blobs), Arc::clone(&parts.observer));
        let events = QueueSource::new(settings, Arc::new(queue), blobs, observer);
        Ok(match self.reconcile_interval {
            Interval(None) => Box::new(events),
            // Younger objects are left to their events.
            Interval(Some(every)) => Box::new(ReconciledSource::new(events, parts.polling(every, every))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_times_or_off() {
        assert_eq!("off".parse(), Ok(Interval(None)));
        assert_eq!("90s".parse(), Ok(Interval(Some(Duration::from_secs(90)))));
        for wrong in ["0s", "", "often"] {
            assert!(wrong.parse::<Interval>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_of_the_queue_are_those_of_sqs() {
        // docs.aws.amazon.com/AWSSimpleQueueService: visibility 0 to 43,200 s, wait 0 to 20 s.
        assert!(visibility("12h").is_ok() && visibility("13h").is_err() && visibility("1s").is_err());
        assert!(wait("20s").is_ok() && wait("0s").is_ok() && wait("21s").is_err());
    }
}
