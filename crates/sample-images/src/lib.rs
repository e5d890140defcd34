//! Sample pictures for the demo (L0): a folder of small, photograph-like scenes that shows orientation,
//! normalization, rejection and deduplication without a download.
//!
//! Every scene is drawn in code, so there is nothing to license and nothing to fetch. The bytes are the same on
//! every run: no clock, an own random generator, and only arithmetic that IEEE 754 defines to the last bit.

mod canvas;
mod catalogue;
mod encode;
mod error;
mod exif;
mod light;
mod parts;
mod random;
mod sample;
mod scene;
mod write;

pub use error::SampleError;
pub use sample::{Expected, Sample};
pub use write::write_samples;
