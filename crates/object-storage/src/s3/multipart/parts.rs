//! The parts of a file, and the pass over it that digests them and the whole.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use sha2::Digest as _;
use tokio::sync::mpsc::Sender;
use types::Sha256;

use super::super::upload::BUFFER;
use super::Source;
use crate::StorageError;

/// The size of a part, unless that makes too many.
const PART: u64 = 8 << 20;

/// S3's limit.
const MAX_PARTS: u64 = 10_000;

/// A part that is ready to be sent.
pub(super) struct Part {
    pub(super) number: i32,
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) crc32: u32,
}

/// Passes every part on as soon as it has its checksum, and at the end gives the digest of the whole: one pass over the
/// file, in a thread of the blocking pool, while the parts before are sent.
pub(super) async fn digest(from: Source<'_>, ready: Sender<Part>) -> Result<Sha256, StorageError> {
    let (path, length) = (from.path.to_owned(), from.length);
    let digested = tokio::task::spawn_blocking(move || digest_file(&path, length, &ready));
    let digest = digested.await.unwrap_or_else(|panicked| Err(io::Error::other(panicked)));
    digest.map_err(StorageError::local(from.path))
}

fn digest_file(path: &Path, length: u64, ready: &Sender<Part>) -> io::Result<Sha256> {
    let mut file = File::open(path)?;
    let mut whole = sha2::Sha256::new();
    let mut buffer = vec![0; BUFFER];
    for (number, offset, length) in ranges(length) {
        let mut crc32 = crc32fast::Hasher::new();
        let mut left = length;
        while left > 0 {
            let piece = usize::try_from(left).map_or(BUFFER, |left| left.min(BUFFER));
            let piece = &mut buffer[..piece];
            file.read_exact(piece)?;
            crc32.update(piece);
            whole.update(&*piece);
            left -= piece.len() as u64;
        }
        let part = Part { number, offset, length, crc32: crc32.finalize() };
        if ready.blocking_send(part).is_err() {
            return Err(io::Error::other("nobody sends the parts any more"));
        }
    }
    Ok(Sha256::from_bytes(whole.finalize().into()))
}

/// Number, offset and length of each part.
fn ranges(length: u64) -> impl Iterator<Item = (i32, u64, u64)> {
    let part = PART.max(length.div_ceil(MAX_PARTS));
    (1..)
        .zip((0..length.div_ceil(part)).map(move |index| index * part))
        .map(move |(number, offset)| (number, offset, part.min(length - offset)))
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use tokio::sync::mpsc;

    use super::{Source, digest, ranges};
    use crate::StorageError;

    const MIB: u64 = 1 << 20;

    #[tokio::test]
    async fn parts_are_ready_with_their_checksums_and_the_whole_with_its_digest() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("zeros");
        File::create(&path)?.set_len(8 * MIB + 1)?;
        let from = Source { path: &path, length: 8 * MIB + 1 };
        let (ready, mut parts) = mpsc::channel(2);
        // Python: hashlib.sha256(bytes((8 << 20) + 1)).hexdigest()
        let digest = digest(from, ready).await?.to_hex();
        assert_eq!(digest, "4459f957d031a8b782dfee09d2c7070a4b5e6c33130a8f20ac35393fd97fc57a");
        // Python: zlib.crc32(bytes(8 << 20)), zlib.crc32(bytes(1))
        for (offset, crc32) in [(0, 0x1ad2_bc45), (8 * MIB, 0xd202_ef8d)] {
            let part = parts.recv().await.map(|part| (part.offset, part.crc32));
            assert_eq!(part, Some((offset, crc32)));
        }
        assert!(parts.recv().await.is_none());
        Ok(())
    }

    #[tokio::test]
    async fn file_that_has_become_shorter_is_not_sent() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("short");
        File::create(&path)?.set_len(MIB)?;
        let (ready, mut parts) = mpsc::channel(1);
        let refused = digest(Source { path: &path, length: MIB + 1 }, ready).await;
        assert!(matches!(refused, Err(StorageError::Local { .. })), "{refused:?}");
        assert!(parts.recv().await.is_none());
        Ok(())
    }

    #[test]
    fn parts_cover_the_file() {
        let parts: Vec<_> = ranges(20 * MIB + 1).collect();
        assert_eq!(parts, [(1, 0, 8 * MIB), (2, 8 * MIB, 8 * MIB), (3, 16 * MIB, 4 * MIB + 1)]);
    }

    #[test]
    fn huge_files_have_no_more_parts_than_allowed() {
        // 5 TiB, the largest object that S3 takes.
        let parts: Vec<_> = ranges(5 << 40).collect();
        assert!(parts.len() <= 10_000, "{}", parts.len());
        assert_eq!(parts.iter().map(|(_, _, length)| length).sum::<u64>(), 5 << 40);
    }
}
