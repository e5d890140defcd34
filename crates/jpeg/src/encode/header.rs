//! Marker segments (ITU T.81, annex B), in libjpeg's order.

use super::quantization::Table;
use super::standard::{
    AC_OF_CHROMINANCE, AC_OF_LUMINANCE, DC_OF_CHROMINANCE, DC_OF_LUMINANCE, Specification,
};
use crate::blocks::ZIGZAG;

/// Writes everything up to the coded data.
pub(super) fn write(file: &mut Vec<u8>, (width, height): (u16, u16), tables: &[Table; 2]) {
    file.extend([0xff, 0xd8]);
    // Version 1.01, a density of 1 by 1 without a unit, no thumbnail.
    segment(file, 0xe0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0");
    for (slot, table) in (0_u8..).zip(tables) {
        let mut content = vec![slot];
        content.extend(ZIGZAG[..64].iter().map(|place| table.0[usize::from(*place)]));
        segment(file, 0xdb, &content);
    }
    let ([h1, h0], [w1, w0]) = (height.to_be_bytes(), width.to_be_bytes());
    // 8 bits a sample; three components with their ids, samplings and quantization tables.
    segment(file, 0xc0, &[8, h1, h0, w1, w0, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
    let codes = [
        (0x00, &DC_OF_LUMINANCE),
        (0x10, &AC_OF_LUMINANCE),
        (0x01, &DC_OF_CHROMINANCE),
        (0x11, &AC_OF_CHROMINANCE),
    ];
    for (slot, Specification { counts, symbols }) in codes {
        segment(file, 0xc4, &[&[slot], &counts[..], symbols].concat());
    }
    // All components with their tables, all coefficients, all bits.
    segment(file, 0xda, &[3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0]);
}

/// Writes what comes after the coded data.
pub(super) fn end(file: &mut Vec<u8>) {
    file.extend([0xff, 0xd9]);
}

fn segment(file: &mut Vec<u8>, marker: u8, content: &[u8]) {
    file.extend([0xff, marker]);
    file.extend((content.len() as u16 + 2).to_be_bytes());
    file.extend(content);
}
