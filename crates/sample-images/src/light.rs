//! Colours, and the light of the day that they are seen in.

/// Red, green and blue as sRGB codes them, 0 to 1.
pub(crate) type Colour = [f32; 3];

/// The colour written `0xRRGGBB`.
pub(crate) const fn rgb(hex: u32) -> Colour {
    [((hex >> 16) & 0xff) as f32 / 255.0, ((hex >> 8) & 0xff) as f32 / 255.0, (hex & 0xff) as f32 / 255.0]
}

/// `from` at 0, `to` at 1.
pub(crate) fn mix(from: Colour, to: Colour, share: f32) -> Colour {
    let share = share.clamp(0.0, 1.0);
    [0, 1, 2].map(|i| from[i] + (to[i] - from[i]) * share)
}

/// Lighter above 1, darker below.
pub(crate) fn scaled(colour: Colour, factor: f32) -> Colour {
    colour.map(|level| level * factor)
}

/// The hour and the weather.
#[derive(Debug)]
pub(crate) struct Light {
    /// The sky overhead.
    pub(crate) zenith: Colour,
    /// The sky at the horizon, which is also the colour of haze.
    pub(crate) horizon: Colour,
    /// Sun or moon.
    pub(crate) sun: Colour,
    /// Its place, in shares of the width and of the sky's height.
    pub(crate) sun_at: (f32, f32),
    /// What it makes of the colour of things.
    pub(crate) tint: Colour,
    /// How much of the sky is clouded, 0 to 1.
    pub(crate) clouds: f32,
    /// Whether stars show and windows are lit.
    pub(crate) night: bool,
}

impl Light {
    /// How a thing of this colour, written `0xRRGGBB`, looks in this light.
    pub(crate) fn on(&self, hex: u32) -> Colour {
        let colour = rgb(hex);
        [0, 1, 2].map(|i| colour[i] * self.tint[i])
    }

    /// The same, seen through haze.
    pub(crate) fn far(&self, hex: u32, haze: f32) -> Colour {
        mix(self.on(hex), self.horizon, haze)
    }
}

pub(crate) const NOON: Light = Light {
    zenith: rgb(0x2f6fbe),
    horizon: rgb(0xc4dff0),
    sun: rgb(0xfffbe8),
    sun_at: (0.2, 0.2),
    tint: [1.0, 1.0, 0.97],
    clouds: 0.45,
    night: false,
};

pub(crate) const CLEAR: Light = Light {
    zenith: rgb(0x1f5fb8),
    horizon: rgb(0x9fd0ee),
    sun: rgb(0xfffdf0),
    sun_at: (0.82, 0.16),
    tint: [1.0, 1.0, 1.0],
    clouds: 0.18,
    night: false,
};

pub(crate) const GOLDEN: Light = Light {
    zenith: rgb(0x6f93bd),
    horizon: rgb(0xffd89a),
    sun: rgb(0xfff0bf),
    sun_at: (0.74, 0.62),
    tint: [1.0, 0.88, 0.7],
    clouds: 0.35,
    night: false,
};

pub(crate) const DUSK: Light = Light {
    zenith: rgb(0x2b2a5c),
    horizon: rgb(0xf58a5b),
    sun: rgb(0xffd27a),
    sun_at: (0.34, 0.82),
    tint: [0.62, 0.46, 0.52],
    clouds: 0.5,
    night: false,
};

pub(crate) const MIST: Light = Light {
    zenith: rgb(0xa9b4bc),
    horizon: rgb(0xdfe3e2),
    sun: rgb(0xf6f6ee),
    sun_at: (0.6, 0.3),
    tint: [0.84, 0.87, 0.88],
    clouds: 0.75,
    night: false,
};

pub(crate) const NIGHT: Light = Light {
    zenith: rgb(0x070b1f),
    horizon: rgb(0x26365e),
    sun: rgb(0xf4f1dc),
    sun_at: (0.78, 0.24),
    tint: [0.24, 0.28, 0.4],
    clouds: 0.2,
    night: true,
};
