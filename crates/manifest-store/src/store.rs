//! The seam, one trait per concern.

pub(crate) mod catalogue;
pub(crate) mod claims;
pub(crate) mod history;
pub(crate) mod versions;
