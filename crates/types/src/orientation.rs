//! EXIF orientation.

use serde::{Deserialize, Serialize};

/// How stored pixels must be turned to be upright: the EXIF tag 0x0112, values 1 to 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(from = "u16", into = "u16")]
pub enum Orientation {
    /// 1: as stored.
    #[default]
    Upright,
    /// 2: mirror left-right.
    FlipHorizontal,
    /// 3: rotate by 180°.
    Rotate180,
    /// 4: mirror top-bottom.
    FlipVertical,
    /// 5: mirror over the main diagonal (x and y swap).
    Transpose,
    /// 6: rotate 90° clockwise.
    Rotate90,
    /// 7: mirror over the other diagonal.
    Transverse,
    /// 8: rotate 90° counter-clockwise.
    Rotate270,
}

impl Orientation {
    /// Whether width and height change places.
    pub fn swaps_sides(self) -> bool {
        matches!(self, Self::Transpose | Self::Rotate90 | Self::Transverse | Self::Rotate270)
    }

    /// The size after turning.
    pub fn oriented_size(self, (width, height): (u32, u32)) -> (u32, u32) {
        if self.swaps_sides() { (height, width) } else { (width, height) }
    }
}

impl From<u16> for Orientation {
    /// Values outside 1..=8 mean "as stored": writers emit 0, 9 and 65535, and every viewer ignores them.
    fn from(tag: u16) -> Self {
        match tag {
            2 => Self::FlipHorizontal,
            3 => Self::Rotate180,
            4 => Self::FlipVertical,
            5 => Self::Transpose,
            6 => Self::Rotate90,
            7 => Self::Transverse,
            8 => Self::Rotate270,
            _ => Self::Upright,
        }
    }
}

impl From<Orientation> for u16 {
    fn from(orientation: Orientation) -> Self {
        orientation as Self + 1
    }
}
