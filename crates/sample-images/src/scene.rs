//! The scenes: what is drawn, in which light and at what size.

pub(crate) mod close;
pub(crate) mod coast;
pub(crate) mod country;
pub(crate) mod hills;
pub(crate) mod town;

use crate::canvas::Canvas;
use crate::light::Light;
use crate::parts;
use crate::random::Random;

/// A way of drawing on a canvas.
pub(crate) type Draw = fn(&mut Canvas, &Light, &mut Random);

/// One picture to be taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shot {
    pub(crate) draw: Draw,
    pub(crate) light: &'static Light,
    /// Width and height in pixels, upright.
    pub(crate) size: (u32, u32),
    /// Places the trees, clouds and houses.
    pub(crate) seed: u64,
    /// What is written on the signpost in the foreground, if there is one.
    pub(crate) sign: Option<&'static str>,
}

impl Shot {
    pub(crate) fn take(&self) -> Canvas {
        let mut canvas = Canvas::new(self.size);
        (self.draw)(&mut canvas, self.light, &mut Random::new(self.seed));
        if let Some(text) = self.sign {
            let (_, tall) = canvas.extent();
            parts::sign(&mut canvas, self.light, (0.19, tall * 0.985), 0.17, text);
        }
        canvas
    }
}
