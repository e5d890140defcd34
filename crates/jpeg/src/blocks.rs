//! Coefficients: blocks of 8x8, in rows.

/// The coefficients of one block, row by row.
#[derive(Debug, Clone)]
#[repr(align(64))]
pub(crate) struct Block(pub(crate) [i16; 64]);

impl Block {
    pub(crate) const ZERO: Self = Self([0; 64]);
}

/// Where the coefficients of the zigzag order lie (ITU T.81, figure A.6). Everything beyond the 64 is the last.
pub(crate) const ZIGZAG: [u8; 256] = zigzag();

const fn zigzag() -> [u8; 256] {
    let mut order = [63; 256];
    let (mut x, mut y, mut index) = (0_u8, 0_u8, 0);
    while index < 64 {
        order[index] = y * 8 + x;
        // Diagonals with an even sum go up to the right, the others down to the left.
        if (x + y) % 2 == 0 {
            if x == 7 {
                y += 1;
            } else {
                x += 1;
                y = y.saturating_sub(1);
            }
        } else if y == 7 {
            x += 1;
        } else {
            y += 1;
            x = x.saturating_sub(1);
        }
        index += 1;
    }
    order
}
