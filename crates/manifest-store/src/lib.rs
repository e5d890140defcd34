//! The manifest store (L2): what was claimed, done, published, and what came from what.
//!
//! One seam in six traits – [`Claims`], [`Catalogue`], [`Annotations`], [`Versions`], [`History`], [`Upkeep`] – together
//! a [`ManifestStore`]; [`open`] picks the adapter by `DATABASE_URL`. docs/data-model.md describes the tables.

mod encoding;
mod error;
mod failures;
mod lineage_walk;
mod open;
mod postgres;
mod rows;
mod sqlite;
mod store;
#[cfg(feature = "testsuite")]
pub mod testsuite;

pub use error::StoreError;
pub use open::open;
pub use postgres::PostgresStore;
pub use sqlite::SqliteStore;
pub use store::ManifestStore;
pub use store::annotations::{AnnotationImport, AnnotationLink, Annotations, ImportRecord, StoredAnnotation};
pub use store::catalogue::{Catalogue, DatasetProgress, DatasetRecord, ReadySample, SplitAssignment};
pub use store::claims::{
    Claim, ClaimKey, ClaimOutcome, ClaimStatus, Claims, Effect, FenceToken, ProcessedRecord, Publication,
    RejectedRecord, Settlement,
};
pub use store::history::{Direction, History, ManifestRecord};
pub use store::upkeep::{Leadership, Upkeep};
pub use store::versions::{
    PlanOutcome, PlannedShard, ShardStatus, VersionPlan, VersionRecord, VersionState, Versions,
};
