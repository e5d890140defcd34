//! The encoder: baseline files with 4:2:0 sampling and the standard's own Huffman tables.

mod block;
mod codes;
mod forward;
mod group;
mod header;
mod plane;
mod quantization;
mod standard;
mod writer;

use pulp::Arch;

use self::group::{GROUP, Group, Room, State};
use self::quantization::{Divisors, Table};
use crate::Plane;

/// Why a picture cannot be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The format has no such sizes.
    #[error("pictures have 1 to 65535 pixels across and down, not {0} by {1}")]
    Size(usize, usize),
    /// Two pixels share a sample of chrominance, across and down; the last one may be alone.
    #[error("planes of chrominance are half as wide and high, rounded up, not {0} by {1}")]
    Chrominance(usize, usize),
    /// Fewer samples than the size needs, or rows that overlap.
    #[error("a plane has fewer samples than its size needs")]
    Samples,
    /// No such quality.
    #[error("qualities are 1 to 100, not {0}")]
    Quality(u8),
}

/// Encodes pictures, one after another.
#[derive(Debug, Default)]
pub struct Encoder {
    room: Room,
}

impl Encoder {
    /// Makes the file that libjpeg-turbo makes of luminance and two planes of chrominance, byte for byte: its quality
    /// from 1 to 100, its `islow` transform, standard Huffman tables, no restart marks.
    ///
    /// # Errors
    /// Sizes do not fit to each other or to the format; there is no such quality.
    pub fn encode(&mut self, planes: [Plane<'_>; 3], quality: u8) -> Result<Vec<u8>, EncodeError> {
        plane::check(&planes)?;
        if !(1..=100).contains(&quality) {
            return Err(EncodeError::Quality(quality));
        }
        let (width, height) = (planes[0].width, planes[0].height);
        let tables = [&standard::LUMINANCE, &standard::CHROMINANCE].map(|basic| Table::new(basic, quality));
        let divisors = tables.each_ref().map(Divisors::new);
        // What photographs of good quality need; what is not used is given back.
        let mut file = Vec::with_capacity(width * height / 4 + 1024);
        header::write(&mut file, (width as u16, height as u16), &tables);
        let arch = Arch::new();
        let mut state = State::default();
        let (across, down) = (width.div_ceil(16), height.div_ceil(16));
        for row in 0..down {
            for left in (0..across).step_by(GROUP) {
                let group = Group {
                    planes: &planes,
                    divisors: &divisors,
                    place: (left, row),
                    count: GROUP.min(across - left),
                    room: &mut self.room,
                    state: &mut state,
                    file: &mut file,
                };
                forward::vectorized(arch, group);
            }
        }
        state.stream.finish(&mut self.room.bytes, &mut file);
        header::end(&mut file);
        file.shrink_to_fit();
        Ok(file)
    }
}
