//! Masks: pixels that are set, as run lengths.

mod text;

use serde::{Deserialize, Serialize};

use crate::Bounds;

/// Why something is no mask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MaskError {
    /// The frame has no pixels, or more than [`Mask::MAX_PIXELS`].
    #[error("a mask of {width}x{height} pixels; from 1 to {} are taken", Mask::MAX_PIXELS)]
    Size {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// The runs do not cover the frame exactly.
    #[error("the runs cover {found} pixels of {expected}")]
    Length {
        /// Pixels of the frame.
        expected: u64,
        /// Pixels of the runs, as far as they were added up.
        found: u64,
    },
    /// The compressed text has a byte that it cannot have, ends early, or states a run that is no length.
    #[error("byte {0} of the compressed runs does not fit there")]
    Text(usize),
}

/// A mask of a whole frame: run lengths down the columns, from the left, beginning with pixels that are not set (the
/// order of COCO's RLE).
///
/// Equal masks have equal runs: no run but the first is empty, and together they cover the frame exactly.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Mask {
    width: u32,
    height: u32,
    counts: Vec<u32>,
}

impl Mask {
    /// The pixels of the largest frame (16384²); larger ones are refused before anything is allocated for them.
    pub const MAX_PIXELS: u64 = 1 << 28;

    /// The mask of the pixels for which `set(x, y)` holds. Asked column by column, from the top.
    ///
    /// # Errors
    /// [`MaskError::Size`].
    pub fn from_fn(width: u32, height: u32, set: impl Fn(u32, u32) -> bool) -> Result<Self, MaskError> {
        pixels(width, height)?;
        let mut runs = Runs::default();
        for x in 0..width {
            for y in 0..height {
                runs.add(set(x, y), 1);
            }
        }
        Ok(Self { width, height, counts: runs.counts })
    }

    /// The mask of a bitmap, row by row from the top.
    ///
    /// # Errors
    /// [`MaskError::Size`], or [`MaskError::Length`] if the bitmap is not as large as the frame.
    pub fn from_rows(width: u32, height: u32, rows: &[bool]) -> Result<Self, MaskError> {
        let expected = pixels(width, height)?;
        if rows.len() as u64 != expected {
            return Err(MaskError::Length { expected, found: rows.len() as u64 });
        }
        let at = |x: u32, y: u32| y as usize * width as usize + x as usize;
        Self::from_fn(width, height, |x, y| rows.get(at(x, y)).copied().unwrap_or(false))
    }

    /// The mask of a bitmap, column by column from the left; as long as the frame has pixels.
    pub(crate) fn from_columns(width: u32, height: u32, columns: &[bool]) -> Result<Self, MaskError> {
        let runs = columns.chunk_by(|a, b| a == b).map(|run| run.len() as u32);
        let unset_first = columns.first().is_some_and(|set| *set).then_some(0);
        Self::from_counts(width, height, unset_first.into_iter().chain(runs))
    }

    /// The mask of COCO's uncompressed run lengths; empty runs in the middle are joined.
    ///
    /// # Errors
    /// [`MaskError::Size`], or [`MaskError::Length`] if they do not cover the frame exactly.
    pub fn from_counts(
        width: u32,
        height: u32,
        counts: impl IntoIterator<Item = u32>,
    ) -> Result<Self, MaskError> {
        let expected = pixels(width, height)?;
        let (mut runs, mut found, mut set) = (Runs::default(), 0_u64, false);
        for count in counts {
            found += u64::from(count);
            if found > expected {
                break;
            }
            runs.add(set, count);
            set = !set;
        }
        if found != expected {
            return Err(MaskError::Length { expected, found });
        }
        Ok(Self { width, height, counts: runs.counts })
    }

    /// The mask of COCO's compressed run lengths (cocoapi's `rleFrString`).
    ///
    /// # Errors
    /// [`MaskError::Text`], and what [`Self::from_counts`] refuses.
    pub fn from_compressed(width: u32, height: u32, text: &str) -> Result<Self, MaskError> {
        pixels(width, height)?;
        Self::from_counts(width, height, text::decode(text)?)
    }

    /// COCO's compressed run lengths (cocoapi's `rleToString`).
    pub fn to_compressed(&self) -> String {
        text::encode(&self.counts)
    }

    /// COCO's uncompressed run lengths: unset, set, unset …; only the first may be 0.
    pub fn counts(&self) -> &[u32] {
        &self.counts
    }

