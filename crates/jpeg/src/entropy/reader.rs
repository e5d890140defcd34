//! The coded data of a scan, MCU by MCU.

use crate::Irregular;
use crate::entropy::bits::Bits;
use crate::entropy::segments::{Readers, Segments};

/// Goes through the segments of a scan, each of which ends where it must.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) bits: Bits<'a>,
    segments: Readers<'a>,
    /// MCUs in each segment but the last.
    interval: usize,
    /// MCUs that this segment still has.
    left: usize,
}

impl<'a> Reader<'a> {
    /// For a scan of so many MCUs, with so many between restart marks.
    pub(crate) fn new(
        segments: &'a Segments,
        mcus: usize,
        interval: Option<usize>,
    ) -> Result<Self, Irregular> {
        let interval = interval.unwrap_or(mcus);
        let mut segments = segments.readers();
        if segments.len() != mcus.div_ceil(interval) {
            return Err(Irregular("another number of restart marks"));
        }
        let bits = segments.next().ok_or(Irregular("no coded data"))?;
        Ok(Self { bits, segments, interval, left: interval })
    }

    /// Goes on to the next MCU; whether it is the first behind a restart mark.
    #[inline(always)]
    pub(crate) fn next_mcu(&mut self) -> Result<bool, Irregular> {
        let restart = self.left == 0;
        if restart {
            self.restart()?;
        }
        self.left -= 1;
        Ok(restart)
    }

    #[cold]
    #[inline(never)]
    fn restart(&mut self) -> Result<(), Irregular> {
        self.finish()?;
        self.bits = self.segments.next().ok_or(Irregular("too few restart marks"))?;
        self.left = self.interval;
        Ok(())
    }

    /// To be called when all MCUs were decoded.
    pub(crate) fn finish(&self) -> Result<(), Irregular> {
        if self.bits.all_read() { Ok(()) } else { Err(Irregular("coded data of another length")) }
    }
}
