//! The decoder, from the file's headers on.

use crate::entropy::segments::Segments;
use crate::header::{Cursor, Header, Scan};
use crate::layout::Layout;
use crate::render::Renderer;
use crate::{Irregular, Pixels, Scale, progressive, sequential};

/// A decoded picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// In pixels.
    pub width: usize,
    /// In pixels.
    pub height: usize,
    /// What a pixel consists of: [`Pixels::Gray`] where there are no colours.
    pub pixels: Pixels,
    /// Row by row, without gaps.
    pub samples: Vec<u8>,
}

/// Decodes the picture that `data` begins with. `pixels` is wanted of pictures with colours.
///
/// Memory is taken for the size that the header tells (and for progressive files three times as much): check it first.
///
/// # Errors
/// The file is not regular: another decoder must tell whether it is good.
pub fn decode(data: &[u8], scale: Scale, pixels: Pixels) -> Result<Picture, Irregular> {
    let mut input =
        Input { cursor: Cursor::new(data)?, header: Header::default(), segments: Segments::default() };
    let scan = input.next_scan()?.ok_or(Irregular("no scan"))?;
    let frame = input.header.checked_frame()?;
    let layout = Layout::new(&input.header, &frame, scale)?;
    let pixels = if frame.components.len() == 1 { Pixels::Gray } else { pixels };
    let (width, height) = layout.size;
    let mut samples = vec![0; width * height * pixels.bytes()];
    let renderer = Renderer::new(&layout, scale, pixels, &mut samples);
    if frame.progressive {
        progressive::decode(&mut input, &frame, &layout, scan, renderer)?;
    } else {
        sequential::decode(&mut input, &layout, &scan, renderer)?;
    }
    Ok(Picture { width, height, pixels, samples })
}

/// A file that is read, from one scan to the next.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    cursor: Cursor<'a>,
    pub(crate) header: Header,
    /// The coded data of the last scan whose header was read.
    pub(crate) segments: Segments,
}

impl Input<'_> {
    /// Reads to the end of the next scan, or of the image, for which there is no scan.
    pub(crate) fn next_scan(&mut self) -> Result<Option<Scan>, Irregular> {
        let scan = self.header.next_scan(&mut self.cursor)?;
        if scan.is_some() {
            let length = self.segments.fill(self.cursor.rest)?;
            self.cursor.rest = &self.cursor.rest[length..];
        }
        Ok(scan)
    }
}
