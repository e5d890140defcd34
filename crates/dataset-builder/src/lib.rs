//! Building dataset versions (L3): what the shard and the curate stage share.
//!
//! - [`ShardPlan`] and [`VersionPlanDocument`]: what is to be built, as S3 objects.
//! - [`build_shard`]: a plan becomes a tar and its indexes on NVMe.
//! - [`VersionFiles`]: the indexes, the sample table and the manifest of a whole version.

mod build;
mod plan;
mod version;

pub use build::{BuiltShard, build_shard, packed, read_variant, shard_demand};
pub use plan::{
    PlannedSample, SampleSource, ShardPlan, VersionPlanDocument, VersionSettings, parse_document,
    sample_footprint, sample_json,
};
pub use version::{FinishedVersion, VersionFiles};
