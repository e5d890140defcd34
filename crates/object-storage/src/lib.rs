//! Object storage (L2): the [`BlobStore`] seam and its adapters.

mod blob_store;
mod error;

pub use blob_store::{BlobStore, Downloaded, ObjectPage, ObjectSummary, Put, PutOptions};
pub use error::StorageError;
