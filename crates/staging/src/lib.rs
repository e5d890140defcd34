//! The NVMe staging area (L2): where every object is on local disk before it is processed.
//!
//! - [`StagingArea`] owns one locked directory per running instance below the root, removes what dead
//!   instances left behind, and hands out space.
//! - [`Workspace`] is the space of one item: it holds the reservation, and its `Drop` removes the files and
//!   gives the bytes back.
//! - [`ItemName`] and [`FileName`] are the only names that reach the file system; no object key does.
//!
//! Nothing here is the only copy of anything, and nothing is trusted after a restart: files are not synced,
//! and an instance starts with an empty directory.

mod area;
mod config;
mod disk;
mod error;
mod instance;
mod name;
mod workspace;

pub use area::StagingArea;
pub use config::StagingConfig;
pub use error::StagingError;
pub use name::{FileName, InvalidFileName, ItemName};
pub use workspace::Workspace;
