//! What an image may cost before it is refused.

use serde::{Deserialize, Serialize};

/// Bounds on one image; every one is checked before the memory or time in question is spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of the file.
    pub max_bytes: u64,
    /// Width times height, in pixels.
    pub max_pixels: u64,
    /// Width and height each, in pixels.
    pub max_side: u32,
    /// Bytes that the decoder's output and its own working buffers take together.
    pub max_decoded_bytes: u64,
    /// Bytes of each of ICC, EXIF and XMP, after inflation.
    pub max_metadata_bytes: u64,
    /// Scans in a JPEG. A progressive file may demand a pass over the whole picture per scan.
    pub max_scans: u32,
    /// Marker segments (JPEG), chunks (PNG, WebP) or blocks (GIF) in a file.
    pub max_markers: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 64 << 20,
            max_pixels: 100_000_000,
            max_side: 65_535,
            max_decoded_bytes: 512 << 20,
            max_metadata_bytes: 4 << 20,
            max_scans: 100,
            max_markers: 10_000,
        }
    }
}
