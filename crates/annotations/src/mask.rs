//! Masks: pixels that are set, as run lengths.

use serde::{Deserialize, Serialize};

/// A mask of a whole frame: run lengths down the columns, from the left, beginning with pixels that are not set (the
/// order of COCO's RLE).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mask {
    width: u32,
    height: u32,
    counts: Vec<u32>,
}
