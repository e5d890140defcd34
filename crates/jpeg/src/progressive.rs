//! Progressive files: many scans, each a little of every block, rendered when all is known.

mod band;
mod means;

use crate::Irregular;
use crate::blocks::Block;
use crate::decode::Input;
use crate::header::{Frame, Scan};
use crate::layout::{self, Layout};
use crate::render::Renderer;

/// The coefficients of a block that are not zero, bit 0 being the first in zigzag order.
type Members = u64;

/// What the scans so far have told of a component.
#[derive(Debug)]
struct Component {
    /// Blocks in a row, those outside the picture included.
    across: usize,
    blocks: Vec<Block>,
    /// Their first coefficients: scans of these alone need not go through the blocks, which are 64 times as much.
    means: Vec<i16>,
    members: Vec<Members>,
    /// The lowest bit that is known of each coefficient.
    known: [Option<u32>; 64],
}

/// Decodes all scans, of which the first header was read.
pub(crate) fn decode(
    input: &mut Input<'_>,
    frame: &Frame,
    layout: &Layout,
    first: Scan,
    renderer: &mut Renderer<'_>,
) -> Result<(), Irregular> {
    let mut components: Vec<_> = layout.components.iter().map(|part| Component::new(layout, part)).collect();
    let mut next = Some(first);
    while let Some(scan) = next {
        if input.header.checked_frame()? != *frame {
            return Err(Irregular("colours that change"));
        }
        for part in &scan.components {
            components[part.component].note(&scan)?;
        }
        if scan.band.0 == 0 {
            means::decode(input, layout, &scan, &mut components)?;
        } else {
            band::decode(input, layout, &scan, &mut components)?;
        }
        next = input.next_scan()?;
    }
    if components.iter().any(|component| component.known != [Some(0); 64]) {
        return Err(Irregular("coefficients that were never told to the last bit"));
    }
    render(layout, &mut components, renderer);
    Ok(())
}

fn render(layout: &Layout, components: &mut [Component], renderer: &mut Renderer<'_>) {
    for mcu_row in 0..layout.mcus.1 {
        for (index, (component, part)) in components.iter_mut().zip(&layout.components).enumerate() {
            let (across, strip) = (component.across, component.across * part.sampling.1);
            let blocks = component.blocks[mcu_row * strip..][..strip].chunks_exact_mut(across);
            let means = component.means[mcu_row * strip..][..strip].chunks_exact(across);
            for (row, (blocks, means)) in blocks.zip(means).enumerate() {
                blocks.iter_mut().zip(means).for_each(|(block, mean)| block.0[0] = *mean);
                renderer.transform(index, (mcu_row, row), 0, blocks);
            }
        }
        renderer.write(mcu_row);
    }
}

impl Component {
    fn new(layout: &Layout, part: &layout::Component) -> Self {
        let across = layout.mcus.0 * part.sampling.0;
        let count = across * layout.mcus.1 * part.sampling.1;
        Self {
            across,
            blocks: vec![Block::ZERO; count],
            means: vec![0; count],
            members: vec![0; count],
            known: [None; 64],
        }
    }

    /// Checks that a scan is what comes next (ITU T.81, G.1.1.1), and notes it.
    fn note(&mut self, scan: &Scan) -> Result<(), Irregular> {
        const ODD: Irregular = Irregular("scans in an odd order");
        let ((first, last), (before, bit)) = (scan.band, scan.bits);
        let band = if first == 0 { last == 0 } else { first <= last && last <= 63 };
        if !band || bit > 13 || (before > 0 && before != bit + 1) {
            return Err(ODD);
        }
        let known = (before > 0).then_some(before);
        let coefficients = &mut self.known[first..=last];
        if coefficients.iter().any(|coefficient| *coefficient != known) {
            return Err(ODD);
        }
        coefficients.fill(Some(bit));
        if self.known[0].is_some() { Ok(()) } else { Err(ODD) }
    }
}
