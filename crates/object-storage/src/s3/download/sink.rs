//! The new file that a download goes into.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::Path;

use sha2::Digest as _;
use tokio::sync::mpsc::Receiver;
use types::Sha256;

use super::Batch;
use crate::{Downloaded, StorageError};

/// A file, and the digest of what is in it.
pub(super) struct Sink {
    file: File,
    sha256: sha2::Sha256,
    pub(super) bytes: u64,
}

/// Writes and digests batches until no more can come, into the file that an earlier try has used or else into a new one.
///
/// It does so in one thread of the blocking pool, so that the caller receives meanwhile and a small object costs one trip
/// there. Where this future is dropped, so is who sends, and the thread ends.
pub(super) async fn fill(
    used: Option<Sink>,
    path: &Path,
    mut batches: Receiver<Batch>,
) -> Result<Sink, StorageError> {
    let new = path.to_owned();
    let filled = tokio::task::spawn_blocking(move || {
        let mut sink = match used {
            Some(used) => used.emptied()?,
            None => Sink::over(File::create_new(new)?),
        };
        while let Some(batch) = batches.blocking_recv() {
            sink.write(&batch)?;
        }
        Ok(sink)
    });
    let filled = filled.await.unwrap_or_else(|panicked| Err(io::Error::other(panicked)));
    filled.map_err(StorageError::local(path))
}

impl Sink {
    fn over(empty: File) -> Self {
        Self { file: empty, sha256: sha2::Sha256::new(), bytes: 0 }
    }

    fn emptied(mut self) -> io::Result<Self> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        Ok(Self::over(self.file))
    }

    fn write(&mut self, batch: &Batch) -> io::Result<()> {
        let first = self.bytes == 0;
        for chunk in batch {
            self.file.write_all(chunk)?;
            self.sha256.update(chunk);
            self.bytes += chunk.len() as u64;
        }
        if first {
            fail::fail_point!("download_middle");
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Downloaded {
        Downloaded { bytes: self.bytes, sha256: Sha256::from_bytes(self.sha256.finalize().into()) }
    }
}
