//! Turning stored pixels upright.

use ::jpeg::PlaneBuf;
use types::Orientation;

use crate::ImageError;
use crate::raster::{Channels, Raster};

/// The picture as a viewer shows it (TIFF 6.0 / EXIF 2.32, tag 0x0112).
pub(crate) fn upright(raster: Raster, orientation: Orientation) -> Result<Raster, ImageError> {
    if orientation == Orientation::Upright {
        return Ok(raster);
    }
    let (size, channels) = (orientation.oriented_size(raster.size()), raster.channels());
    let (width, samples) = (raster.size().0 as usize, raster.samples());
    let samples = match channels {
        Channels::Gray => turn::<1>(samples, width, raster.size(), size.0 as usize, orientation),
        Channels::Rgb => turn::<3>(samples, width, raster.size(), size.0 as usize, orientation),
        Channels::Rgbx | Channels::Rgba | Channels::Cmyk => {
            turn::<4>(samples, width, raster.size(), size.0 as usize, orientation)
        }
    };
    Raster::new(size, channels, samples)
}

/// The same of one plane of samples.
pub(crate) fn upright_plane(plane: PlaneBuf, orientation: Orientation) -> PlaneBuf {
    if orientation == Orientation::Upright {
        return plane;
    }
    let size = (plane.width as u32, plane.height as u32);
    let (width, height) = orientation.oriented_size(size);
    let (width, height) = (width as usize, height as usize);
    let stride = PlaneBuf::stride_of(width);
    let samples = turn::<1>(&plane.samples, plane.stride, size, stride, orientation);
    PlaneBuf { width, height, stride, samples }
}

/// Turns a picture of `size` pixels of `N` bytes, of which rows lie `row` pixels apart, to one whose rows lie `stride` apart.
fn turn<const N: usize>(
    samples: &[u8],
    row: usize,
    size: (u32, u32),
    stride: usize,
    orientation: Orientation,
) -> Vec<u8> {
    let (source, _) = samples.as_chunks::<N>();
    let (width, height) = (size.0 as usize, size.1 as usize);
    let (across, down) = orientation.oriented_size(size);
    let (across, down) = (across as usize, down as usize);
    // Which stored pixel an upright one comes from is linear: `start + x·step_x + y·step_y`.
    let (last_x, last_y) = (width - 1, (height - 1) * row);
    let row = row as isize;
    let (start, step_x, step_y) = match orientation {
        Orientation::Upright => (0, 1, row),
        Orientation::FlipHorizontal => (last_x, -1, row),
        Orientation::Rotate180 => (last_y + last_x, -1, -row),
        Orientation::FlipVertical => (last_y, 1, -row),
        Orientation::Transpose => (0, row, 1),
        Orientation::Rotate90 => (last_y, -row, 1),
        Orientation::Transverse => (last_y + last_x, -row, -1),
        Orientation::Rotate270 => (last_x, row, -1),
    };
    let mut turned = vec![0; stride * down * N];
    let (target, _) = turned.as_chunks_mut::<N>();
    // In tiles, because a turned walk otherwise misses the cache at every pixel.
    const TILE: usize = 32;
    for tile_y in (0..down).step_by(TILE) {
        for tile_x in (0..across).step_by(TILE) {
            for y in tile_y..(tile_y + TILE).min(down) {
                for x in tile_x..(tile_x + TILE).min(across) {
                    let from = start as isize + x as isize * step_x + y as isize * step_y;
                    target[y * stride + x] = source[from as usize];
                }
            }
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_orientation_turns_a_letter_as_the_standard_draws_it() {
        // Stored:  a b c      The upright pictures are read off the figure of the eight
        //          d e f      orientations in the TIFF 6.0 specification's terms.
        let cases: [(u16, (u32, u32), &[u8]); 8] = [
            (1, (3, 2), b"abcdef"),
            (2, (3, 2), b"cbafed"),
            (3, (3, 2), b"fedcba"),
            (4, (3, 2), b"defabc"),
            (5, (2, 3), b"adbecf"),
            (6, (2, 3), b"daebfc"),
            (7, (2, 3), b"fcebda"),
            (8, (2, 3), b"cfbead"),
        ];
        for (tag, size, expected) in cases {
            let stored = Raster::new((3, 2), Channels::Gray, b"abcdef".to_vec()).expect("six pixels");
            let turned = upright(stored, Orientation::from(tag)).expect("turns");
            assert_eq!((turned.size(), turned.samples()), (size, expected), "orientation {tag}");
        }
    }
}
