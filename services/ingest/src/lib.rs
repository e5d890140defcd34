//! Stage 1, ingest: every image that lands is inspected, catalogued, and kept untouched in bronze; every annotation file
//! is read, checked and kept, so that versions planned later have its annotations.

mod annotation_file;
mod config;
mod import;
mod parts;
mod stage;

pub use annotation_file::{GivenLabelConfig, ReadSettings};
pub use config::{AnnotationArguments, Arguments};
pub use import::ImportSettings;
pub use stage::{Ingest, begins_as_json};
