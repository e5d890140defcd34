//! Two codes at once: what takes the time is waiting for one look-up before the next.

use crate::Irregular;
use crate::entropy::bits::Bits;
use crate::entropy::huffman::{END_OF_BLOCK, Meaning, Specification, Table};

/// Bits that are looked at for two codes at once.
const PAIR: u32 = 11;

/// One or two codes with their values, that fit into [`PAIR`] bits.
///
/// From the lowest bit: 4 bits for the length of it all, 4 for the zeros before the first value, 8 for how far to go
/// forward from it to the second, 8 for each value. Without a second one, it is the first over again. An end of block
/// is a second one; if it comes first, the first is a zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair(u32);

impl Pair {
    /// What does not fit.
    pub(crate) const NONE: Self = Self(0);

    fn new(length: u32, zeros: usize, first: i8, advance: usize, second: i8) -> Self {
        let [first, second] = [first, second].map(|value| u32::from(value.cast_unsigned()));
        Self(length | (zeros as u32) << 4 | (advance as u32) << 8 | first << 16 | second << 24)
    }

    /// The pair of which the top [`PAIR`] bits are.
    fn of(table: &Table, bits: u64) -> Option<Self> {
        let (length, advance, first) = table.within(bits, PAIR)?;
        if advance == END_OF_BLOCK {
            return Some(Self::new(length, 0, 0, END_OF_BLOCK, 0));
        }
        let second = table.within(bits << length, PAIR - length);
        let (more, further, second) = second.unwrap_or((0, 0, first));
        Some(Self::new(length + more, advance - 1, first, further, second))
    }

    #[inline(always)]
    pub(crate) fn length(self) -> u32 {
        self.0 & 15
    }

    #[inline(always)]
    pub(crate) fn zeros(self) -> usize {
        (self.0 >> 4 & 15) as usize
    }

    #[inline(always)]
    pub(crate) fn first(self) -> i16 {
        i16::from((self.0 >> 16) as i8)
    }

    #[inline(always)]
    pub(crate) fn advance(self) -> usize {
        (self.0 >> 8 & 255) as usize
    }

    #[inline(always)]
    pub(crate) fn second(self) -> i16 {
        i16::from((self.0 >> 24) as i8)
    }
}

/// A table with which two codes are often found at once.
#[derive(Debug, Clone)]
pub(crate) struct PairTable {
    pairs: Box<[Pair; 1 << PAIR]>,
    /// For all that is not among the pairs.
    pub(crate) single: Table,
}

impl PairTable {
    pub(crate) fn new(specification: &Specification) -> Result<Self, Irregular> {
        let single = Table::new(specification, Meaning::Ac)?;
        let mut pairs = Box::new([Pair::NONE; 1 << PAIR]);
        for (bits, pair) in (0_u64..).zip(pairs.iter_mut()) {
            *pair = Pair::of(&single, bits << (64 - PAIR)).unwrap_or(Pair::NONE);
        }
        Ok(Self { pairs, single })
    }

    /// What comes next, if it is a pair.
    #[inline(always)]
    pub(crate) fn peek(&self, bits: &Bits<'_>) -> Pair {
        self.pairs[(bits.window() >> (64 - PAIR)) as usize]
    }
}
