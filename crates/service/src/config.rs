//! Settings that every service takes: each a flag, an environment variable and a default.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;
use clap::{Args, ValueEnum};
use types::S3Uri;

use crate::{JanitorArguments, SourceArguments};

/// A value that is never printed.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The value, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

/// How logs look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// What is logged, and how.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logs")]
pub struct LogArguments {
    /// What to log: a level, or directives like `info,pipeline=debug`
    #[arg(long = "log", env = "IMAGEML_LOG", default_value = "info", value_name = "FILTER")]
    pub filter: String,
    /// How log lines look
    #[arg(long, env = "IMAGEML_LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,
}

/// Settings of every service. S3 settings are the AWS SDK's own (`AWS_ENDPOINT_URL`, `AWS_REGION`, …).
#[derive(Debug, Clone, Args)]
pub struct CommonArguments {
    /// The prefix this stage watches, `s3://bucket/prefix`
    #[arg(long, env = "STAGE_INPUT_PREFIX", value_name = "URI")]
    pub input_prefix: S3Uri,
    /// The prefix this stage writes below; never inside the one it watches
    #[arg(long, env = "STAGE_OUTPUT_PREFIX", value_name = "URI")]
    pub output_prefix: S3Uri,
    /// The manifest store: postgres://… or sqlite://PATH
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Secret,
    /// The fast local disk on which objects are staged
    #[arg(long, env = "NVME_ROOT", default_value = "/mnt/nvme", value_name = "DIR")]
    pub nvme_root: PathBuf,
    /// Below this much free space (GB) the service is not ready and takes no work
    #[arg(long, env = "NVME_MIN_GB", default_value_t = 5.0, value_name = "GB", value_parser = gigabytes)]
    pub nvme_min_gb: f64,
    /// The most this instance may reserve on the disk, like 50GiB [default: what is free]
    #[arg(long, env = "NVME_QUOTA", value_name = "SIZE")]
    pub nvme_quota: Option<ByteSize>,
    /// Objects worked on at once [default: four per CPU thread, at least 8]
    #[arg(long, env = "WORK_SLOTS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub slots: Option<u16>,
    /// Threads that compute [default: one per core]
    #[arg(long, env = "CPU_THREADS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub cpu_threads: Option<u16>,
    /// Memory that decoded pictures and annotation files may take at once, over all workers
    #[arg(long, env = "DECODE_MEMORY", default_value = "768MiB", value_name = "SIZE")]
    pub decode_memory: ByteSize,
    /// How long a claim lives without a heartbeat
    #[arg(long, env = "CLAIM_LEASE", default_value = "60s", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub lease: Duration,
    /// Failed attempts before an object goes to quarantine
    #[arg(long, env = "MAX_ATTEMPTS", default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_attempts: u32,
    /// Pause after a first failed attempt; doubles with each further one
    #[arg(long, env = "RETRY_BACKOFF", default_value = "2s", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub retry_backoff: Duration,
    /// On SIGTERM: time for work in flight to finish before it is handed back
    #[arg(long, env = "SHUTDOWN_GRACE", default_value = "25s", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub shutdown_grace: Duration,
    /// Where /livez, /readyz and /metrics are served
    #[arg(long, env = "ADMIN_ADDRESS", default_value = "0.0.0.0:9090", value_name = "ADDR")]
    pub admin_address: SocketAddr,
    /// Where work comes from.
    #[command(flatten)]
    pub source: SourceArguments,
    /// When leftovers are collected.
    #[command(flatten)]
    pub janitor: JanitorArguments,
    /// What is logged.
    #[command(flatten)]
    pub log: LogArguments,
}

fn gigabytes(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(value),
        _ => Err("expected gigabytes, like 5 or 0.5".to_owned()),
    }
}
