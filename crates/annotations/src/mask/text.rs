//! COCO's compressed run lengths: `rleToString` and `rleFrString` of cocoapi's `maskApi.c`.
//!
//! Each run from the fourth on is written as the difference to the run two before. A number goes out five bits at a
//! time, the lowest first; a sixth bit says that more follow, and 48 is added to make it a printable byte. The highest
//! bit of the last five is the sign.

use super::MaskError;

const BITS: u32 = 5;
const LOW: i64 = 0x1f;
const SIGN: i64 = 0x10;
const MORE: i64 = 0x20;
const ZERO: u8 = 48;

/// Bytes that a difference of two 32-bit lengths takes at most: 33 bits and a sign.
const LONGEST: u32 = 7;

pub(super) fn encode(counts: &[u32]) -> String {
    let mut text = String::new();
    for (index, count) in counts.iter().enumerate() {
        let before = if index > 2 { counts.get(index - 2).copied().unwrap_or(0) } else { 0 };
        let mut rest = i64::from(*count) - i64::from(before);
        loop {
            let mut bits = rest & LOW;
            rest >>= BITS;
            let more = if bits & SIGN != 0 { rest != -1 } else { rest != 0 };
            if more {
                bits |= MORE;
            }
            text.push(char::from(ZERO + bits as u8));
            if !more {
                break;
            }
        }
    }
    text
}

pub(super) fn decode(text: &str) -> Result<Vec<u32>, MaskError> {
    let mut counts: Vec<u32> = Vec::new();
    let (mut number, mut shift) = (0_i64, 0_u32);
    for (at, byte) in text.bytes().enumerate() {
        let bits = byte.checked_sub(ZERO).map(i64::from).filter(|bits| *bits < 2 * MORE);
        let bits = bits.filter(|_| shift < LONGEST * BITS).ok_or(MaskError::Text(at))?;
        number |= (bits & LOW) << shift;
        shift += BITS;
        if bits & MORE != 0 {
            continue;
        }
        if bits & SIGN != 0 {
            number |= -1 << shift;
        }
        if counts.len() > 2 {
            number += counts.get(counts.len() - 2).copied().map_or(0, i64::from);
        }
        counts.push(u32::try_from(number).map_err(|_| MaskError::Text(at))?);
        (number, shift) = (0, 0);
    }
    if shift > 0 { Err(MaskError::Text(text.len())) } else { Ok(counts) }
}
