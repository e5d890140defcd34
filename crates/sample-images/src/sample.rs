//! What a sample is, for those who check the result.

/// One file that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The file's path below the folder, with `/` between its parts.
    pub name: String,
    /// What it shows, for people: "EXIF orientation 6".
    pub about: &'static str,
    /// What the pipeline should make of it.
    pub expected: Expected,
}

/// What the pipeline should make of a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// It becomes an image of its own.
    Image,
    /// It decodes, and shows what another sample shows: byte for byte, or compressed anew.
    Duplicate {
        /// The other sample's name.
        of: String,
    },
    /// It is refused with a reason.
    Rejected,
}
