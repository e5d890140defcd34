//! Rows as both databases answer them, and what they mean.

mod annotations;
mod catalogue;
mod claims;
mod history;
mod publication;
mod versions;

pub(crate) use annotations::{
    AnnotationColumns, AnnotationRow, CategoryColumns, CategoryRow, ImportRow, LinkRow,
};
pub(crate) use catalogue::{
    DatasetRow, OriginalRow, ProgressRow, ReadyRow, SplitRow, VariantRow, VariantTotalRow, join_variants,
};
pub(crate) use claims::{
    CheckpointRow, FenceRow, GrantRow, KeyColumns, ProcessedRow, RejectedRow, RenewalRow, StatusRow,
};
pub(crate) use history::{EdgeRow, ManifestEntryRow, ManifestRow, join_entries};
pub(crate) use publication::{Change, Fence, ObjectClaimRow, ObjectClaims, ObjectColumns};
pub(crate) use versions::{
    OpenVersionRow, ShardRow, VersionRow, VersionStateRow, decide_plan, may_publish, not_planned,
};
