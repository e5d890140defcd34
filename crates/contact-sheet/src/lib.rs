//! Contact sheets (L1): samples with their annotations burnt in, on one picture that a person looks at.
//!
//! Each cell is a rendition of the sample like any other: `imaging` makes it, and annotations follow its affine map. So
//! what is wrong in the data is wrong on the sheet, and nothing on the sheet is a drawing of its own.
//!
//! Equal samples give equal bytes. Text that the font does not have (it has Latin) is drawn as replacement signs.

mod error;
mod palette;
mod shapes;
mod sheet;
mod text;
mod tile;

pub use error::SheetError;
pub use sheet::{Layout, MAX_PIXELS, Sheet};
pub use tile::Tile;

#[cfg(test)]
mod tests;
