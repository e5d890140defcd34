//! Huffman codes (ITU T.81, annexes C and F.2.2.3), looked up instead of walked.

use crate::Irregular;
use crate::entropy::bits::Bits;

/// Codes of up to this length are found with one look.
const LOOK: u32 = 10;

/// A table as a DHT segment gives it.
#[derive(Debug, Clone)]
pub(crate) struct Specification {
    /// How many codes there are of 1 to 16 bits.
    pub(crate) counts: [u8; 16],
    /// Their symbols, in the order of the codes.
    pub(crate) symbols: Vec<u8>,
}

/// What the symbols of a table mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A difference of `symbol` bits.
    Dc,
    /// After `symbol >> 4` zeros a value of `symbol & 15` bits; 0x00 ends the block.
    Ac,
    /// The same, but that several symbols end blocks.
    ProgressiveAc,
}

/// One decoded code: what follows it, and how far to go.
///
/// From the lowest bit: 8 bits for the length of the code and the value after it, 8 for that of the code, 16 for 63 less
/// the value's, 16 for what a negative value lacks, 16 for how many coefficients to go forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry(u64);

/// How far an end-of-block goes: beyond all that runs of zeros can reach.
pub(crate) const END_OF_BLOCK: usize = 128;

impl Entry {
    /// No code, or one that is not looked up.
    const NONE: Self = Self(0);

    fn new(symbol: u8, length: u64, meaning: Meaning) -> Self {
        let (run, size) = (u64::from(symbol >> 4), u64::from(symbol & 15));
        let (advance, size, longest) = match meaning {
            Meaning::Dc => (1, u64::from(symbol), 11),
            Meaning::Ac if symbol == 0 => (END_OF_BLOCK as u64, 0, 10),
            // Only a run of 16 zeros has no value; a decoder that goes by others is not ours.
            Meaning::Ac if size == 0 && run != 15 => return Self::NONE,
            Meaning::Ac | Meaning::ProgressiveAc => (run + 1, size, 10),
        };
        // 8-bit pictures have no larger values (F.1.2.1, F.1.2.2).
        if size > longest {
            return Self::NONE;
        }
        let negative = (1 - (1_i64 << size)) as u64 & 0xffff;
        Self((length + size) | length << 8 | (63 - size) << 16 | negative << 32 | advance << 48)
    }

    /// How many coefficients this goes forward, the value's own included.
    #[inline(always)]
    pub(crate) fn advance(self) -> usize {
        (self.0 >> 48) as usize
    }

    /// Bits of the value.
    #[inline(always)]
    pub(crate) fn size(self) -> u32 {
        63 - ((self.0 >> 16) as u32 & 63)
    }

    /// The value at the top of `bits`; those that begin with 0 are negative (F.2.2.1, EXTEND).
    #[inline(always)]
    fn value(self, bits: u64) -> i16 {
        let magnitude = bits >> 1 >> (self.0 >> 16 & 63);
        let negative = !((bits as i64 >> 63) as u64) & (self.0 >> 32);
        magnitude.wrapping_add(negative) as i16
    }
}

/// A table to decode with.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    lookup: [Entry; 1 << LOOK],
    /// For each length the first code above those of that length and less, as the top of 16 bits.
    limits: [u32; 17],
    /// What to add to a code of a length to get its place among the entries.
    offsets: [i32; 17],
    entries: Vec<Entry>,
}

impl Table {
    pub(crate) fn new(specification: &Specification, meaning: Meaning) -> Result<Self, Irregular> {
        let mut table =
            Self { lookup: [Entry::NONE; 1 << LOOK], limits: [0; 17], offsets: [0; 17], entries: Vec::new() };
        if meaning == Meaning::Dc && specification.symbols.iter().any(|symbol| *symbol > 15) {
            return Err(Irregular("differences of more than 15 bits"));
        }
        let mut symbols = specification.symbols.iter();
        let mut code = 0_u32;
        for (count, length) in specification.counts.iter().zip(1_u32..) {
            table.offsets[length as usize] = table.entries.len() as i32 - code as i32;
            for symbol in symbols.by_ref().take(usize::from(*count)) {
                let entry = Entry::new(*symbol, u64::from(length), meaning);
                if length <= LOOK {
                    let first = (code << (LOOK - length)) as usize;
                    let places = table.lookup.get_mut(first..first + (1 << (LOOK - length)));
                    places.ok_or(Irregular("more codes than fit"))?.fill(entry);
                }
                table.entries.push(entry);
                code += 1;
            }
            // No code may be all ones (annex C).
            if code >= 1 << length {
                return Err(Irregular("more codes than fit"));
            }
            table.limits[length as usize] = code << (16 - length);
            code <<= 1;
        }
        Ok(table)
    }

    /// The entry of the code that comes next; the code is still there.
    #[inline(always)]
    fn peek(&self, bits: &Bits<'_>) -> Result<Entry, Irregular> {
        let entry = self.lookup[(bits.window() >> (64 - LOOK)) as usize];
        if entry == Entry::NONE { self.long(bits.window()) } else { Ok(entry) }
    }

    /// Goes past the next code, of which 16 bits must be held.
    #[inline(always)]
    pub(crate) fn symbol(&self, bits: &mut Bits<'_>) -> Result<Entry, Irregular> {
        let entry = self.peek(bits)?;
        bits.skip((entry.0 >> 8) as u32);
        Ok(entry)
    }

    /// Goes past the next code and its value, of which 27 bits must be held. A value without bits is 0.
    #[inline(always)]
    pub(crate) fn value(&self, bits: &mut Bits<'_>) -> Result<(Entry, i16), Irregular> {
        let entry = self.peek(bits)?;
        let value = entry.value(bits.window() << (entry.0 >> 8 & 63));
        bits.skip(entry.0 as u32);
        Ok((entry, value))
    }

    /// Length, way forward and value of the code that comes next, if it lies within so many bits.
    pub(super) fn within(&self, bits: u64, most: u32) -> Option<(u32, usize, i8)> {
        let entry = self.lookup[(bits >> (64 - LOOK)) as usize];
        let length = (entry.0 & 63) as u32;
        let fits = entry != Entry::NONE && length <= most;
        let value = i8::try_from(entry.value(bits << (entry.0 >> 8 & 63))).ok().filter(|_| fits)?;
        Some((length, entry.advance(), value))
    }

    #[cold]
    #[inline(never)]
    fn long(&self, window: u64) -> Result<Entry, Irregular> {
        let code = (window >> 48) as u32;
        // Shorter codes that are not looked up have no meaning.
        let longer = code >= self.limits[LOOK as usize];
        let length = (LOOK as usize + 1..=16).find(|length| longer && code < self.limits[*length]);
        let place = length.map(|length| self.offsets[length] + (code >> (16 - length)) as i32);
        let entry = place.and_then(|place| self.entries.get(usize::try_from(place).ok()?));
        entry.copied().filter(|entry| *entry != Entry::NONE).ok_or(Irregular("a code without meaning"))
    }
}
