//! Settings of the shard service.

use std::time::Duration;

use annotations::ClipPolicy;
use bytesize::ByteSize;
use clap::{Args, Parser};
use service::CommonArguments;
use types::SplitRatios;

use crate::PlannerSettings;

/// Stage 3: plans dataset versions, builds their shards, publishes them
#[derive(Debug, Parser)]
#[command(
    name = "imageml-shard",
    version,
    after_help = "\
The input prefix holds the plans, which the service itself writes when a dataset has settled.

Example:
  DATABASE_URL=postgres://imageml@db/imageml AWS_ENDPOINT_URL=http://rustfs:9000 \\
    imageml-shard --input-prefix s3://plans --output-prefix s3://gold --shard-size 512MiB"
)]
pub struct Arguments {
    /// What versions look like.
    #[command(flatten)]
    pub plan: PlanArguments,
    /// How long a dataset must be quiet before a version is planned
    #[arg(long, env = "SETTLE_TIME", default_value = "60s", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub settle: Duration,
    /// Pause between two looks for settled datasets
    #[arg(long, env = "PLAN_INTERVAL", default_value = "30s", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub plan_interval: Duration,
    /// What every service takes.
    #[command(flatten)]
    pub common: CommonArguments,
}

/// What dataset versions look like.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Dataset versions")]
pub struct PlanArguments {
    /// The size that shards aim at
    #[arg(long, env = "SHARD_SIZE", default_value = "256MiB", value_name = "SIZE", value_parser = shard_size)]
    pub shard_size: ByteSize,
    /// Shares of train, val and test in percent
    #[arg(long = "split", env = "SPLIT_RATIOS", default_value = "90/5/5", value_name = "T/V/T")]
    pub split_ratios: SplitRatios,
    /// Decides order and splits; the same seed and images give the same bytes
    #[arg(long, env = "DATASET_SEED", default_value = "imageml", value_name = "TEXT")]
    pub seed: String,
    /// The part of an annotated object that must be inside of a variant, 0 to 1; objects with less are left out and counted
    #[arg(long, env = "MIN_VISIBLE", default_value_t = ClipPolicy::default().min_visible, value_name = "PART", value_parser = part)]
    pub min_visible: f64,
}

impl PlanArguments {
    /// The planner's settings.
    pub fn settings(&self, settle: Duration) -> PlannerSettings {
        PlannerSettings {
            shard_bytes: self.shard_size.as_u64(),
            split_ratios: self.split_ratios,
            seed: self.seed.clone(),
            clip: ClipPolicy { min_visible: self.min_visible },
            settle,
        }
    }
}

fn part(text: &str) -> Result<f64, String> {
    let part: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if (0.0..=1.0).contains(&part) { Ok(part) } else { Err("a part is from 0 to 1".to_owned()) }
}

fn shard_size(text: &str) -> Result<ByteSize, String> {
    let size: ByteSize = text.parse()?;
    if (ByteSize::kib(64)..=ByteSize::gib(8)).contains(&size) {
        Ok(size)
    } else {
        Err("shards are from 64KiB to 8GiB".to_owned())
    }
}
