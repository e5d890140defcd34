//! The work itself, the same in a worker and in this process.

use std::fs::File;
use std::io::{Read, Write};

use imaging::{Inspection, Limits, Normalizer, Probe};
use serde::{Deserialize, Serialize};
use types::{Affine, NormalizationPolicy, Orientation, RejectReason, Sha256};

/// A variant that was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// The map from the upright original's pixels to this variant's.
    pub affine: Affine,
    /// Length of the file.
    pub bytes: u64,
    /// Digest of the file.
    pub sha256: Sha256,
}

/// An original whose variants were written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rendered {
    /// Width of the upright original, in pixels.
    pub width: u32,
    /// Height of the upright original, in pixels.
    pub height: u32,
    /// How the stored pixels were turned.
    pub orientation: Orientation,
    /// One per size of the policy, in the policy's order.
    pub variants: Vec<Variant>,
}

/// The answer to a picture, or why it is refused.
pub(crate) type Verdict<T> = Result<T, RejectReason>;

/// Works on one picture after another, keeping codecs and memory between them.
#[derive(Debug, Default)]
pub(crate) struct Executor {
    normalizer: Normalizer,
    limits: Limits,
    data: Vec<u8>,
}

impl Executor {
    /// The largest file whose memory is kept for the next.
    const MAX_KEPT: usize = 8 << 20;

    /// Reads `bytes` from the beginning of a file, at most the limit, and its headers.
    pub(crate) fn open(
        &mut self,
        mut file: &File,
        bytes: u64,
        limits: Limits,
    ) -> std::io::Result<Verdict<Probe>> {
        self.limits = limits;
        if self.data.capacity() > Self::MAX_KEPT {
            self.data = Vec::new();
        }
        // One byte more than allowed is enough to be told so.
        let length = bytes.min(limits.max_bytes.saturating_add(1));
        self.data.resize(usize::try_from(length).map_err(std::io::Error::other)?, 0);
        file.read_exact(&mut self.data)?;
        Ok(imaging::probe(&self.data, &limits).map_err(|error| error.reason()))
    }

    /// See [`imaging::inspect`].
    pub(crate) fn inspect(&self) -> Verdict<Inspection> {
        imaging::inspect(&self.data, &self.limits).map_err(|error| error.reason())
    }

    /// Writes each variant to its file.
    pub(crate) fn normalize(
        &mut self,
        policy: &NormalizationPolicy,
        files: &[File],
    ) -> std::io::Result<Verdict<Rendered>> {
        if files.len() != policy.sizes().iter().len() {
            return Err(std::io::Error::other("not as many files as sizes"));
        }
        let made = match self.normalizer.normalize(&self.data, policy, &self.limits) {
            Ok(made) => made,
            Err(error) => return Ok(Err(error.reason())),
        };
        let mut variants = Vec::with_capacity(made.renditions.len());
        for (rendition, mut file) in made.renditions.iter().zip(files) {
            file.write_all(&rendition.bytes)?;
            variants.push(Variant {
                width: rendition.width,
                height: rendition.height,
                affine: rendition.affine,
                bytes: rendition.bytes.len() as u64,
                sha256: Sha256::of(&rendition.bytes),
            });
        }
        let (width, height, orientation) = (made.width, made.height, made.orientation);
        Ok(Ok(Rendered { width, height, orientation, variants }))
    }
}
