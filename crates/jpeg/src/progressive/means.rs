//! Scans of first coefficients (ITU T.81, G.1.2.1).

use super::Component;
use crate::Irregular;
use crate::decode::Input;
use crate::entropy::bits::Bits;
use crate::entropy::huffman::{Meaning, Table};
use crate::entropy::reader::Reader;
use crate::header::Scan;
use crate::layout::Layout;

/// Decodes a scan.
pub(super) fn decode(
    input: &Input<'_>,
    layout: &Layout,
    scan: &Scan,
    components: &mut [Component],
) -> Result<(), Irregular> {
    let (before, bit) = scan.bits;
    let table =
        |part| if before > 0 { Ok(None) } else { Table::new(input.header.dc(part)?, Meaning::Dc).map(Some) };
    let tables = scan.components.iter().map(table).collect::<Result<Vec<_>, Irregular>>()?;
    // A component that is alone comes in its own blocks, not in MCUs.
    let alone = scan.components.len() == 1;
    let only = &layout.components[scan.components[0].component];
    let (columns, rows) = if alone { only.blocks } else { layout.mcus };
    let mut reader = Reader::new(&input.segments, columns * rows, input.header.restart_interval)?;
    let mut predictions = [0; 3];
    for row in 0..rows {
        for column in 0..columns {
            if reader.next_mcu()? {
                predictions = [0; 3];
            }
            for ((part, table), prediction) in scan.components.iter().zip(&tables).zip(&mut predictions) {
                let (h, v) = if alone { (1, 1) } else { layout.components[part.component].sampling };
                let component = &mut components[part.component];
                for down in 0..v {
                    let start = (row * v + down) * component.across + column * h;
                    for mean in &mut component.means[start..start + h] {
                        match table {
                            Some(table) => *mean = first(&mut reader.bits, table, bit, prediction)?,
                            None => refine(&mut reader.bits, bit, mean),
                        }
                    }
                }
            }
        }
    }
    reader.finish()
}

#[inline]
fn first(bits: &mut Bits<'_>, table: &Table, bit: u32, prediction: &mut i16) -> Result<i16, Irregular> {
    bits.refill();
    let (_, difference) = table.value(bits)?;
    *prediction = prediction.checked_add(difference).ok_or(Irregular("brightness out of range"))?;
    i16::try_from(i32::from(*prediction) << bit).map_err(|_| Irregular("brightness out of range"))
}

#[inline]
fn refine(bits: &mut Bits<'_>, bit: u32, mean: &mut i16) {
    bits.refill();
    *mean |= (bits.take(1) << bit) as i16;
}
