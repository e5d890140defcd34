//! The manifest store (L2): what was claimed, done, published, and what came from what.
//!
//! One seam in four traits – [`Claims`], [`Catalogue`], [`Versions`], [`History`] – together a
//! [`ManifestStore`].

mod error;
mod store;

pub use error::StoreError;
pub use store::catalogue::{
    AnnotationRecord, Catalogue, DatasetProgress, DatasetRecord, ReadySample, SplitAssignment,
};
pub use store::claims::{
    Claim, ClaimKey, ClaimOutcome, ClaimStatus, Claims, Effect, FenceToken, ProcessedRecord, Publication,
    RejectedRecord, Settlement,
};
pub use store::history::{Direction, History, ManifestRecord};
pub use store::versions::{
    PlanOutcome, PlannedShard, ShardStatus, VersionPlan, VersionRecord, VersionState, Versions,
};

/// The whole seam. Implemented for everything that implements its parts.
///
/// Contract, for every method of every part:
/// - calls are single transactions: an `Err` means that nothing happened, except
///   [`StoreError::Unknown`], which means that it may have;
/// - bulk methods answer in the order of their arguments, one answer each;
/// - leases and delays are judged by the database's clock, never by a caller's;
/// - dropping a future is safe: the transaction rolls back or has committed.
pub trait ManifestStore: Claims + Catalogue + Versions + History {}

impl<T: Claims + Catalogue + Versions + History> ManifestStore for T {}
