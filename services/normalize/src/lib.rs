//! Stage 2, normalize: every original becomes one rendition per wanted size.

mod config;
mod stage;

pub use config::{Arguments, Format, PolicyArguments};
pub use stage::Normalize;
