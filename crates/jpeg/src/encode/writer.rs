//! Bits one after another, and the bytes that they make.

use super::codes::{Code, Pair};

/// A stream of bits between two groups of blocks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stream {
    /// The last bits, of which the lowest `count` are no whole byte yet, or were not written yet.
    held: u64,
    count: u32,
}

impl Stream {
    /// Fills the last byte with ones (ITU T.81, F.1.2.3).
    pub(super) fn finish(self, bytes: &mut Bytes, file: &mut Vec<u8>) {
        let mut bits = Bits::new(self, bytes);
        bits.flush();
        let missing = bits.stream.count.wrapping_neg() % 8;
        bits.hold(Code(((1 << missing) - 1) << 6 | missing));
        bits.flush();
        stuffed(&bits.bytes[..bits.position], file);
    }
}

/// Bytes that can be written: a power of two.
pub(super) const ROOM: usize = 1 << 16;
/// Room for them and for the word that the last one begins.
pub(super) type Bytes = [u8; ROOM + 8];

/// Writes codes to a buffer, without byte stuffing.
#[derive(Debug)]
pub(super) struct Bits<'a> {
    pub(super) stream: Stream,
    bytes: &'a mut Bytes,
    /// Bytes written.
    pub(super) position: usize,
}

impl<'a> Bits<'a> {
    pub(super) fn new(stream: Stream, bytes: &'a mut Bytes) -> Self {
        Self { stream, bytes, position: 0 }
    }

    /// Adds a code. At most 63 bits may be held.
    #[inline(always)]
    pub(super) fn hold(&mut self, code: Code) {
        self.stream.held = self.stream.held << (code.0 & 63) | code.bits();
        self.stream.count = (self.stream.count.wrapping_add(code.0)) & 63;
    }

    #[inline(always)]
    fn hold_pair(&mut self, pair: Pair) {
        self.stream.held = self.stream.held << pair.length | pair.bits;
        self.stream.count += pair.length;
    }

    /// Writes all whole bytes. No more than seven bits are held then.
    #[inline(always)]
    pub(super) fn flush(&mut self) {
        let Stream { held, count } = self.stream;
        // More is never written. Saying so spares a check.
        let place = &mut self.bytes[self.position % ROOM..][..8];
        // Without any bits, something is written that will be overwritten.
        place.copy_from_slice(&(held << (count.wrapping_neg() & 63)).to_be_bytes());
        self.position += count as usize / 8;
        self.stream.count = count % 8;
    }

    /// Adds four codes and writes them.
    #[inline(always)]
    pub(super) fn put(&mut self, first: Pair, second: Pair) {
        // Nearly always all four fit.
        if self.stream.count + first.length + second.length < 64 {
            let bits = first.bits << second.length | second.bits;
            self.hold_pair(Pair { bits, length: first.length + second.length });
        } else {
            self.flush();
            self.hold_pair(first);
            self.flush();
            self.hold_pair(second);
        }
        self.flush();
    }
}

/// Puts a zero behind each byte of ones, so that it is no marker (F.1.2.3).
pub(super) fn stuffed(mut bytes: &[u8], file: &mut Vec<u8>) {
    while let Some(place) = memchr::memchr(0xff, bytes) {
        file.extend_from_slice(&bytes[..=place]);
        file.push(0);
        bytes = &bytes[place + 1..];
    }
    file.extend_from_slice(bytes);
}
