//! Blocks of sequential scans (ITU T.81, F.2.2).

use crate::Irregular;
use crate::blocks::{Block, ZIGZAG};
use crate::entropy::bits::Bits;
use crate::entropy::huffman::{END_OF_BLOCK, Table};
use crate::entropy::pairs::{Pair, PairTable};

/// Decodes one block, which is all zero.
#[inline(always)]
pub(super) fn decode(
    bits: &mut Bits<'_>,
    dc: &Table,
    ac: &PairTable,
    prediction: &mut i16,
    block: &mut Block,
) -> Result<(), Irregular> {
    bits.refill();
    let (_, difference) = dc.value(bits)?;
    *prediction = prediction.checked_add(difference).ok_or(Irregular("brightness out of range"))?;
    block.0[0] = *prediction;
    let mut next = 1;
    // One refill is enough for a pair and a single one, of 11 and 26 bits at most.
    while next < 64 {
        bits.refill();
        coefficients(bits, ac, &mut next, block)?;
        if next < 64 {
            coefficients(bits, ac, &mut next, block)?;
        }
    }
    if next == 64 || next >= END_OF_BLOCK { Ok(()) } else { Err(Irregular("more coefficients than fit")) }
}

/// Decodes one or two coefficients. Symbols without a value write a zero where nothing was written yet.
#[inline(always)]
fn coefficients(
    bits: &mut Bits<'_>,
    ac: &PairTable,
    next: &mut usize,
    block: &mut Block,
) -> Result<(), Irregular> {
    let pair = ac.peek(bits);
    let first = *next + pair.zeros();
    // The last coefficient ends its block without a code: what follows it does not belong here.
    if pair == Pair::NONE || first >= 63 {
        let (entry, value) = ac.single.value(bits)?;
        *next += entry.advance();
        block.0[place(next.wrapping_sub(1))] = value;
        return Ok(());
    }
    block.0[place(first)] = pair.first();
    *next = first + 1 + pair.advance();
    block.0[place(next.wrapping_sub(1))] = pair.second();
    bits.skip(pair.length());
    Ok(())
}

#[inline(always)]
fn place(index: usize) -> usize {
    usize::from(ZIGZAG[index & 255] & 63)
}
