//! Writing with few calls and few copies: small pieces are collected, large ones written from where they are.

use std::io::{self, IoSlice, Write};

/// From this on a piece is not copied, but for its last page.
const LARGE: usize = 16 << 10;

/// What is collected before it is written.
pub(super) const COLLECTED: usize = 256 << 10;

/// Writes end at a multiple of this. A page that is not filled by one write is cleared by the kernel first.
const PAGE: usize = 4 << 10;

/// Counts and writes.
#[derive(Debug)]
pub(super) struct Gathered<W> {
    inner: W,
    collected: Vec<u8>,
    passed_on: u64,
}

impl<W: Write> Gathered<W> {
    pub(super) fn new(inner: W) -> Self {
        Self { inner, collected: Vec::new(), passed_on: 0 }
    }

    /// Bytes taken so far.
    pub(super) fn written(&self) -> u64 {
        self.passed_on + self.collected.len() as u64
    }

    /// Writes what is left and flushes.
    pub(super) fn finish(mut self) -> io::Result<W> {
        write_both(&mut self.inner, &self.collected, &[])?;
        self.inner.flush()?;
        Ok(self.inner)
    }

    /// Takes all of `data`.
    pub(super) fn write_all(&mut self, data: &[u8]) -> io::Result<()> {
        if data.len() < LARGE {
            self.collected.extend_from_slice(data);
            return if self.collected.len() < COLLECTED { Ok(()) } else { self.pass_on(&[]) };
        }
        let page_ends_at = data.len() - past_page(self.written() + data.len() as u64);
        let (now, later) = data.split_at(page_ends_at);
        self.pass_on(now)?;
        self.collected.extend_from_slice(later);
        Ok(())
    }

    /// Writes what was collected and, where there is any, `data`, which ends with a page.
    fn pass_on(&mut self, data: &[u8]) -> io::Result<()> {
        let kept = if data.is_empty() { past_page(self.written()) } else { 0 };
        let now = self.collected.len() - kept;
        write_both(&mut self.inner, &self.collected[..now], data)?;
        self.passed_on += (now + data.len()) as u64;
        self.collected.drain(..now);
        Ok(())
    }
}

/// How far this is from the last page's end.
fn past_page(offset: u64) -> usize {
    (offset % PAGE as u64) as usize
}

fn write_both(out: &mut impl Write, one: &[u8], other: &[u8]) -> io::Result<()> {
    let mut pieces = [IoSlice::new(one), IoSlice::new(other)];
    let mut left = &mut pieces[..];
    // Empty ones go first: they must not look like a writer that takes nothing.
    IoSlice::advance_slices(&mut left, 0);
    while !left.is_empty() {
        match out.write_vectored(left) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(taken) => IoSlice::advance_slices(&mut left, taken),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
