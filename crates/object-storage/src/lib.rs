//! Object storage (L2): the [`BlobStore`] seam and its adapters.
//!
//! [`S3Store`] is the adapter for every S3-compatible server, [`MemoryStore`] the reference for tests. Both pass the
//! suite in `testsuite` (feature `testsuite`), which is the seam's contract in executable form.

mod blob_store;
mod error;
mod memory;
mod s3;
#[cfg(feature = "testsuite")]
pub mod testsuite;

pub use blob_store::{
    BlobStore, Downloaded, ObjectPage, ObjectSummary, OpenUpload, OpenUploadPage, Put, PutOptions, check_key,
    check_size,
};
pub use error::StorageError;
pub use memory::MemoryStore;
pub use s3::{S3Credentials, S3Settings, S3Store};
