//! Samples of one component, on their way in and out.

/// Samples of one component: rows of `stride` bytes, of which the first `width` belong to the picture.
#[derive(Debug, Clone, Copy)]
pub struct Plane<'a> {
    /// Samples across.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// From the start of a row to that of the next.
    pub stride: usize,
    /// Row by row. The last one need not be longer than `width`.
    pub samples: &'a [u8],
}

/// The samples of one component, with more of them beside and below than belong to the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaneBuf {
    /// In samples.
    pub width: usize,
    /// In samples.
    pub height: usize,
    /// From one row to the next, in samples: a multiple of [`PlaneBuf::ALIGNMENT`].
    pub stride: usize,
    /// Row by row.
    pub samples: Vec<u8>,
}

impl PlaneBuf {
    /// Rows are as long as a multiple of this, so that vector instructions need not care for their ends.
    pub const ALIGNMENT: usize = 32;

    /// How long rows of so many samples are.
    #[must_use]
    pub fn stride_of(width: usize) -> usize {
        width.next_multiple_of(Self::ALIGNMENT)
    }

    /// To be encoded.
    #[must_use]
    pub fn as_plane(&self) -> Plane<'_> {
        let Self { width, height, stride, ref samples } = *self;
        Plane { width, height, stride, samples }
    }
}
