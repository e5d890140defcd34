//! Pictures of the original at several sizes, each smaller one made from a larger.

use types::Orientation;

use crate::ImageError;
use crate::geometry::Placement;
use crate::picture::{Picture, Tools};
use crate::raster::byte_len;

/// Where a picture shows a point of the upright original: at `point · scale + shift`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct View {
    scale: (f64, f64),
    shift: (f64, f64),
}

impl View {
    /// Of an original of `stored` pixels of which so many, across and down, were decoded to one, and that was then
    /// turned.
    ///
    /// Decoding rounds the size up, so the last column stands for less than a whole pixel; turning may bring it to
    /// the front.
    pub(crate) fn decoded(divisor: (u32, u32), stored: (u32, u32), orientation: Orientation) -> Self {
        let surplus = |side: u32, divisor: u32| {
            f64::from(side.div_ceil(divisor)) - f64::from(side) / f64::from(divisor)
        };
        let surplus = (surplus(stored.0, divisor.0), surplus(stored.1, divisor.1));
        let divisor = orientation.oriented_size(divisor);
        let shift = match orientation {
            Orientation::Upright | Orientation::Transpose => (0.0, 0.0),
            Orientation::FlipHorizontal => (surplus.0, 0.0),
            Orientation::Rotate180 => surplus,
            Orientation::FlipVertical => (0.0, surplus.1),
            Orientation::Rotate90 => (surplus.1, 0.0),
            Orientation::Transverse => (surplus.1, surplus.0),
            Orientation::Rotate270 => (0.0, surplus.0),
        };
        Self { scale: (1.0 / f64::from(divisor.0), 1.0 / f64::from(divisor.1)), shift }
    }

    /// Of the part that a placement shows.
    pub(crate) fn of(placement: &Placement) -> Self {
        let [left, top, width, height] = placement.source;
        let scale = (f64::from(placement.scaled.0) / width, f64::from(placement.scaled.1) / height);
        Self { scale, shift: (-left * scale.0, -top * scale.1) }
    }

    /// Of chrominance that two pixels share, across and down, beginning so many pixels before this.
    pub(crate) fn halved(self, before: (u32, u32)) -> Self {
        let shift = (self.shift.0 + f64::from(before.0), self.shift.1 + f64::from(before.1));
        Self { scale: (self.scale.0 / 2.0, self.scale.1 / 2.0), shift: (shift.0 / 2.0, shift.1 / 2.0) }
    }

    /// Where a part of the original (left, top, width, height) is shown.
    pub(crate) fn window(&self, [left, top, width, height]: [f64; 4]) -> [f64; 4] {
        let (x, y) = (left * self.scale.0 + self.shift.0, top * self.scale.1 + self.shift.1);
        [x, y, width * self.scale.0, height * self.scale.1]
    }
}

/// A picture of the original, or of a part of it.
#[derive(Debug)]
pub(crate) struct Layer<P> {
    pub(crate) picture: P,
    pub(crate) view: View,
}

impl<P: Picture> Layer<P> {
    /// The part that `placement` shows, at its size: made from the smallest of `layers` from which that takes no
    /// enlarging, and put beside them. The first one is the decoded original, from which anything can be made.
    pub(crate) fn scaled<'a>(
        layers: &'a mut Vec<Self>,
        placement: &Placement,
        tools: &mut Tools,
    ) -> Result<&'a P, ImageError> {
        let mut best = Self::smallest_for(layers, placement);
        if !layers[best].shows_just(placement) {
            let Self { picture, view } = &layers[best];
            let picture = picture.scaled(view, placement, tools)?;
            best = layers.len();
            layers.push(Self { picture, view: View::of(placement) });
        }
        Ok(&layers[best].picture)
    }

    fn smallest_for(layers: &[Self], placement: &Placement) -> usize {
        // What was enlarged once shows less than the original does.
        let (most_x, most_y) = layers[0].view.scale;
        let genuine = |layer: &Self| layer.view.scale.0 <= most_x && layer.view.scale.1 <= most_y;
        let fitting =
            (0..layers.len()).filter(|index| genuine(&layers[*index]) && layers[*index].covers(placement));
        fitting.min_by_key(|index| byte_len(layers[*index].picture.size(), 1)).unwrap_or(0)
    }

    fn shows_just(&self, placement: &Placement) -> bool {
        let (width, height) = self.picture.size();
        let all = [0.0, 0.0, f64::from(width), f64::from(height)];
        placement.scaled == (width, height) && self.view.window(placement.source) == all
    }

    fn covers(&self, placement: &Placement) -> bool {
        const ROUNDING: f64 = 1e-6;
        let [left, top, width, height] = self.view.window(placement.source);
        let (across, down) = (f64::from(self.picture.size().0), f64::from(self.picture.size().1));
        let inside = left >= -ROUNDING
            && top >= -ROUNDING
            && left + width <= across + ROUNDING
            && top + height <= down + ROUNDING;
        inside && width >= f64::from(placement.scaled.0) && height >= f64::from(placement.scaled.1)
    }
}

