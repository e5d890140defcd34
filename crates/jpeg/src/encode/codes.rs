//! Huffman codes (ITU T.81, annex C) together with the values that follow them (F.1.2.1, F.1.2.2).

use std::sync::LazyLock;

use super::standard::{
    AC_OF_CHROMINANCE, AC_OF_LUMINANCE, DC_OF_CHROMINANCE, DC_OF_LUMINANCE, Specification,
};

/// A code and the value after it.
///
/// The lowest 6 bits are the length of both, the upper ones both themselves: they have 26 bits at most, since no code has
/// more than 16 and none that is so long is followed by more than 10. Shifts of 64 bits look at no more than 6 bits, so the
/// length need not be taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code(pub(super) u32);

impl Code {
    /// Nothing.
    pub(super) const NONE: Self = Self(0);

    #[inline(always)]
    pub(super) fn bits(self) -> u64 {
        u64::from(self.0 >> 6)
    }

    /// Puts another one behind.
    #[inline(always)]
    pub(super) fn and(self, next: Self) -> Pair {
        Pair { bits: self.bits() << (next.0 & 63) | next.bits(), length: self.0.wrapping_add(next.0) & 63 }
    }

    /// The same once more behind, if both fit.
    fn twice(self) -> Self {
        let length = self.0 & 63;
        let code = self.0 >> 6;
        Self((code << length | code) << 6 | (2 * length))
    }

    /// Puts a value of so many bits behind; a negative one is, as the standard wants it, one less.
    fn followed(self, value: i32, size: u32) -> Self {
        let value = (value - i32::from(value < 0)) as u32 & ((1 << size) - 1);
        Self(((self.0 >> 6) << size | value) << 6 | ((self.0 & 63) + size))
    }
}

/// Two codes with their values: 52 bits at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    pub(super) bits: u64,
    pub(super) length: u32,
}

/// Differences have up to 11 bits and a sign.
const DIFFERENCES: usize = 1 << 12;
/// Other coefficients have up to 10 bits and a sign; that they have 11 here spares a check. Distances have 4 bits.
const VALUES: usize = 1 << 16;

/// All codes of one kind of component.
#[derive(Debug)]
pub(super) struct Codes {
    /// Of differences from -2047 to 2047.
    differences: Box<[Code; DIFFERENCES]>,
    /// Of values times sixteen and distances from the one before, less whole sixteens. A value of 0 has no code.
    values: Box<[Code; VALUES]>,
    /// Of no, 16, 32 and 48 zeros, to be put one after the other.
    runs: [[Code; 2]; 4],
    /// The end of a block whose last coefficients are zero.
    end: Code,
}

/// Those of luminance and of chrominance.
pub(super) static STANDARD: LazyLock<[Codes; 2]> = LazyLock::new(|| {
    [Codes::new(&DC_OF_LUMINANCE, &AC_OF_LUMINANCE), Codes::new(&DC_OF_CHROMINANCE, &AC_OF_CHROMINANCE)]
});

impl Codes {
    fn new(dc: &Specification, ac: &Specification) -> Self {
        let (dc, ac) = (by_symbol(dc), by_symbol(ac));
        let mut differences = filled::<DIFFERENCES>();
        for value in -2047..=2047 {
            let size = size(value);
            differences[value as usize % DIFFERENCES] = dc[size as usize].followed(value, size);
        }
        let mut values = filled::<VALUES>();
        for value in (-1023..=1023).filter(|value| *value != 0) {
            let size = size(value);
            for run in 0..16 {
                let place = (value * 16) as usize % VALUES + (run + 1) % 16;
                values[place] = ac[run << 4 | size as usize].followed(value, size);
            }
        }
        let (one, two) = (ac[0xf0], ac[0xf0].twice());
        let runs = [[Code::NONE; 2], [one, Code::NONE], [two, Code::NONE], [two, one]];
        Self { differences, values, runs, end: ac[0] }
    }

    /// To look codes up.
    #[inline(always)]
    pub(super) fn lookup(&self) -> Lookup<'_> {
        let Self { differences, values, runs, end } = self;
        Lookup { differences, values, runs, end: *end }
    }
}

/// The same as [`Codes`], such that it can be kept in registers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lookup<'a> {
    differences: &'a [Code; DIFFERENCES],
    values: &'a [Code; VALUES],
    runs: &'a [[Code; 2]; 4],
    /// The end of a block whose last coefficients are zero.
    pub(super) end: Code,
}

impl Lookup<'_> {
    /// The code of a difference.
    #[inline(always)]
    pub(super) fn difference(self, value: i16) -> Code {
        self.differences[value as usize % DIFFERENCES]
    }

    /// The code of a coefficient, given times sixteen, at a distance from the one before. Whole sixteens of zeros in
    /// between must have been said.
    #[inline(always)]
    pub(super) fn value(self, distance: u32, value: u16) -> Code {
        self.values[usize::from(value) | (distance as usize % 16)]
    }

    /// The codes of whole sixteens of zeros within a distance, 33 bits at most.
    #[inline(always)]
    pub(super) fn sixteens(self, distance: u32) -> [Code; 2] {
        self.runs[(distance as usize - 1) / 16 % 4]
    }
}

fn filled<const N: usize>() -> Box<[Code; N]> {
    vec![Code::NONE; N].into_boxed_slice().try_into().expect("so many of them")
}

/// Bits of a magnitude.
fn size(value: i32) -> u32 {
    32 - value.unsigned_abs().leading_zeros()
}

/// Codes by their symbols (annex C).
fn by_symbol(specification: &Specification) -> [Code; 256] {
    let mut codes = [Code::NONE; 256];
    let mut symbols = specification.symbols.iter();
    let mut next = 0;
    for (count, length) in specification.counts.iter().zip(1..) {
        for symbol in symbols.by_ref().take(usize::from(*count)) {
            codes[usize::from(*symbol)] = Code(next << 6 | length);
            next += 1;
        }
        next <<= 1;
    }
    codes
}
