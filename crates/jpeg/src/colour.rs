//! From luminance and chrominance to red, green and blue.

/// 16-bit fixed point of JFIF 1.02's equations, rounded as the Independent JPEG Group's library does.
const RED_OF_CR: i32 = 91_881;
const BLUE_OF_CB: i32 = 116_130;
const GREEN_OF_CB: i32 = -22_554;
const GREEN_OF_CR: i32 = -46_802;
const HALF: i32 = 1 << 15;

#[inline(always)]
fn clamped(value: i32) -> u32 {
    value.clamp(0, 255) as u32
}

/// One pixel, red in the lowest byte, the highest one full.
#[inline(always)]
fn pixel(y: u8, cb: u8, cr: u8) -> u32 {
    let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
    let red = clamped(y + ((RED_OF_CR * cr + HALF) >> 16));
    let green = clamped(y + ((GREEN_OF_CB * cb + GREEN_OF_CR * cr + HALF) >> 16));
    let blue = clamped(y + ((BLUE_OF_CB * cb + HALF) >> 16));
    red | green << 8 | blue << 16 | 0xff << 24
}

/// A row with four bytes a pixel.
#[inline(always)]
pub(crate) fn to_rgbx(y: &[u8], cb: &[u8], cr: &[u8], row: &mut [[u8; 4]]) {
    for (((out, y), cb), cr) in row.iter_mut().zip(y).zip(cb).zip(cr) {
        *out = pixel(*y, *cb, *cr).to_le_bytes();
    }
}

/// A row with three bytes a pixel.
#[inline(always)]
pub(crate) fn to_rgb(y: &[u8], cb: &[u8], cr: &[u8], row: &mut [[u8; 3]]) {
    for (((out, y), cb), cr) in row.iter_mut().zip(y).zip(cb).zip(cr) {
        let [red, green, blue, _] = pixel(*y, *cb, *cr).to_le_bytes();
        *out = [red, green, blue];
    }
}
