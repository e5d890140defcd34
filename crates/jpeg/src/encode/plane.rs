//! Blocks of the samples that are given.

use super::EncodeError;
use crate::Plane;

/// Two blocks beside each other, row by row.
pub(super) type Samples = [[u8; 16]; 8];

/// Checks that there is a picture of these planes.
pub(super) fn check(planes: &[Plane<'_>; 3]) -> Result<(), EncodeError> {
    let (width, height) = (planes[0].width, planes[0].height);
    let possible = 1..=usize::from(u16::MAX);
    if !possible.contains(&width) || !possible.contains(&height) {
        return Err(EncodeError::Size(width, height));
    }
    for plane in &planes[1..] {
        if (plane.width, plane.height) != (width.div_ceil(2), height.div_ceil(2)) {
            return Err(EncodeError::Chrominance(plane.width, plane.height));
        }
    }
    let enough = |plane: &Plane<'_>| {
        let rows = plane.stride.checked_mul(plane.height - 1);
        let needed = rows.and_then(|rows| rows.checked_add(plane.width));
        plane.width <= plane.stride && needed.is_some_and(|needed| needed <= plane.samples.len())
    };
    if planes.iter().all(enough) { Ok(()) } else { Err(EncodeError::Samples) }
}

impl<'a> Plane<'a> {
    /// Eight rows from `top` on; below the plane its last one is repeated.
    #[inline(always)]
    pub(super) fn band(&self, top: usize) -> Band<'a> {
        let mut rows = [&[][..]; 8];
        for (down, row) in rows.iter_mut().enumerate() {
            let start = (top + down).min(self.height - 1) * self.stride;
            *row = &self.samples[start..][..self.width];
        }
        Band(rows)
    }
}

/// Eight rows of samples, equally long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Band<'a>([&'a [u8]; 8]);

impl Band<'_> {
    /// Two blocks from column `left`, all of whose samples there are.
    #[inline(always)]
    pub(super) fn samples(&self, left: usize) -> Samples {
        let mut samples = [[0; 16]; 8];
        for (place, row) in samples.iter_mut().zip(self.0) {
            *place = *row[left..].first_chunk().expect("as many samples as this");
        }
        samples
    }

    /// The same where some of them are missing, but the first column: the last one is repeated.
    pub(super) fn samples_at_edge(&self, left: usize) -> Samples {
        self.0.map(|row| {
            let mut samples = [row[row.len() - 1]; 16];
            samples[..row.len() - left].copy_from_slice(&row[left..]);
            samples
        })
    }
}
