//! Decoding a JPEG at a fraction of its size, by smaller inverse transforms of its 8x8 blocks.

use crate::geometry::Placement;

/// A JPEG of `w` pixels across decodes to `ceil(w / divisor)`.
///
/// Only powers of two: libjpeg-turbo has SIMD code for these alone, and other fractions are slower than the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reduction(u32);

impl Reduction {
    /// Every pixel.
    pub(crate) const NONE: Self = Self(1);

    /// The strongest reduction at which no placement has to be enlarged that is not enlarged anyway.
    pub(crate) fn covering(placements: &[Placement]) -> Self {
        Self::covering_shared(placements, (1, 1), 1)
    }

    /// The same for samples that so many pixels share, across and down, and that so many pixels of a variant will
    /// share.
    pub(crate) fn covering_shared(placements: &[Placement], before: (u32, u32), after: u32) -> Self {
        let covers = |divisor: &u32| {
            placements.iter().all(|placement| {
                let [_, _, width, height] = placement.source;
                let (across, down) = placement.scaled;
                width * f64::from(after) >= f64::from(across * divisor * before.0)
                    && height * f64::from(after) >= f64::from(down * divisor * before.1)
            })
        };
        Self([8, 4, 2].into_iter().find(covers).unwrap_or(1))
    }

    /// 1, 2, 4 or 8.
    pub(crate) fn divisor(self) -> u32 {
        self.0
    }

    /// The size that a picture of `size` decodes to.
    pub(crate) fn size(self, (width, height): (u32, u32)) -> (u32, u32) {
        (width.div_ceil(self.0), height.div_ceil(self.0))
    }
}

impl From<Reduction> for jpeg::Scale {
    fn from(reduction: Reduction) -> Self {
        match reduction.divisor() {
            8 => Self::Eighth,
            4 => Self::Quarter,
            2 => Self::Half,
            _ => Self::Whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covering(specs: &[&str], size: (u32, u32)) -> u32 {
        let place = |spec: &&str| Placement::new(spec.parse().expect("a valid spec"), size);
        Reduction::covering(&specs.iter().map(place).collect::<Vec<_>>()).divisor()
    }

    #[test]
    fn the_largest_variant_is_never_enlarged_for_speed() {
        // 1080p of 4:3 is 1440x1080: half of 2880x2160 just covers it, half of 2879x2159 does not.
        assert_eq!(covering(&["1080p", "720p"], (2880, 2160)), 2);
        assert_eq!(covering(&["1080p", "720p"], (2879, 2159)), 1);
        assert_eq!(covering(&["64x64:stretch"], (512, 512)), 8);
        assert_eq!(covering(&["64x64:stretch"], (512, 511)), 4, "both sides count");
        assert_eq!(covering(&["800x600:stretch"], (640, 480)), 1, "enlarged from every pixel there is");
        // The shown part counts: 100x100 of a 1600x100 picture has 100x100 pixels.
        assert_eq!(covering(&["100x100:crop"], (1600, 100)), 1);
    }

    #[test]
    fn chrominance_has_to_cover_half_of_a_variant() {
        let all = |specs: &[&str], size| -> Vec<Placement> {
            specs.iter().map(|spec| Placement::new(spec.parse().expect("a valid spec"), size)).collect()
        };
        let chroma =
            |specs: &[&str], size, before| Reduction::covering_shared(&all(specs, size), before, 2).divisor();
        // 1280x960 pixels of 2560x1920: the half, and of samples that every pixel has a quarter.
        assert_eq!(chroma(&["1280x960"], (2560, 1920), (2, 2)), 2);
        assert_eq!(chroma(&["1280x960"], (2560, 1920), (1, 1)), 4);
        assert_eq!(chroma(&["1280x960"], (2560, 1920), (2, 1)), 2, "both sides count");
        assert_eq!(chroma(&["800x600:stretch"], (640, 480), (1, 1)), 1, "320 are too few for 400");
        assert_eq!(chroma(&["1080p"], (640, 480), (1, 1)), 2);
    }

    #[test]
    fn a_part_of_a_block_still_gives_a_pixel() {
        assert_eq!(Reduction(8).size((17, 8)), (3, 1));
        assert_eq!(Reduction::NONE.size((17, 8)), (17, 8));
    }
}
