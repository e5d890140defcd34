//! Regular JPEGs to pixels and planes, and planes to JPEGs: faster than libjpeg-turbo, to the same samples and bytes.
//!
//! Nearly all JPEGs are baseline or progressive Huffman-coded files with 8 bits a sample, gray or YCbCr, and without
//! errors. These are decoded here; everything else is [`Irregular`] and left to a decoder that knows all of JPEG. No
//! doubtful file gets through: what is irregular is found, at the latest, when its coded data does not end where it must.
//!
//! The [`Encoder`] makes one kind of file: baseline, 4:2:0, standard Huffman tables.

mod blocks;
mod colour;
mod decode;
mod encode;
mod entropy;
mod header;
mod layout;
mod plane;
mod progressive;
mod render;
mod rows;
mod sequential;
mod transform;
mod upsample;

pub use decode::{Picture, decode, decode_planes};
pub use encode::{EncodeError, Encoder};
pub use plane::{Plane, PlaneBuf};

/// Why a file is left to another decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a regular JPEG: {0}")]
pub struct Irregular(pub &'static str);

/// How much smaller than stored a picture is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// As it is stored.
    Whole,
    /// Half as wide and high, rounded up; and so on.
    Half,
    /// A quarter.
    Quarter,
    /// An eighth.
    Eighth,
}

impl Scale {
    /// Samples of a block, across and down.
    pub(crate) fn block(self) -> usize {
        match self {
            Self::Whole => 8,
            Self::Half => 4,
            Self::Quarter => 2,
            Self::Eighth => 1,
        }
    }

    pub(crate) fn doubled(self) -> Option<Self> {
        match self {
            Self::Whole => None,
            Self::Half => Some(Self::Whole),
            Self::Quarter => Some(Self::Half),
            Self::Eighth => Some(Self::Quarter),
        }
    }
}

/// How pixels of pictures with colours are laid out. Gray pictures have one byte a pixel in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pixels {
    /// Luminance alone, one byte.
    Gray,
    /// Red, green, blue.
    Rgb,
    /// Red, green, blue, 255.
    Rgbx,
}

impl Pixels {
    /// Bytes of a pixel.
    #[must_use]
    pub fn bytes(self) -> usize {
        match self {
            Self::Gray => 1,
            Self::Rgb => 3,
            Self::Rgbx => 4,
        }
    }
}