    /// Pixels across.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Pixels down.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Whether a pixel is set; what is outside is not. Takes time in proportion to the runs: for many pixels,
    /// [`Self::to_rows`].
    pub fn is_set(&self, x: u32, y: u32) -> bool {
        if x >= self.width || y >= self.height {
            return false;
        }
        let at = u64::from(x) * u64::from(self.height) + u64::from(y);
        self.runs().any(|(begin, end)| (begin..end).contains(&at))
    }

    /// The bitmap, row by row from the top: a byte per pixel.
    pub fn to_rows(&self) -> Vec<bool> {
        let (width, height) = (self.width as usize, u64::from(self.height));
        let mut rows = vec![false; width * self.height as usize];
        for (begin, end) in self.runs() {
            for at in begin..end {
                let (x, y) = ((at / height) as usize, (at % height) as usize);
                if let Some(pixel) = rows.get_mut(y * width + x) {
                    *pixel = true;
                }
            }
        }
        rows
    }

    /// The bitmap, column by column from the left: a byte per pixel.
    pub(crate) fn to_columns(&self) -> Vec<bool> {
        let runs = self.counts.iter().enumerate();
        runs.flat_map(|(index, count)| std::iter::repeat_n(index % 2 == 1, *count as usize)).collect()
    }

    /// The pixels that are set, down the columns from the left.
    pub(crate) fn set_pixels(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        let height = u64::from(self.height);
        self.runs()
            .flat_map(|(begin, end)| begin..end)
            .map(move |at| ((at / height) as u32, (at % height) as u32))
    }

    /// How many pixels are set.
    pub fn area(&self) -> u64 {
        self.runs().map(|(begin, end)| end - begin).sum()
    }

    /// The smallest box around the pixels that are set; `None` if there are none.
    pub fn bounds(&self) -> Option<Bounds> {
        let height = u64::from(self.height);
        let (mut left, mut top, mut right, mut bottom) = (u64::MAX, u64::MAX, 0, 0);
        for (begin, end) in self.runs() {
            let (first, last) = (begin / height, (end - 1) / height);
            let (from, to) =
                if first == last { (begin % height, (end - 1) % height + 1) } else { (0, height) };
            (left, right) = (left.min(first), right.max(last + 1));
            (top, bottom) = (top.min(from), bottom.max(to));
        }
        (right > 0).then(|| Bounds {
            x: left as f64,
            y: top as f64,
            width: (right - left) as f64,
            height: (bottom - top) as f64,
        })
    }

    /// The runs of set pixels: first and one past the last, counted down the columns.
    fn runs(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let mut at = 0_u64;
        let runs = self.counts.iter().enumerate().map(move |(index, count)| {
            let begin = at;
            at += u64::from(*count);
            (index % 2 == 1, begin, at)
        });
        runs.filter(|(set, ..)| *set).map(|(_, begin, end)| (begin, end))
    }
}

/// The pixels of a frame that a mask may have.
fn pixels(width: u32, height: u32) -> Result<u64, MaskError> {
    let pixels = u64::from(width) * u64::from(height);
    if (1..=Mask::MAX_PIXELS).contains(&pixels) { Ok(pixels) } else { Err(MaskError::Size { width, height }) }
}

/// Run lengths as they grow. Invariant: only the first is ever 0; `counts` alternates, beginning with unset.
#[derive(Default)]
struct Runs {
    counts: Vec<u32>,
}

impl Runs {
    fn add(&mut self, set: bool, pixels: u32) {
        if pixels == 0 {
            return;
        }
        if self.counts.is_empty() && set {
            self.counts.push(0);
        }
        // An odd number of runs ends with unset pixels.
        let same = !self.counts.is_empty() && self.counts.len().is_multiple_of(2) == set;
        match self.counts.last_mut() {
            Some(last) if same => *last += pixels,
            _ => self.counts.push(pixels),
        }
    }
}

/// A mask as COCO writes it.
#[derive(Serialize, Deserialize)]
struct Written {
    /// Height, width.
    size: [u32; 2],
    counts: Counts,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Counts {
    Compressed(String),
    Plain(Vec<u32>),
}

impl TryFrom<Written> for Mask {
    type Error = MaskError;

    fn try_from(Written { size: [height, width], counts }: Written) -> Result<Self, MaskError> {
        match counts {
            Counts::Compressed(text) => Self::from_compressed(width, height, &text),
            Counts::Plain(counts) => Self::from_counts(width, height, counts),
        }
    }
}

impl From<Mask> for Written {
    fn from(mask: Mask) -> Self {
        Self { size: [mask.height, mask.width], counts: Counts::Compressed(mask.to_compressed()) }
    }
}

#[cfg(test)]
mod tests;
