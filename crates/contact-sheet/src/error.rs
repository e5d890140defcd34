//! What can go wrong.

use imaging::ImageError;

use crate::MAX_PIXELS;

/// Why there is no sheet.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// It would be too large to be looked at.
    #[error(
        "a sheet of {width}x{height} pixels; at most {MAX_PIXELS} are drawn: ask for fewer or smaller cells"
    )]
    Size {
        /// Pixels across.
        width: u64,
        /// Pixels down.
        height: u64,
    },
    /// A sample's picture cannot be read.
    #[error("a sample's picture cannot be read: {0}")]
    Picture(#[from] ImageError),
    /// PNG could not be written or read back.
    #[error("PNG: {0}")]
    Png(String),
}
