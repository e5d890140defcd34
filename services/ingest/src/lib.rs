//! Stage 1, ingest: every image that lands is inspected, catalogued, and kept untouched in bronze.

mod config;
mod stage;

pub use config::Arguments;
pub use stage::Ingest;
