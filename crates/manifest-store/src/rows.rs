//! Rows as both databases answer them, and what they mean.

mod catalogue;
mod claims;
mod history;
mod versions;

pub(crate) use catalogue::{
    AnnotationRow, DatasetRow, OriginalRow, ProgressRow, ReadyRow, SplitRow, VariantRow, VariantTotalRow,
    join_variants,
};
pub(crate) use claims::{
    CheckpointRow, Fence, FenceRow, GrantRow, KeyColumns, ProcessedRow, RejectedRow, RenewalRow, StatusRow,
};
pub(crate) use history::{EdgeRow, ManifestEntryRow, ManifestRow, join_entries};
pub(crate) use versions::{OpenVersionRow, ShardRow, VersionRow, VersionStateRow, decide_plan, may_publish};
