//! Building dataset versions (L3): what the shard and the curate stage share.
//!
//! - [`DatasetAnnotations`]: what is said of the images, one record for each.
//! - [`Export`]: the same as a COCO or Label Studio file.
//! - [`ShardPlan`] and [`VersionPlanDocument`]: what is to be built, as S3 objects.
//! - [`build_shard`]: a plan becomes a tar and its indexes on NVMe.
//! - [`VersionFiles`]: the indexes, the sample table and the manifest of a whole version.

mod annotated;
mod build;
mod carried;
mod export;
mod plan;
mod rows;
mod version;

pub use annotated::{DatasetAnnotations, annotation_imports};
pub use build::{BuiltShard, build_shard, packed, read_variant, shard_demand};
pub use carried::{AnnotationSettings, Carried, carry, sample_annotations};
pub use export::Export;
pub use plan::{
    PlannedSample, SampleSource, ShardPlan, VersionPlanDocument, VersionSettings, parse_document,
    sample_footprint, sample_json,
};
pub use version::{FinishedVersion, VersionFiles};
