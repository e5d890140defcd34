//! Stage 4, curate: a request becomes a training dataset of its own, chosen from a published version.

mod annotation_files;
mod card;
mod config;
mod files;
mod request;
mod select;
mod stage;

pub use config::Arguments;
pub use request::{CurationRequest, OutputKind};
pub use stage::Curate;
