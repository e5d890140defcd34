//! One image, start to end (L0): sniff → limits → decode → orient → colour → resize → encode.
//!
//! Input bytes are hostile until proven otherwise. The kind of file is told by its first bytes alone; every
//! bound of [`Limits`] is checked before the memory in question is allocated; decoding is strict (data that
//! ends early or contradicts itself is refused, never patched with grey); a panic inside a decoder becomes
//! [`ImageError::Codec`]. Nothing here does I/O, and equal inputs give equal bytes.
//!
//! Choices that the pictures depend on:
//! - **First picture only**: the first frame of GIF, WebP and APNG, the first page of TIFF, the first image of MPO.
//! - **Orientation** comes from EXIF (TIFF: its own IFD; PNG: eXIf, else ImageMagick's text chunk) and is baked in;
//!   XMP is not consulted. Outputs carry no
//!   EXIF, no orientation and no profile.
//! - **Colour**: an embedded ICC profile that fits the pixels is converted to sRGB with its perceptual intent, but for
//!   one that moves none of a lattice of colours by more than a step;
//!   one that is broken or of the wrong class is ignored. CMYK without a usable profile is converted by
//!   `r = (255 - k) - c·(255 - k)/255`, as Pillow does; CMYK JPEGs are taken as Adobe-inverted, as Pillow does.
//! - **16-bit samples** become 8-bit by rounding: `(v·255 + 32 895) >> 16`, the nearest of `v/257`.
//! - **Resizing** is Lanczos3 in gamma-encoded sRGB with premultiplied alpha; from JPEG to JPEG, where no colour has to be
//!   converted, luminance and chrominance are resized apart, without the way over red, green and blue. The original is
//!   decoded once: a JPEG at 1/2, 1/4 or 1/8 where that still covers every variant. A variant is made from the smallest
//!   larger variant that covers it, else from the decoded original.
//! - **Channels**: an alpha channel that is 255 throughout counts as none. Outputs are RGB, or RGBA where alpha
//!   is kept and present; grey originals become RGB.
//! - **An image without its end mark** (JPEG EOI, PNG IEND) is truncated: what is missing cannot be told from a
//!   lost last scan. Bytes after the end mark are ignored. A GIF may lack its trailer, at a block boundary.

mod animation;
mod colour;
mod decode;
mod encode;
mod error;
mod exif;
mod format;
mod geometry;
mod inspect;
mod jpeg;
mod layer;
mod limits;
mod normalize;
mod orient;
mod picture;
mod planar;
mod png;
mod raster;
mod reduction;
mod resample;
mod resize;
mod stock;

pub use decode::{Original, Probe, probe};
pub use error::ImageError;
pub use format::ImageFormat;
pub use inspect::{Inspection, inspect};
pub use limits::Limits;
pub use normalize::{Normalized, Normalizer, Rendition, memory_needed, normalize};