/// A window without what rounding put outside the picture.
pub(crate) fn within([left, top, width, height]: [f64; 4], (across, down): (u32, u32)) -> [f64; 4] {
    // The resizer adds start and length up again, which must not round up past the edge.
    let room = |side: u32, start: f64| match start {
        0.0 => f64::from(side),
        _ => (f64::from(side) - start).next_down(),
    };
    let (left, top) = (left.max(0.0), top.max(0.0));
    [left, top, width.min(room(across, left)), height.min(room(down, top))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::{Channels, Raster};

    fn layer(size: (u32, u32), view: View) -> Layer<Raster> {
        let samples = vec![0; byte_len(size, 1) as usize];
        Layer { picture: Raster::new(size, Channels::Gray, samples).expect("fits"), view }
    }

    fn place(spec: &str) -> Placement {
        Placement::new(spec.parse().expect("a valid spec"), (100, 80))
    }

    #[test]
    fn variants_are_made_from_the_smallest_that_covers_them() {
        let whole = View::decoded((1, 1), (100, 80), Orientation::Upright);
        let made = |spec: &str| layer(place(spec).scaled, View::of(&place(spec)));
        let layers = [layer((100, 80), whole), made("50x40"), made("25x20"), made("60x60:crop")];
        let source = |spec: &str| layers[Layer::smallest_for(&layers, &place(spec))].picture.size();
        assert_eq!(source("20x20"), (25, 20));
        assert_eq!(source("30x30"), (50, 40));
        assert_eq!(source("90x90"), (100, 80));
        assert_eq!(source("21x20:stretch"), (25, 20));
        assert_eq!(source("26x20:stretch"), (50, 40), "both sides must be covered");
        assert_eq!(source("30x40:crop"), (50, 40), "a crop is a part of the whole");
        assert_eq!(source("45x50:crop"), (60, 60), "or of a wider crop");
        assert_eq!(source("70x50:crop"), (100, 80), "a square crop does not hold a wide one");

        let small = [layer((100, 80), whole), made("200x160:stretch"), made("50x100:stretch")];
        let source = |spec: &str| small[Layer::smallest_for(&small, &place(spec))].picture.size();
        assert_eq!(source("100x80"), (100, 80), "what was enlarged is no source");
        assert_eq!(source("150x120:stretch"), (100, 80), "not even for what is enlarged too");
        assert_eq!(source("40x90:stretch"), (100, 80), "nor what was enlarged on one side");
    }

    #[test]
    fn turning_brings_the_partial_column_to_the_front() {
        // Stored 5x3 at one half is 3x2, of which the last column and row are half there.
        let window = |orientation: Orientation| {
            let (width, height) = orientation.oriented_size((5, 3));
            let whole = [0.0, 0.0, f64::from(width), f64::from(height)];
            View::decoded((2, 2), (5, 3), orientation).window(whole)
        };
        for (tag, expected) in [
            (1, [0.0, 0.0, 2.5, 1.5]),
            (2, [0.5, 0.0, 2.5, 1.5]),
            (3, [0.5, 0.5, 2.5, 1.5]),
            (4, [0.0, 0.5, 2.5, 1.5]),
            (5, [0.0, 0.0, 1.5, 2.5]),
            (6, [0.5, 0.0, 1.5, 2.5]),
            (7, [0.5, 0.5, 1.5, 2.5]),
            (8, [0.0, 0.5, 1.5, 2.5]),
        ] {
            assert_eq!(window(Orientation::from(tag)), expected, "orientation {tag}");
        }
    }
}
