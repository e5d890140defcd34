//! Affine maps with what geometry asks of them.

use types::Affine;

use crate::Point;

/// A 2×3 map, `[a, b, c, d, e, f]` as in [`Affine`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Linear([f64; 6]);

impl Linear {
    pub(super) fn new(affine: &Affine) -> Self {
        Self(affine.0)
    }

    /// Where a point goes.
    pub(super) fn point(&self, Point { x, y }: Point) -> Point {
        let (x, y) = Affine(self.0).apply(x, y);
        Point { x, y }
    }

    /// Where a direction goes: without the move.
    pub(super) fn vector(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        let [a, b, _, d, e, _] = self.0;
        [a * x + b * y, d * x + e * y]
    }

    /// What areas are multiplied by; negative if the map mirrors.
    pub(super) fn determinant(&self) -> f64 {
        let [a, b, _, d, e, _] = self.0;
        a * e - b * d
    }

    /// The factor of a map that multiplies both axes by the same and does nothing else but move.
    pub(super) fn plain_scale(&self) -> Option<f64> {
        let [a, b, _, d, e, _] = self.0;
        (b == 0.0 && d == 0.0 && a == e && a > 0.0).then_some(a)
    }

    /// Whether what is parallel to the axes stays so.
    pub(super) fn keeps_axes(&self) -> bool {
        let [a, b, _, d, e, _] = self.0;
        (b == 0.0 && d == 0.0) || (a == 0.0 && e == 0.0)
    }

    /// The way back; `None` where the map flattens everything.
    pub(super) fn inverse(&self) -> Option<Self> {
        let [a, b, c, d, e, f] = self.0;
        let determinant = self.determinant();
        if determinant == 0.0 || !determinant.is_finite() {
            return None;
        }
        let [a, b, d, e] = [e, -b, -d, a].map(|entry| entry / determinant);
        Some(Self([a, b, -(a * c + b * f), d, e, -(d * c + e * f)]))
    }
}
