//! Shards and what lies beside them (L0, sync, no I/O of its own beyond the readers and writers given).
//!
//! A shard is a plain USTAR archive that WebDataset, wids, Energon and DALI read unchanged; its index
//! sidecars are written from offsets that the writer knows, without a second read.
//!
//! - [`ShardWriter`] writes the tar and gives a [`ShardIndex`], which renders `X.idx` and `X.tar.idx`.
//! - [`wids`] and [`energon`] render the per-split and per-variant documents.
//! - [`write_samples_parquet`] and [`read_samples_parquet`]: the table of all samples of a variant.
//! - [`sort_seeded`], [`pack`] and [`near_duplicate_groups`] decide what goes where.
//!
//! The same inputs give the same bytes: no time, no host, no map order is written.

mod duplicates;
pub mod energon;
mod error;
mod index;
mod order;
mod pack;
mod samples;
pub mod wids;
mod writer;

pub use duplicates::near_duplicate_groups;
pub use error::ShardError;
pub use index::{MemberSpan, SampleSpan, ShardIndex, parse_dali_index};
pub use order::{order_key, sort_seeded};
pub use pack::pack;
pub use samples::{SampleRow, SampleRows, read_samples_parquet, write_samples_parquet};
pub use writer::{Member, ShardWriter, TAR_EOF_BYTES, tar_footprint};
