//! Scans of other coefficients (ITU T.81, G.1.2.2 and G.1.2.3), a band of one component each.
//!
//! Which coefficients are not zero is kept as a set of 64 for each block: a scan that refines coefficients goes from one
//! member to the next, and does not touch blocks without members.

use pulp::{Arch, Simd, WithSimd};

use super::{Component, Members};
use crate::Irregular;
use crate::blocks::{Block, ZIGZAG};
use crate::decode::Input;
use crate::entropy::bits::Bits;
use crate::entropy::huffman::{Meaning, Table};
use crate::entropy::reader::Reader;
use crate::header::Scan;
use crate::layout::Layout;

/// A band of coefficients, in zigzag order, and the bit that its scan tells, the lowest so far.
#[derive(Debug, Clone, Copy)]
struct Band {
    first: u32,
    last: u32,
    bit: u32,
}

impl Band {
    /// The coefficients from `next`, which is not 0, to the end of the band.
    #[inline(always)]
    fn rest(self, next: u32) -> Members {
        u64::MAX >> (63 - self.last) & (u64::MAX << next)
    }
}

/// Decodes a scan.
pub(super) fn decode(
    input: &Input<'_>,
    layout: &Layout,
    scan: &Scan,
    components: &mut [Component],
) -> Result<(), Irregular> {
    let [part] = scan.components.as_slice() else { return Err(Irregular("a band of several components")) };
    let table = Table::new(input.header.ac(part)?, Meaning::ProgressiveAc)?;
    let (columns, rows) = layout.components[part.component].blocks;
    let component = &mut components[part.component];
    let (before, bit) = scan.bits;
    let band = Band { first: scan.band.0 as u32, last: scan.band.1 as u32, bit };
    let mut reader = Reader::new(&input.segments, columns * rows, input.header.restart_interval)?;
    let mut run = 0;
    let arch = Arch::new();
    let blocks = component.blocks.chunks_exact_mut(component.across);
    for (blocks, members) in blocks.zip(component.members.chunks_exact_mut(component.across)).take(rows) {
        let (blocks, members) = (&mut blocks[..columns], &mut members[..columns]);
        let (reader, table, run) = (&mut reader, &table, &mut run);
        if before == 0 {
            arch.dispatch(Row::<false> { reader, table, band, run, blocks, members })?;
        } else {
            arch.dispatch(Row::<true> { reader, table, band, run, blocks, members })?;
        }
    }
    if run > 0 {
        return Err(Irregular("more blocks than there are"));
    }
    reader.finish()
}

/// First bits of a row of blocks, or one more bit: a function of its own for each.
struct Row<'a, 'b, const REFINES: bool> {
    reader: &'a mut Reader<'b>,
    table: &'a Table,
    band: Band,
    /// How many blocks, the next one included, have nothing more in the band.
    run: &'a mut u32,
    blocks: &'a mut [Block],
    members: &'a mut [Members],
}

impl<const REFINES: bool> WithSimd for Row<'_, '_, REFINES> {
    type Output = Result<(), Irregular>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        let Row { reader, table, band, run, blocks, members } = self;
        for (block, members) in blocks.iter_mut().zip(members) {
            begin_block(reader, run)?;
            if REFINES {
                refine(&mut reader.bits, table, band, run, block, members)?;
            } else {
                first(&mut reader.bits, table, band, run, block, members)?;
            }
        }
        Ok(())
    }
}

/// Goes on to the next block. A run of blocks with nothing more ends before a restart mark.
#[inline(always)]
fn begin_block(reader: &mut Reader<'_>, run: &u32) -> Result<(), Irregular> {
    if reader.next_mcu()? && *run > 0 {
        Err(Irregular("blocks that end behind a restart mark"))
    } else {
        Ok(())
    }
}

#[inline(always)]
fn place(index: u32) -> usize {
    usize::from(ZIGZAG[(index & 63) as usize] & 63)
}

/// First bits of a block's band.
#[inline(always)]
fn first(
    bits: &mut Bits<'_>,
    table: &Table,
    band: Band,
    run: &mut u32,
    block: &mut Block,
    members: &mut Members,
) -> Result<(), Irregular> {
    if *run > 0 {
        *run -= 1;
        return Ok(());
    }
    let mut next = band.first;
    while next <= band.last {
        bits.refill();
        let (entry, value) = table.value(bits)?;
        if entry.size() == 0 && entry.advance() < 16 {
            *run = end_run(bits, entry.advance() as u32 - 1) - 1;
            return Ok(());
        }
        next += entry.advance() as u32;
        if entry.size() > 0 {
            block.0[place(next - 1)] = value << band.bit;
            *members |= 1 << ((next - 1) & 63);
        }
    }
    if next == band.last + 1 { Ok(()) } else { Err(Irregular("more coefficients than fit")) }
}

/// One more bit of the members of a block's band, and its new members.
#[inline(always)]
fn refine(
    bits: &mut Bits<'_>,
    table: &Table,
    band: Band,
    run: &mut u32,
    block: &mut Block,
    members: &mut Members,
) -> Result<(), Irregular> {
    let old = *members;
    let mut next = band.first;
    while *run == 0 && next <= band.last {
        bits.refill();
        let entry = table.symbol(bits)?;
        let zeros = entry.advance() as u32 - 1;
        if entry.size() == 0 && zeros < 15 {
            *run = end_run(bits, zeros);
            break;
        }
        if entry.size() > 1 {
            return Err(Irregular("a new coefficient of more than one bit"));
        }
        let positive = entry.size() & bits.take(entry.size());
        let rest = old & band.rest(next);
        let target = behind(rest, next + zeros);
        if target > band.last {
            return Err(Irregular("more coefficients than fit"));
        }
        correct(bits, rest & ((1 << target) - 1), band.bit, block);
        if entry.size() > 0 {
            block.0[place(target)] = ((2 * positive as i32 - 1) << band.bit) as i16;
            *members |= 1 << target;
        }
        next = target + 1;
    }
    if *run > 0 {
        *run -= 1;
        if next <= band.last {
            correct(bits, old & band.rest(next), band.bit, block);
        }
    }
    Ok(())
}

/// The place that `place` becomes by going past members: one more for each that is passed. Step by step would be a
/// branch for each, which processors cannot foresee.
#[inline(always)]
fn behind(members: Members, place: u32) -> u32 {
    let passing = |target: u32| place + (members & (u64::MAX >> 63_u32.saturating_sub(target))).count_ones();
    let mut target = passing(passing(place));
    loop {
        let further = passing(target);
        if further == target {
            return target;
        }
        target = further;
    }
}

/// The number of blocks, this one included, that have nothing more in the band (figure G.3, EOBn).
#[inline(always)]
fn end_run(bits: &mut Bits<'_>, category: u32) -> u32 {
    (1 << category) + bits.take(category)
}

/// A bit for each of `members`, which makes it larger.
#[inline(always)]
fn correct(bits: &mut Bits<'_>, mut members: Members, bit: u32, block: &mut Block) {
    while members != 0 {
        bits.refill();
        for _ in 0..members.count_ones().min(48) {
            let coefficient = &mut block.0[place(members.trailing_zeros())];
            members &= members - 1;
            let step = (bits.take(1) << bit) as i16;
            let sign = *coefficient >> 15;
            *coefficient = coefficient.wrapping_add((step ^ sign) - sign);
        }
    }
}
