//! Repeatable chance: a small generator, smooth noise and a sine.

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A seed for [`noise`].
    pub(crate) fn seed(&mut self) -> u32 {
        (self.next() >> 32) as u32
    }

    /// A number in `from..to`.
    pub(crate) fn between(&mut self, from: f32, to: f32) -> f32 {
        let unit = (self.next() >> 40) as f32 / (1 << 24) as f32;
        from + (to - from) * unit
    }

    /// One of `choices`, which must not be empty.
    pub(crate) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[(self.next() % choices.len() as u64) as usize]
    }
}

/// A sine of `turns` (1 is a full circle), within 0.002: Bhaskara's formula.
///
/// The standard library's differs between platforms in the last bit, and the files must not.
pub(crate) fn wave(turns: f32) -> f32 {
    let phase = turns - turns.floor();
    let half = (phase * 2.0) % 1.0;
    let hump = half * (1.0 - half);
    let value = 16.0 * hump / (5.0 - 4.0 * hump);
    if phase < 0.5 { value } else { -value }
}

/// Smooth noise in 0..1 with features of about 1 in size.
pub(crate) fn noise(seed: u32, x: f32, y: f32) -> f32 {
    let (column, row) = (floor(x), floor(y));
    let (fx, fy) = (smooth(x - column as f32), smooth(y - row as f32));
    let top = lattice(seed, column, row) * (1.0 - fx) + lattice(seed, column + 1, row) * fx;
    let bottom = lattice(seed, column, row + 1) * (1.0 - fx) + lattice(seed, column + 1, row + 1) * fx;
    top * (1.0 - fy) + bottom * fy
}

/// Noise with finer noise upon it, in 0..1.
pub(crate) fn rough(seed: u32, x: f32, y: f32, octaves: u32) -> f32 {
    let (mut sum, mut weight, mut scale) = (0.0, 0.0, 1.0);
    for octave in 0..octaves {
        sum += noise(seed.wrapping_add(octave), x * scale, y * scale) / scale;
        weight += 1.0 / scale;
        scale *= 2.0;
    }
    sum / weight
}

/// Faster than `f32::floor` where the processor has no instruction for it.
fn floor(value: f32) -> i32 {
    let cut = value as i32;
    if (cut as f32) > value { cut - 1 } else { cut }
}

fn smooth(t: f32) -> f32 {
    t * t * (3.0 - 2.0 * t)
}

/// The noise at a whole-numbered place.
fn lattice(seed: u32, x: i32, y: i32) -> f32 {
    let mut hash = seed ^ (x as u32).wrapping_mul(0x9e37_79b1) ^ (y as u32).wrapping_mul(0x85eb_ca77);
    hash = (hash ^ (hash >> 15)).wrapping_mul(0x2c1b_3c6d);
    hash = (hash ^ (hash >> 12)).wrapping_mul(0x297a_2d39);
    hash ^= hash >> 15;
    (hash >> 8) as f32 / (1 << 24) as f32
}
