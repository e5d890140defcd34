//! From coefficients to samples and pixels, a row of MCUs at a time.

use pulp::{Arch, Simd, WithSimd};

use crate::blocks::Block;
use crate::layout::{Component, Layout};
use crate::rows::Rows;
use crate::transform::{self, Transform, WithTransform};
use crate::{Pixels, PlaneBuf, Scale, colour, upsample};

/// Makes samples of rows of blocks, and pixels of rows of samples.
#[derive(Debug)]
pub(crate) struct Renderer<'a> {
    arch: Arch,
    layout: &'a Layout,
    planes: Vec<Rows>,
    /// `None` where samples are all that is wanted.
    writer: Option<Writer<'a>>,
}

/// Makes pixels of rows of samples.
#[derive(Debug)]
struct Writer<'a> {
    fancy: bool,
    /// Rows of chrominance at full size, and room for sums.
    rows: [Vec<u8>; 2],
    sums: Vec<u16>,
    pixels: Pixels,
    out: &'a mut [u8],
    /// The next row of pixels.
    next: usize,
}

impl<'a> Renderer<'a> {
    /// For samples alone.
    pub(crate) fn of_planes(layout: &'a Layout) -> Self {
        let planes = layout.components.iter().map(|component| {
            let (blocks, block) = (layout.mcus.0 * component.sampling.0, component.scale.block());
            Rows::whole(blocks, block, layout.mcus.1 * component.sampling.1 * block)
        });
        Self { arch: Arch::new(), layout, planes: planes.collect(), writer: None }
    }

    /// The samples of all components.
    pub(crate) fn into_planes(self) -> Vec<PlaneBuf> {
        let sizes = self.layout.components.iter().map(|component| component.size);
        self.planes.into_iter().zip(sizes).map(|(plane, size)| plane.into_buf(size)).collect()
    }

    /// For pixels: `out` has room for all of them.
    pub(crate) fn of_pixels(layout: &'a Layout, smallest: Scale, pixels: Pixels, out: &'a mut [u8]) -> Self {
        let planes = layout.components.iter().map(|component| {
            let rows = component.sampling.1 * component.scale.block();
            Rows::new(layout.mcus.0 * component.sampling.0, 2 * rows.max(8))
        });
        let width = layout.size.0.next_multiple_of(2) + 2;
        let writer = Writer {
            // At an eighth, neighbours are no closer to a sample than its own pixels (libjpeg's rule).
            fancy: smallest != Scale::Eighth,
            rows: [vec![0; width], vec![0; width]],
            sums: vec![0; width],
            pixels,
            out,
            next: 0,
        };
        Self { arch: Arch::new(), layout, planes: planes.collect(), writer: Some(writer) }
    }

    /// Takes blocks of one component, beside each other from `left`, in the given row of a row of MCUs.
    pub(crate) fn transform(
        &mut self,
        component: usize,
        (mcu_row, row): (usize, usize),
        left: usize,
        blocks: &[Block],
    ) {
        let part = &self.layout.components[component];
        let top = (mcu_row * part.sampling.1 + row) * part.scale.block();
        let plane = &mut self.planes[component];
        transform::vectorized(self.arch, Put { plane, part, place: (top, left), blocks });
    }

    /// Writes the rows of pixels that are certain once the row of MCUs was transformed.
    pub(crate) fn write(&mut self, mcu_row: usize) {
        if let Some(writer) = &mut self.writer {
            writer.write(self.arch, self.layout, &self.planes, mcu_row);
        }
    }
}

impl Writer<'_> {
    fn write(&mut self, arch: Arch, layout: &Layout, planes: &[Rows], mcu_row: usize) {
        let end = (mcu_row + 1) * layout.mcu_height;
        // The last one may need what comes below it.
        let certain = if mcu_row + 1 == layout.mcus.1 { layout.size.1 } else { end - 1 };
        for row in self.next..certain.min(layout.size.1) {
            self.row(arch, layout, planes, row);
        }
        self.next = self.next.max(certain);
    }

    fn row(&mut self, arch: Arch, layout: &Layout, planes: &[Rows], row: usize) {
        let width = layout.size.0;
        let out = &mut self.out[row * width * self.pixels.bytes()..][..width * self.pixels.bytes()];
        let [y, cb, cr] = planes else {
            out.copy_from_slice(&planes[0].row(row)[..width]);
            return;
        };
        arch.dispatch(Row {
            layout,
            fancy: self.fancy,
            planes: [y, cb, cr],
            rows: &mut self.rows,
            sums: &mut self.sums,
            pixels: self.pixels,
            row,
            out,
        });
    }
}

/// See [`Renderer::transform`].
struct Put<'a> {
    plane: &'a mut Rows,
    part: &'a Component,
    place: (usize, usize),
    blocks: &'a [Block],
}

impl WithTransform for Put<'_> {
    #[inline(always)]
    fn run(self, transform: impl Transform) {
        self.plane.put(transform, self.place, self.blocks, &self.part.steps, self.part.scale);
    }
}

/// A row of pixels of a picture with colours.
struct Row<'a> {
    layout: &'a Layout,
    fancy: bool,
    planes: [&'a Rows; 3],
    rows: &'a mut [Vec<u8>; 2],
    sums: &'a mut [u16],
    pixels: Pixels,
    row: usize,
    out: &'a mut [u8],
}

impl WithSimd for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let width = self.layout.size.0;
        let ([y, cb, cr], [cb_row, cr_row]) = (self.planes, self.rows);
        let cb = chrominance(self.layout, 1, cb, self.fancy, self.row, self.sums, cb_row);
        let cr = chrominance(self.layout, 2, cr, self.fancy, self.row, self.sums, cr_row);
        let y = &y.row(self.row)[..width];
        match self.pixels {
            Pixels::Gray => self.out.copy_from_slice(y),
            Pixels::Rgb => colour::to_rgb(y, &cb[..width], &cr[..width], self.out.as_chunks_mut().0),
            Pixels::Rgbx => colour::to_rgbx(y, &cb[..width], &cr[..width], self.out.as_chunks_mut().0),
        }
    }
}

/// A row of chrominance, as many samples as there are pixels.
#[inline(always)]
fn chrominance<'a>(
    layout: &Layout,
    component: usize,
    plane: &'a Rows,
    fancy: bool,
    row: usize,
    sums: &mut [u16],
    room: &'a mut [u8],
) -> &'a [u8] {
    let part = &layout.components[component];
    let (width, height) = part.size;
    let own = if part.shared.1 { row / 2 } else { row };
    let near = &plane.row(own)[..width];
    let above = row.is_multiple_of(2);
    let neighbour = if above { own.saturating_sub(1) } else { (own + 1).min(height - 1) };
    match part.shared {
        (false, false) => return near,
        // libjpeg's conditions for weighing.
        (true, false) if fancy && width > 2 => upsample::across(near, room),
        (true, true) if fancy && width > 2 => {
            upsample::both(near, &plane.row(neighbour)[..width], &mut sums[..width], room);
        }
        (false, true) if fancy => upsample::down(near, &plane.row(neighbour)[..width], above, room),
        (false, true) => return near,
        (true, _) => upsample::twice(near, room),
    }
    room
}
