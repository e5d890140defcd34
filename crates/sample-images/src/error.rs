//! What goes wrong when samples are written.

use std::io;
use std::path::PathBuf;

/// Why the samples could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// A folder or file could not be created.
    #[error("{} cannot be written: {source}", path.display())]
    Write {
        /// What was being written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An encoder refused a scene: a defect of this crate, not of the caller's folder.
    #[error("{name} could not be encoded: {message}")]
    Encode {
        /// The sample's name.
        name: String,
        /// What the encoder said.
        message: String,
    },
}
