//! A file's content into another or nowhere, digested on the way.

use std::fs::File;
use std::io::{self, Read as _, Write};

use object_storage::StorageError;
use sha2::Digest as _;
use tokio_util::sync::CancellationToken;
use types::Sha256;

/// Stays in the processor's cache between the copy in, the digest and the copy out.
const BUFFER: usize = 128 << 10;

/// What went over.
pub(super) struct Copied {
    pub(super) bytes: u64,
    pub(super) sha256: Sha256,
}

/// Whose fault it was.
#[derive(Debug)]
pub(super) enum CopyError {
    Reading(io::Error),
    Writing(io::Error),
    Stopped,
}

impl CopyError {
    /// In the store's words.
    pub(super) fn told(
        self,
        reading: impl Fn(io::Error) -> StorageError,
        writing: impl Fn(io::Error) -> StorageError,
    ) -> StorageError {
        match self {
            Self::Reading(error) => reading(error),
            Self::Writing(error) => writing(error),
            Self::Stopped => super::cut_short(),
        }
    }
}

pub(super) fn copy(
    from: &mut File,
    to: &mut impl Write,
    stop: &CancellationToken,
) -> Result<Copied, CopyError> {
    let (mut buffer, mut sha256, mut bytes) = (vec![0; BUFFER], sha2::Sha256::new(), 0);
    loop {
        if stop.is_cancelled() {
            return Err(CopyError::Stopped);
        }
        let length = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CopyError::Reading(error)),
        };
        let piece = &buffer[..length];
        to.write_all(piece).map_err(CopyError::Writing)?;
        sha256.update(piece);
        bytes += length as u64;
    }
    Ok(Copied { bytes, sha256: Sha256::from_bytes(sha256.finalize().into()) })
}
