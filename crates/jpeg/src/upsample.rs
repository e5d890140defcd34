//! Chrominance to the size of luminance, by weights of 3/4 and 1/4 ("fancy" in the Independent JPEG Group's library, whose
//! roundings these are).

/// Twice as wide.
#[inline(always)]
pub(crate) fn across(input: &[u8], output: &mut [u8]) {
    let weighted =
        |near: u8, far: u8, rounding: u16| ((3 * u16::from(near) + u16::from(far) + rounding) >> 2) as u8;
    let last = input.len() - 1;
    let (pairs, _) = output.as_chunks_mut::<2>();
    for (pair, window) in pairs[1..].iter_mut().zip(input.windows(3)) {
        *pair = [weighted(window[1], window[0], 1), weighted(window[1], window[2], 2)];
    }
    pairs[0] = [input[0], weighted(input[0], input[1], 2)];
    pairs[last] = [weighted(input[last], input[last - 1], 1), input[last]];
}

/// Twice as high: the row between `near` and `far` that is closer to `near`, above it or below.
#[inline(always)]
pub(crate) fn down(near: &[u8], far: &[u8], above: bool, output: &mut [u8]) {
    let rounding = if above { 1 } else { 2 };
    for ((output, near), far) in output.iter_mut().zip(near).zip(far) {
        *output = ((3 * u16::from(*near) + u16::from(*far) + rounding) >> 2) as u8;
    }
}

/// Twice as wide and as high. `sums` is room for as many numbers as there are in `near`.
#[inline(always)]
pub(crate) fn both(near: &[u8], far: &[u8], sums: &mut [u16], output: &mut [u8]) {
    for ((sum, near), far) in sums.iter_mut().zip(near).zip(far) {
        *sum = 3 * u16::from(*near) + u16::from(*far);
    }
    let last = near.len() - 1;
    let weighted = |near: u16, far: u16, rounding: u16| ((3 * near + far + rounding) >> 4) as u8;
    let (pairs, _) = output.as_chunks_mut::<2>();
    for (pair, window) in pairs[1..].iter_mut().zip(sums[..=last].windows(3)) {
        *pair = [weighted(window[1], window[0], 8), weighted(window[1], window[2], 7)];
    }
    pairs[0] = [((4 * sums[0] + 8) >> 4) as u8, weighted(sums[0], sums[1], 7)];
    pairs[last] = [weighted(sums[last], sums[last - 1], 8), ((4 * sums[last] + 7) >> 4) as u8];
}

/// As it is, each sample twice.
#[inline(always)]
pub(crate) fn twice(input: &[u8], output: &mut [u8]) {
    let (pairs, _) = output.as_chunks_mut::<2>();
    for (pair, sample) in pairs.iter_mut().zip(input) {
        *pair = [*sample; 2];
    }
}
