//! Bits of one segment of coded data, most significant first.

/// What must follow the last byte of coded data, so that whole words can be read up to its end.
pub(crate) const PADDING: usize = 16;

/// A reader over coded bytes from which byte stuffing is gone (ITU T.81, F.2.2.5).
///
/// It never fails: behind the end come zeros. Whether more was read than there is, [`Bits::all_read`] tells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bits<'a> {
    /// What was not read yet of the segment and the bytes behind it, [`PADDING`] at least.
    rest: &'a [u8],
    /// How many bytes `rest` has when the segment was read.
    behind: usize,
    /// The next bits, from the top.
    window: u64,
    /// How many of them are certain; those below are either right already or zero.
    held: u32,
}

impl<'a> Bits<'a> {
    /// `bytes` are the segment, of `length` bytes, and what is behind it.
    pub(crate) fn new(bytes: &'a [u8], length: usize) -> Self {
        Self { rest: bytes, behind: bytes.len() - length, window: 0, held: 0 }
    }

    /// Sees to it that the next 56 bits are held.
    #[inline(always)]
    pub(crate) fn refill(&mut self) {
        let bytes = ((63 - self.held) >> 3) as usize;
        if let Some(next) = self.rest.first_chunk::<8>() {
            self.window |= u64::from_be_bytes(*next) >> self.held;
            self.rest = &self.rest[bytes..];
        } else {
            // Far behind the end.
            self.rest = &[];
        }
        self.held |= 56;
    }

    /// The next bits, from the top; 56 after [`Bits::refill`], less by what was skipped.
    #[inline(always)]
    pub(crate) fn window(&self) -> u64 {
        self.window
    }

    /// Goes past bits that are held. Only the lowest six bits of `count` count.
    #[inline(always)]
    pub(crate) fn skip(&mut self, count: u32) {
        self.window <<= count & 63;
        self.held = self.held.wrapping_sub(count & 63) & 63;
    }

    /// Takes `count` bits, 0 to 31 of those that are held.
    #[inline(always)]
    pub(crate) fn take(&mut self, count: u32) -> u32 {
        let value = (self.window >> 1 >> (63 - (count & 63))) as u32;
        self.skip(count);
        value
    }

    /// Whether the segment was read to its end and no further, but for the last byte's filling.
    pub(crate) fn all_read(&self) -> bool {
        let unread = self.rest.len() as u64 * 8 + u64::from(self.held);
        let behind = self.behind as u64 * 8;
        (behind..behind + 8).contains(&unread)
    }
}
