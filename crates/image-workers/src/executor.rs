//! The work itself, the same in a worker and in this process.

use std::fs::File;
use std::io::{self, Read, Write};

use imaging::{Inspection, Limits, Normalized, Normalizer, Original, Probe};
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

/// What is to be done with a picture.
#[derive(Debug)]
pub(crate) enum Task {
    /// See [`imaging::inspect`].
    Inspect,
    /// Makes the policy's variants, each into its file.
    Normalize(NormalizationPolicy, Vec<File>),
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Done {
    Inspected(Box<Inspection>),
    Normalized(Rendered),
}

/// How far a picture came with the memory that it was given.
#[derive(Debug)]
pub(crate) enum Progress {
    Done(Verdict<Done>),
    /// It would need so many bytes.
    Needs(u64),
}

/// Works on one picture after another, keeping codecs and memory between them.
#[derive(Debug, Default)]
pub(crate) struct Executor {
    normalizer: Normalizer,
    data: Vec<u8>,
}

impl Executor {
    /// The largest file whose memory is kept for the next.
    const MAX_KEPT: usize = 8 << 20;

    /// Reads `bytes` from the beginning of a file, at most the limit, and its headers, and does the work if no more than
    /// `memory` bytes are needed for that.
    pub(crate) fn work(
        &mut self,
        file: &File,
        bytes: u64,
        limits: Limits,
        task: Task,
        memory: u64,
    ) -> io::Result<Progress> {
        self.read(file, bytes, limits.max_bytes)?;
        let original = match Original::open(&self.data, &limits) {
            Ok(original) => original,
            Err(error) => return Ok(Progress::Done(Err(error.reason()))),
        };
        let needed = task.memory_needed(&original.probe());
        if needed > memory {
            return Ok(Progress::Needs(needed));
        }
        task.perform(original, &mut self.normalizer).map(Progress::Done)
    }

    fn read(&mut self, mut file: &File, bytes: u64, limit: u64) -> io::Result<()> {
        if self.data.capacity() > Self::MAX_KEPT {
            self.data = Vec::new();
        }
        // One byte more than allowed is enough to be told so.
        let length = bytes.min(limit.saturating_add(1));
        self.data.resize(usize::try_from(length).map_err(io::Error::other)?, 0);
        file.read_exact(&mut self.data)
    }
}

impl Task {
    fn memory_needed(&self, probe: &Probe) -> u64 {
        match self {
            Self::Inspect => probe.decoded_bytes,
            Self::Normalize(policy, _) => imaging::memory_needed(probe, policy),
        }
    }

    fn perform(self, original: Original<'_>, normalizer: &mut Normalizer) -> io::Result<Verdict<Done>> {
        match self {
            Self::Inspect => Ok(original
                .inspect()
                .map(|facts| Done::Inspected(facts.into()))
                .map_err(|error| error.reason())),
            Self::Normalize(policy, files) => match normalizer.normalize(&original, &policy) {
                Ok(made) => write(made, &files).map(|rendered| Ok(Done::Normalized(rendered))),
                Err(error) => Ok(Err(error.reason())),
            },
        }
    }
}

/// Writes each variant to its file.
fn write(made: Normalized, files: &[File]) -> io::Result<Rendered> {
    if files.len() != made.renditions.len() {
        return Err(io::Error::other("not as many files as sizes"));
    }
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
    Ok(Rendered { width, height, orientation, variants })
}
