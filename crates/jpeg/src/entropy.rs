//! Coded data: bits, codes, and where they come from.

pub(crate) mod bits;
pub(crate) mod huffman;
pub(crate) mod pairs;
pub(crate) mod reader;
pub(crate) mod segments;
