//! The coded data of a scan, between its header and the next marker.

use std::ops::Range;
use std::slice;

use crate::Irregular;
use crate::entropy::bits::{Bits, PADDING};

/// Coded data without byte stuffing, cut at the restart marks.
#[derive(Debug, Default)]
pub(crate) struct Segments {
    bytes: Vec<u8>,
    ranges: Vec<Range<usize>>,
}

impl Segments {
    /// Takes the coded data at the start of `data`; its length in `data` comes back.
    pub(crate) fn fill(&mut self, data: &[u8]) -> Result<usize, Irregular> {
        self.bytes.clear();
        self.ranges.clear();
        let (mut start, mut position) = (0, 0);
        loop {
            let rest = &data[position..];
            let found = memchr::memchr(0xff, rest).ok_or(Irregular("no end of coded data"))?;
            let mark = *rest.get(found + 1).ok_or(Irregular("no end of coded data"))?;
            position += found + 2;
            if mark == 0 {
                self.bytes.extend_from_slice(&rest[..=found]);
                continue;
            }
            self.bytes.extend_from_slice(&rest[..found]);
            // Restart marks are numbered, from 0 to 7 over and over.
            let restart = 0xd0 | (self.ranges.len() & 7) as u8;
            self.ranges.push(start..self.bytes.len());
            start = self.bytes.len();
            if mark != restart {
                break;
            }
        }
        self.bytes.extend([0; PADDING]);
        Ok(position - 2)
    }

    /// A reader for each segment.
    pub(crate) fn readers(&self) -> Readers<'_> {
        Readers { bytes: &self.bytes, ranges: self.ranges.iter() }
    }
}

/// Readers of segments, in their order.
#[derive(Debug, Clone)]
pub(crate) struct Readers<'a> {
    bytes: &'a [u8],
    ranges: slice::Iter<'a, Range<usize>>,
}

impl<'a> Iterator for Readers<'a> {
    type Item = Bits<'a>;

    fn next(&mut self) -> Option<Bits<'a>> {
        self.ranges.next().map(|range| Bits::new(&self.bytes[range.start..], range.len()))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.ranges.size_hint()
    }
}

impl ExactSizeIterator for Readers<'_> {}
