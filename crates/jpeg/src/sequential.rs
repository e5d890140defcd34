//! Sequential files (baseline and extended): one scan, rendered while it is decoded.

mod block;

use pulp::{Arch, Simd, WithSimd};

use crate::Irregular;
use crate::blocks::Block;
use crate::decode::Input;
use crate::entropy::huffman::{Meaning, Table};
use crate::entropy::pairs::PairTable;
use crate::entropy::reader::Reader;
use crate::header::Scan;
use crate::layout::{Component, Layout};
use crate::render::Renderer;

/// MCUs that are decoded before they are transformed: few enough to stay in the first cache, an even number.
const GROUP: usize = 8;

/// Decodes the only scan.
pub(crate) fn decode(
    input: &mut Input<'_>,
    layout: &Layout,
    scan: &Scan,
    renderer: &mut Renderer<'_>,
) -> Result<(), Irregular> {
    if scan.components.len() != layout.components.len() || scan.band != (0, 63) || scan.bits != (0, 0) {
        return Err(Irregular("several sequential scans"));
    }
    let header = &input.header;
    let tables = scan.components.iter().map(|part| {
        let dc = Table::new(header.dc(part)?, Meaning::Dc)?;
        Ok((dc, PairTable::new(header.ac(part)?)?))
    });
    let tables = tables.collect::<Result<Vec<_>, Irregular>>()?;
    let (across, down) = layout.mcus;
    let mut reader = Reader::new(&input.segments, across * down, header.restart_interval)?;
    let arch = Arch::new();
    let group = |part: &Component| vec![Block::ZERO; GROUP * part.sampling.0 * part.sampling.1];
    let mut groups: Vec<_> = layout.components.iter().map(group).collect();
    let mut predictions = [0; 3];
    for mcu_row in 0..down {
        for left in (0..across).step_by(GROUP) {
            let count = GROUP.min(across - left);
            let (reader, groups) = (&mut reader, groups.as_mut_slice());
            arch.dispatch(Group {
                reader,
                layout,
                tables: &tables,
                groups,
                predictions: &mut predictions,
                count,
            })?;
            for (component, (part, group)) in layout.components.iter().zip(&*groups).enumerate() {
                let h = part.sampling.0;
                for (row, blocks) in group.chunks_exact(GROUP * h).enumerate() {
                    renderer.transform(component, (mcu_row, row), left * h, &blocks[..count * h]);
                }
            }
        }
        renderer.write(mcu_row);
    }
    reader.finish()?;
    if input.next_scan()?.is_some() { Err(Irregular("several sequential scans")) } else { Ok(()) }
}

/// Decodes the blocks of a group of MCUs.
struct Group<'a, 'b> {
    reader: &'a mut Reader<'b>,
    layout: &'a Layout,
    tables: &'a [(Table, PairTable)],
    /// Of each component, rows of `GROUP` MCUs.
    groups: &'a mut [Vec<Block>],
    predictions: &'a mut [i16; 3],
    /// MCUs that there are.
    count: usize,
}

impl WithSimd for Group<'_, '_> {
    type Output = Result<(), Irregular>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Self::Output {
        for column in 0..self.count {
            if self.reader.next_mcu()? {
                *self.predictions = [0; 3];
            }
            // A copy, so that it can be kept in registers.
            let mut bits = self.reader.bits;
            let parts = self.layout.components.iter().zip(&mut *self.groups);
            for ((part, group), ((dc, ac), prediction)) in
                parts.zip(self.tables.iter().zip(&mut *self.predictions))
            {
                let (h, v) = part.sampling;
                for row in 0..v {
                    for block in &mut group[(row * GROUP + column) * h..][..h] {
                        *block = Block::ZERO;
                        block::decode(&mut bits, dc, ac, prediction, block)?;
                    }
                }
            }
            self.reader.bits = bits;
        }
        Ok(())
    }
}
