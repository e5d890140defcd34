//! The decoder, from the file's headers on.

use crate::entropy::segments::Segments;
use crate::header::{Cursor, Frame, Header, Scan};
use crate::layout::{Layout, Scales};
use crate::render::Renderer;
use crate::{Irregular, Pixels, PlaneBuf, Scale, progressive, sequential};

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
    let (coded, layout) = Coded::open(data, Scales::Pixels(scale))?;
    let pixels = if layout.components.len() == 1 { Pixels::Gray } else { pixels };
    let (width, height) = layout.size;
    let mut samples = vec![0; width * height * pixels.bytes()];
    coded.render(&layout, &mut Renderer::of_pixels(&layout, scale, pixels, &mut samples))?;
    Ok(Picture { width, height, pixels, samples })
}

/// As [`decode`], to samples as they are stored: luminance, and blue and red chrominance where there are colours, each as
/// large as the file has it, at the scale that is given for it.
///
/// # Errors
/// As there.
pub fn decode_planes(data: &[u8], luma: Scale, chroma: Scale) -> Result<Vec<PlaneBuf>, Irregular> {
    let (coded, layout) = Coded::open(data, Scales::Apart(luma, chroma))?;
    let mut renderer = Renderer::of_planes(&layout);
    coded.render(&layout, &mut renderer)?;
    Ok(renderer.into_planes())
}

/// A file whose headers were read, to the first coded data.
struct Coded<'a> {
    input: Input<'a>,
    frame: Frame,
    first: Scan,
}

impl<'a> Coded<'a> {
    fn open(data: &'a [u8], scales: Scales) -> Result<(Self, Layout), Irregular> {
        let cursor = Cursor::new(data)?;
        let mut input = Input { cursor, header: Header::default(), segments: Segments::default() };
        let first = input.next_scan()?.ok_or(Irregular("no scan"))?;
        let frame = input.header.checked_frame()?;
        let layout = Layout::new(&input.header, &frame, scales)?;
        Ok((Self { input, frame, first }, layout))
    }

    fn render(mut self, layout: &Layout, renderer: &mut Renderer<'_>) -> Result<(), Irregular> {
        if self.frame.progressive {
            progressive::decode(&mut self.input, &self.frame, layout, self.first, renderer)
        } else {
            sequential::decode(&mut self.input, layout, &self.first, renderer)
        }
    }
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
