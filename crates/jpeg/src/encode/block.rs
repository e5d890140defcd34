//! Blocks as bits (ITU T.81, F.1.2).

use super::codes::{Code, Lookup};
use super::writer::Bits;
use crate::blocks::ZIGZAG;

/// More bytes than a block can make: 64 codes of 26 bits with their values.
pub(super) const LONGEST: usize = 64 * 26 / 8;

/// A block after quantization.
#[derive(Debug, Clone, PartialEq, Eq)]
#[repr(align(16))]
pub(super) struct Quantized {
    /// Coefficients row by row, times sixteen: there is room for a distance when codes are looked up. The first one
    /// is zero, whatever the mean.
    pub(super) others: [u16; 64],
    /// Which of the coefficients are not zero, the first in zigzag order being the lowest bit. That one is always set.
    pub(super) nonzero: u64,
    /// The first coefficient.
    pub(super) mean: i16,
}

/// Where the coefficients of the zigzag order lie, and beyond the last one a zero.
const PLACES: [u8; 65] = places();

const fn places() -> [u8; 65] {
    let mut places = [0; 65];
    let mut index = 0;
    while index < 64 {
        places[index] = ZIGZAG[index];
        index += 1;
    }
    places
}

impl Quantized {
    pub(super) const ZERO: Self = Self { others: [0; 64], nonzero: 1, mean: 0 };

    /// Makes it as cheap as can be after another one, where only the format wants a block (libjpeg's `jccoefct.c`).
    pub(super) fn be_dummy(&mut self, before: i16) {
        self.mean = before;
        self.nonzero = 1;
    }

    /// Whether more than fifteen zeros are between two others, which no single code says.
    #[inline(always)]
    fn has_long_runs(&self) -> bool {
        // Set where one of the sixteen before is not zero.
        let mut near = self.nonzero << 1;
        near |= near << 1;
        near |= near << 2;
        near |= near << 4;
        near |= near << 8;
        self.nonzero & !near != 1
    }
}

/// Goes from one coefficient that is not zero to the next.
#[derive(Debug)]
struct Coefficients<'a> {
    block: &'a Quantized,
    /// Those that are left.
    rest: u64,
    /// The last one's place in zigzag order.
    before: u32,
}

impl<'a> Coefficients<'a> {
    #[inline(always)]
    fn new(block: &'a Quantized) -> Self {
        Self { block, rest: block.nonzero & !1, before: 0 }
    }

    /// How far the next one is from the last one, and its value, which is zero if there is none.
    #[inline(always)]
    fn next(&mut self) -> (u32, u16) {
        let next = self.rest.trailing_zeros();
        self.rest &= self.rest.wrapping_sub(1);
        let distance = next.wrapping_sub(self.before);
        self.before = next;
        (distance, self.block.others[usize::from(PLACES[next as usize] & 63)])
    }

    #[inline(always)]
    fn code(&mut self, codes: Lookup<'_>) -> Code {
        let (distance, value) = self.next();
        codes.value(distance, value)
    }
}

/// Encodes a block. Up to 11 bits are left held, 33 with the next block's difference.
#[inline(always)]
pub(super) fn encode(bits: &mut Bits<'_>, codes: Lookup<'_>, block: &Quantized, prediction: &mut i16) {
    bits.hold(codes.difference(block.mean.wrapping_sub(*prediction)));
    *prediction = block.mean;
    let mut coefficients = Coefficients::new(block);
    if block.has_long_runs() {
        bits.flush();
        with_long_runs(bits, codes, coefficients);
    } else {
        // How many are left nobody can foresee: where there are none, nothing is added, without a branch for it.
        loop {
            let pair = coefficients.code(codes).and(coefficients.code(codes));
            bits.put(pair, coefficients.code(codes).and(coefficients.code(codes)));
            if coefficients.rest == 0 {
                break;
            }
        }
    }
    let end = if block.nonzero >> 63 == 0 { codes.end } else { Code::NONE };
    bits.hold(end);
}

/// The rest of a block which not all codes are looked up for: one coefficient after the other.
#[inline(always)]
fn with_long_runs(bits: &mut Bits<'_>, codes: Lookup<'_>, mut coefficients: Coefficients<'_>) {
    while coefficients.rest != 0 {
        let (distance, value) = coefficients.next();
        let [first, second] = codes.sixteens(distance);
        bits.put(first.and(second), codes.value(distance, value).and(Code::NONE));
    }
}
