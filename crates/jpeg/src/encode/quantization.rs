//! Quantization: steps of a quality, and division by them without dividing.

/// Quantization steps, row by row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Table(pub(super) [u8; 64]);

impl Table {
    /// The basic table scaled for a quality from 1 to 100 (libjpeg's `jpeg_quality_scaling`, `jpeg_add_quant_table`).
    pub(super) fn new(basic: &[u8; 64], quality: u8) -> Self {
        let quality = u32::from(quality);
        let percent = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
        Self(basic.map(|step| ((u32::from(step) * percent + 50) / 100).clamp(1, 255) as u8))
    }
}

/// What makes two multiplications a rounded division, for each coefficient, row by row.
///
/// The transform leaves coefficients eight times too large, so divisors are eight times the steps. Numbers are those of
/// libjpeg-turbo's `compute_reciprocal`: magnitude `x` becomes `(x + correction) * reciprocal / 2^16 * scale / 2^16`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Divisors {
    pub(super) correction: [[u16; 8]; 8],
    pub(super) reciprocal: [[u16; 8]; 8],
    pub(super) scale: [[u16; 8]; 8],
}

impl Divisors {
    pub(super) fn new(table: &Table) -> Self {
        let mut divisors = Self { correction: [[0; 8]; 8], reciprocal: [[0; 8]; 8], scale: [[0; 8]; 8] };
        for (index, step) in table.0.iter().enumerate() {
            let (row, column) = (index / 8, index % 8);
            let [correction, reciprocal, scale] = reciprocal(u32::from(*step) * 8);
            divisors.correction[row][column] = correction;
            divisors.reciprocal[row][column] = reciprocal;
            divisors.scale[row][column] = scale;
        }
        divisors
    }
}

/// Correction, reciprocal and scale of a divisor from 8 to 2040.
fn reciprocal(divisor: u32) -> [u16; 3] {
    let bits = 16 + divisor.ilog2();
    let (quotient, rest) = ((1_u32 << bits) / divisor, (1_u32 << bits) % divisor);
    let half = divisor / 2;
    let (correction, reciprocal, bits) = match rest {
        // A power of two: the quotient has one bit more than fits.
        0 => (half, quotient / 2, bits - 1),
        rest if rest <= half => (half + 1, quotient, bits),
        _ => (half, quotient + 1, bits),
    };
    [correction as u16, reciprocal as u16, (1_u32 << (32 - bits)) as u16]
}
