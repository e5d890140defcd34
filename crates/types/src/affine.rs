//! Where pixels go.

use serde::{Deserialize, Serialize};

/// The 2×3 map from the oriented original's pixels to a variant's pixels, row major:
/// `x' = a·x + b·y + c`, `y' = d·x + e·y + f`, stored `[a, b, c, d, e, f]`.
///
/// Coordinates are continuous, with (0, 0) at the outer corner of the top-left pixel, so a point at the
/// original's far corner (w, h) lands on the far corner of the picture area in the variant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Affine(pub [f64; 6]);

impl Affine {
    /// Scale by (`sx`, `sy`), then move by (`tx`, `ty`) variant pixels.
    pub fn scale_then_move(sx: f64, sy: f64, tx: f64, ty: f64) -> Self {
        Self([sx, 0.0, tx, 0.0, sy, ty])
    }

    /// Where the point (`x`, `y`) goes.
    pub fn apply(&self, x: f64, y: f64) -> (f64, f64) {
        let [a, b, c, d, e, f] = self.0;
        (a * x + b * y + c, d * x + e * y + f)
    }
}
