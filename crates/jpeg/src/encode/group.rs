//! Groups of MCUs: from samples to bits while they stay in the first cache.

use super::block::{self, LONGEST, Quantized};
use super::codes::STANDARD;
use super::forward::{Forward, WithForward};
use super::quantization::Divisors;
use super::writer::{self, Bits, Bytes, ROOM, Stream};
use crate::Plane;

/// MCUs of a group, an even number: few enough that their blocks stay in the first cache, enough that samples are read
/// in long pieces.
pub(super) const GROUP: usize = 32;
/// Blocks of an MCU.
const BLOCKS: usize = 6;

// A group's bytes fit, whatever it shows.
const _: () = assert!(GROUP * BLOCKS * LONGEST + 8 <= ROOM);

/// Room for a group's blocks and their bits.
#[derive(Debug)]
pub(super) struct Room {
    /// Two rows of luminance, one of each chrominance.
    rows: [Vec<Quantized>; 4],
    pub(super) bytes: Box<Bytes>,
}

/// How far the coded data of a picture has come.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) stream: Stream,
    /// The last block's first coefficient, of each component.
    predictions: [i16; 3],
}

/// MCUs beside each other.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) planes: &'a [Plane<'a>; 3],
    /// Of luminance and chrominance.
    pub(super) divisors: &'a [Divisors; 2],
    /// MCUs to the left and above.
    pub(super) place: (usize, usize),
    pub(super) count: usize,
    pub(super) room: &'a mut Room,
    pub(super) state: &'a mut State,
    pub(super) file: &'a mut Vec<u8>,
}

/// A row of blocks of one component.
#[derive(Debug)]
struct Row<'a> {
    plane: &'a Plane<'a>,
    divisors: &'a Divisors,
    /// Blocks to the left and above.
    place: (usize, usize),
    /// How many are wanted. The last one may have a partner that is not.
    count: usize,
    blocks: &'a mut [Quantized],
}

impl Group<'_> {
    #[inline(always)]
    fn transform(&mut self, forward: impl Forward) {
        let ((left, above), count) = (self.place, self.count);
        let ([y, cb, cr], [y_divisors, c_divisors]) = (self.planes, self.divisors);
        let [y_rows @ .., cb_row, cr_row] = &mut self.room.rows;
        let [upper, lower] = y_rows;
        let luminance = (y, y_divisors, 2 * left, 2 * count);
        let chrominance = [(cb, c_divisors, left, count), (cr, c_divisors, left, count)];
        let rows = [
            (luminance, 2 * above, upper),
            (luminance, 2 * above + 1, lower),
            (chrominance[0], above, cb_row),
            (chrominance[1], above, cr_row),
        ];
        // One loop for all, since all instructions of the transform are inlined in it.
        for ((plane, divisors, left, count), above, blocks) in rows {
            if above * 8 < plane.height {
                Row { plane, divisors, place: (left, above), count, blocks }.transform(forward);
            }
        }
        if (2 * above + 1) * 8 >= y.height {
            let [upper, lower, ..] = &mut self.room.rows;
            for (upper, lower) in upper.chunks_exact(2).zip(lower.chunks_exact_mut(2)) {
                lower.iter_mut().for_each(|block| block.be_dummy(upper[1].mean));
            }
        }
    }

    #[inline(always)]
    fn encode(&mut self) {
        let Room { rows: [upper, lower, cb, cr], bytes } = &mut *self.room;
        let [y_codes, c_codes] = [STANDARD[0].lookup(), STANDARD[1].lookup()];
        // Copies, so that they can be kept in registers.
        let mut bits = Bits::new(self.state.stream, bytes);
        let [mut y_before, mut cb_before, mut cr_before] = self.state.predictions;
        let luminance = upper.chunks_exact(2).zip(lower.chunks_exact(2));
        for ((upper, lower), (cb, cr)) in luminance.zip(cb.iter().zip(&*cr)).take(self.count) {
            for block in [&upper[0], &upper[1], &lower[0], &lower[1]] {
                block::encode(&mut bits, y_codes, block, &mut y_before);
            }
            block::encode(&mut bits, c_codes, cb, &mut cb_before);
            block::encode(&mut bits, c_codes, cr, &mut cr_before);
        }
        self.state.predictions = [y_before, cb_before, cr_before];
        self.state.stream = bits.stream;
        let length = bits.position;
        writer::stuffed(&bytes[..length], self.file);
    }
}

impl Row<'_> {
    #[inline(always)]
    fn transform(self, forward: impl Forward) {
        let Self { plane, divisors, place: (left, above), count, blocks } = self;
        let band = plane.band(above * 8);
        // Blocks that hold something of the picture: one at least in each MCU.
        let there = count.min(plane.width.div_ceil(8) - left);
        let (pairs, _) = blocks.as_chunks_mut();
        let pairs = &mut pairs[..there.div_ceil(2)];
        let left = left * 8;
        let (inside, at_edge) = pairs.split_at_mut(pairs.len().min((plane.width - left) / 16));
        for (pair, left) in inside.iter_mut().zip((left..).step_by(16)) {
            forward.pair(&band.samples(left), divisors, pair);
        }
        // Not in the same loop, where samples from inside would have to be copied, too.
        if let [pair] = at_edge {
            forward.pair(&band.samples_at_edge(left + 16 * inside.len()), divisors, pair);
        }
        for index in there..count {
            let before = blocks[index - 1].mean;
            blocks[index].be_dummy(before);
        }
    }
}

impl Default for Room {
    fn default() -> Self {
        let rows = [2 * GROUP, 2 * GROUP, GROUP, GROUP];
        let bytes = vec![0; ROOM + 8].into_boxed_slice().try_into().expect("so many of them");
        Self { rows: rows.map(|blocks| vec![Quantized::ZERO; blocks]), bytes }
    }
}

impl WithForward for Group<'_> {
    #[inline(always)]
    fn run(mut self, forward: impl Forward) {
        self.transform(forward);
        self.encode();
    }
}
