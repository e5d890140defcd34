//! Where the picture lies in a variant.

use types::{Affine, Fit, SizeSpec, Sizes};

/// How a picture is placed for one size spec.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Placement {
    /// The part of the picture that is shown, in its pixels: left, top, width, height.
    pub(crate) source: [f64; 4],
    /// The size that part is scaled to.
    pub(crate) scaled: (u32, u32),
    /// Where the scaled part lies on the canvas.
    pub(crate) offset: (u32, u32),
    /// The size of the variant.
    pub(crate) canvas: (u32, u32),
}

impl Placement {
    /// The placements of an upright picture of `size` for all sizes, in their order.
    pub(crate) fn all(sizes: &Sizes, size: (u32, u32)) -> Vec<Self> {
        sizes.iter().map(|spec| Self::new(spec, size)).collect()
    }

    /// The placement of an upright picture of `size`; both sides at least 1.
    pub(crate) fn new(spec: SizeSpec, size: (u32, u32)) -> Self {
        let (w, h) = (f64::from(size.0), f64::from(size.1));
        let canvas = spec.size();
        let (box_w, box_h) = (f64::from(canvas.0), f64::from(canvas.1));
        let contain = (box_w / w).min(box_h / h);
        let whole = [0.0, 0.0, w, h];
        match spec.fit() {
            Fit::Inside if contain >= 1.0 => Self::filling(whole, size),
            Fit::Inside => Self::filling(whole, scaled(size, contain, canvas)),
            Fit::Stretch => Self::filling(whole, canvas),
            Fit::Crop => {
                let cover = (box_w / w).max(box_h / h);
                let (shown_w, shown_h) = ((box_w / cover).min(w), (box_h / cover).min(h));
                Self::filling([(w - shown_w) / 2.0, (h - shown_h) / 2.0, shown_w, shown_h], canvas)
            }
            Fit::Pad => {
                let scaled = scaled(size, contain, canvas);
                let offset = ((canvas.0 - scaled.0) / 2, (canvas.1 - scaled.1) / 2);
                Self { source: whole, scaled, offset, canvas }
            }
        }
    }

    fn filling(source: [f64; 4], canvas: (u32, u32)) -> Self {
        Self { source, scaled: canvas, offset: (0, 0), canvas }
    }

    /// The map from the picture's pixels to the variant's, from the actual (rounded) sizes.
    pub(crate) fn affine(&self) -> Affine {
        let [left, top, width, height] = self.source;
        let (sx, sy) = (f64::from(self.scaled.0) / width, f64::from(self.scaled.1) / height);
        let (x, y) = (f64::from(self.offset.0), f64::from(self.offset.1));
        Affine::scale_then_move(sx, sy, x - left * sx, y - top * sy)
    }
}

/// `size` times `scale`, rounded, at least 1 and at most the box.
fn scaled(size: (u32, u32), scale: f64, (max_w, max_h): (u32, u32)) -> (u32, u32) {
    let side = |side: u32, max: u32| (f64::from(side) * scale).round().clamp(1.0, f64::from(max)) as u32;
    (side(size.0, max_w), side(size.1, max_h))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place(spec: &str, size: (u32, u32)) -> Placement {
        Placement::new(spec.parse().expect("a valid spec"), size)
    }

    #[test]
    fn fits_do_what_their_names_say() {
        // 4000x3000 in 1920x1080: limited by height, 4000·0.36 = 1440.
        assert_eq!(place("1080p", (4000, 3000)).canvas, (1440, 1080));
        assert_eq!(place("1080p", (640, 480)).canvas, (640, 480), "never enlarged");
        assert_eq!(place("360p", (65_535, 1)).canvas, (640, 1), "at least one pixel");

        let pad = place("800x600", (400, 100));
        assert_eq!((pad.scaled, pad.offset, pad.canvas), ((800, 200), (0, 200), (800, 600)));

        // Cover 800x600 with 1000x1000: 0.8, so 1000x750 of it are shown, 125 cut off above and below.
        let crop = place("800x600:crop", (1000, 1000));
        assert_eq!((crop.source, crop.canvas), ([0.0, 125.0, 1000.0, 750.0], (800, 600)));
        assert_eq!(crop.affine(), Affine([0.8, 0.0, 0.0, 0.0, 0.8, -100.0]));

        let stretch = place("10x20:stretch", (100, 100)).affine();
        assert_eq!(stretch, Affine([0.1, 0.0, 0.0, 0.0, 0.2, 0.0]));
    }

    proptest! {
        #[test]
        fn the_shown_part_lands_exactly_on_its_place(
            w in 1..=65_535u32, h in 1..=65_535u32, bw in 1..=16_384u32, bh in 1..=16_384u32, fit in 0..4usize,
        ) {
            let spec = match fit {
                0 => "720p".to_owned(),
                1 => format!("{bw}x{bh}"),
                2 => format!("{bw}x{bh}:crop"),
                _ => format!("{bw}x{bh}:stretch"),
            };
            let placement = place(&spec, (w, h));
            let [left, top, width, height] = placement.source;
            prop_assert!(left >= 0.0 && top >= 0.0 && width > 0.0 && height > 0.0);
            prop_assert!(left + width <= f64::from(w) + 1e-6 && top + height <= f64::from(h) + 1e-6);
            prop_assert!(placement.offset.0 + placement.scaled.0 <= placement.canvas.0);
            prop_assert!(placement.offset.1 + placement.scaled.1 <= placement.canvas.1);

            let affine = placement.affine();
            let near = |a: f64, b: u32| (a - f64::from(b)).abs() < 1e-6 * (1.0 + f64::from(b));
            let (x0, y0) = affine.apply(left, top);
            let (x1, y1) = affine.apply(left + width, top + height);
            prop_assert!(near(x0, placement.offset.0) && near(y0, placement.offset.1), "{x0} {y0}");
            prop_assert!(near(x1, placement.offset.0 + placement.scaled.0), "{x1}");
            prop_assert!(near(y1, placement.offset.1 + placement.scaled.1), "{y1}");
        }

        #[test]
        fn aspect_ratio_is_kept_to_half_a_pixel(w in 1..=65_535u32, h in 1..=65_535u32) {
            let (out_w, out_h) = place("1080p", (w, h)).canvas;
            prop_assert!(out_w <= 1920 || out_w == w);
            prop_assert!(out_w <= w && out_h <= h);
            let scale = (1920.0 / f64::from(w)).min(1080.0 / f64::from(h)).min(1.0);
            for (side, out) in [(w, out_w), (h, out_h)] {
                let exact = f64::from(side) * scale;
                prop_assert!((exact - f64::from(out)).abs() <= 0.5 + 1e-9 || out == 1);
            }
        }
    }
}
