//! Brush strokes as Label Studio stores them: the four channels of every pixel, row by row, packed by the `rle-pack`
//! of <https://github.com/thi-ng/umbrella>.
//!
//! A stream of bits: 32 for the count of values, 5 for the bits of a value, four times 4 for the bits of a length (all
//! but the count less one). Then, until there are as many values: one bit that says whether a value is repeated, two
//! that choose one of the lengths, the length less one, and the value once or as often as the length says.

use crate::{Mask, MaskError};

/// Channels of a pixel: red, green, blue, alpha.
const CHANNELS: u64 = 4;
/// Bits of the lengths that we write, as the Label Studio SDK does.
const LENGTHS: [u32; 4] = [3, 4, 8, 16];
/// Bits of a value.
const WORD: u32 = 8;

/// Why something is no brush stroke of a picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrushError {
    /// It is of a picture with another number of pixels.
    #[error("the strokes have {found} values, the picture {expected}")]
    Size {
        /// Four for each pixel.
        expected: u64,
        /// As many as the strokes say that they have.
        found: u64,
    },
    /// The bits end before all pixels are said.
    #[error("the strokes end after {0} values")]
    Truncated(u64),
    /// A run goes on after the last pixel.
    #[error("a run that begins at value {0} goes beyond the last")]
    Overrun(u64),
    /// The picture is too large for a mask.
    #[error(transparent)]
    Mask(#[from] MaskError),
}

/// The pixels with an alpha other than 0; the colour is the label's and means nothing.
///
/// # Errors
/// The bytes are no brush stroke of a picture of this size.
pub fn decode(rle: &[u8], width: u32, height: u32) -> Result<Mask, BrushError> {
    // First the size: the bits below take memory in proportion to it.
    Mask::from_counts(width, height, [width.saturating_mul(height)])?;
    let mut bits = Bits { bytes: rle, at: 0 };
    let mut header = |count| bits.read(count).ok_or(BrushError::Truncated(0));
    let (found, expected) = (u64::from(header(32)?), CHANNELS * u64::from(width) * u64::from(height));
    if found != expected {
        return Err(BrushError::Size { expected, found });
    }
    let word = header(5)? + 1;
    let mut lengths = [0; 4];
    for length in &mut lengths {
        *length = header(4)? + 1;
    }
    let mut set = vec![0_u64; (expected / CHANNELS).div_ceil(64) as usize];
    let mut at = 0;
    while at < expected {
        let run = bits.run(&lengths).ok_or(BrushError::Truncated(at))?;
        let end = at + run.length;
        if end > expected {
            return Err(BrushError::Overrun(at));
        }
        while at < end {
            let value = bits.read(word).ok_or(BrushError::Truncated(at))?;
            let next = if run.repeated { end } else { at + 1 };
            if value != 0 {
                // The pixels whose fourth value is among these.
                fill(&mut set, at / CHANNELS, next / CHANNELS);
            }
            at = next;
        }
    }
    let is_set = |at: u64| set.get((at / 64) as usize).is_some_and(|word| word >> (at % 64) & 1 == 1);
    Ok(Mask::from_fn(width, height, |x, y| is_set(u64::from(y) * u64::from(width) + u64::from(x)))?)
}

/// The bytes that `mask2rle` of the Label Studio SDK makes of the mask, with 255 for pixels that are set.
pub fn encode(mask: &Mask) -> Vec<u8> {
    let rows = mask.to_rows();
    let mut bits = Writer::default();
    bits.write(rows.len() as u32 * CHANNELS as u32, 32);
    bits.write(WORD - 1, 5);
    for length in LENGTHS {
        bits.write(length - 1, 4);
    }
    for run in rows.chunk_by(|a, b| a == b) {
        let value = if run.first().is_some_and(|set| *set) { 255 } else { 0 };
        let mut left = run.len() as u64 * CHANNELS;
        while left > 0 {
            let part = left.min(1 << LENGTHS[3]);
            let fits = LENGTHS.iter().position(|bits| part <= 1 << bits).unwrap_or(LENGTHS.len() - 1);
            bits.write(1, 1);
            bits.write(fits as u32, 2);
            bits.write(part as u32 - 1, LENGTHS[fits]);
            bits.write(value, WORD);
            left -= part;
        }
    }
    bits.finish()
}

fn fill(set: &mut [u64], first: u64, end: u64) {
    if first >= end {
        return;
    }
    for (index, word) in set.iter_mut().enumerate().skip((first / 64) as usize) {
        let begin = index as u64 * 64;
        if begin >= end {
            break;
        }
        let (from, to) = (first.saturating_sub(begin), (end - begin).min(64));
        *word |= (u64::MAX >> (64 - (to - from))) << from;
    }
}

struct Run {
    repeated: bool,
    length: u64,
}

/// Bits, the highest of each byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn read(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        let mut left = count as usize;
        while left > 0 {
            let byte = *self.bytes.get(self.at / 8)?;
            let unread = 8 - self.at % 8;
            let taken = unread.min(left);
            let bits = u32::from(byte) >> (unread - taken) & ((1 << taken) - 1);
            value = value << taken | bits;
            self.at += taken;
            left -= taken;
        }
        Some(value)
    }

    fn run(&mut self, lengths: &[u32; 4]) -> Option<Run> {
        let repeated = self.read(1)? == 1;
        let bits = *lengths.get(self.read(2)? as usize)?;
        Some(Run { repeated, length: u64::from(self.read(bits)?) + 1 })
    }
}

#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    /// The bits of the last byte that are not used yet.
    free: u32,
}

impl Writer {
    fn write(&mut self, value: u32, count: u32) {
        for bit in (0..count).rev() {
            if self.free == 0 {
                self.bytes.push(0);
                self.free = 8;
            }
            self.free -= 1;
            if let Some(last) = self.bytes.last_mut() {
                *last |= ((value >> bit & 1) as u8) << self.free;
            }
        }
    }

    /// At least one bit of nothing at the end, as the SDK writes.
    fn finish(mut self) -> Vec<u8> {
        if self.free == 0 {
            self.bytes.push(0);
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests;
