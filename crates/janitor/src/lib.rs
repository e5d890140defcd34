//! The janitor (L3): collects what crashes leave behind, for one stage and its output prefix.
//!
//! It frees claims of dead processes, aborts stale uploads by parts, and deletes objects that the stage uploaded and never
//! published. Of all replicas of a service one leads and sweeps; the others stand by.
//!
//! # What may be deleted
//! An object goes when all of this holds; whatever is not known speaks for the object.
//! - Its key is one that the stage writes (`types::layout::OutputKey`): other people's files are never touched.
//! - It was last written longer than a grace period before the sweep began. Two clocks are compared here, the object
//!   store's and ours: the grace is hours, clocks differ by seconds, and a clock that is wrong by more costs repeated
//!   work, never a published object.
//! - It was written after this store's first publication of the stage for the dataset (by the object store's clock
//!   alone): a new or wrong database over old buckets deletes nothing of what it finds there.
//! - A file of a dataset version: the version was abandoned. While it is planned, its files are remembered by
//!   checkpoints only; once it is published, its manifest object names files that no row of the store does.
//! - No manifest in the store names it, as an output or as the manifest itself.
//!
//! # How it is deleted
//! The last point is judged by `manifest_store::Upkeep::condemn`, which at the same time forbids publications to name the
//! object until it is buried. A worker that is at the same work is refused then, and does it again.
//! What is condemned must be buried some day, or that work could never be published. So the janitor notes in a journal (an
//! object below the prefix) what it is about to condemn; whoever leads next finishes that first.

mod error;
mod janitor;
mod journal;
mod metrics;
mod sweep;

pub use error::JanitorError;
pub use janitor::{Janitor, JanitorSettings};
pub use metrics::JanitorMetrics;
pub use sweep::Swept;
