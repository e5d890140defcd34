//! Content on its way in: written to a temporary file and digested in one pass.

use std::io::{self, Write as _};
use std::path::Path;

use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::Checksum;
use tempfile::NamedTempFile;

/// A temporary file that is being written. Dropping it removes the file.
pub(crate) struct Incoming {
    file: NamedTempFile,
    size: u64,
    md5: Md5,
    checksums: ChecksumHasher,
}

/// The finished file.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) file: NamedTempFile,
    pub(crate) size: u64,
    pub(crate) md5: [u8; 16],
    pub(crate) checksums: Checksum,
}

impl Incoming {
    /// A new file in `tmp`, digested by MD5 (the ETag) and whatever `checksums` asks for.
    pub(crate) fn create(tmp: &Path, checksums: ChecksumHasher) -> io::Result<Self> {
        Ok(Self { file: temporary(tmp)?, size: 0, md5: Md5::new(), checksums })
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.md5.update(bytes);
        self.checksums.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    pub(crate) fn finish(self) -> Content {
        let Self { file, size, md5, checksums } = self;
        Content { file, size, md5: md5.finalize(), checksums: checksums.finalize() }
    }
}

/// A temporary file that others may read once it is an object: people open these files.
pub(crate) fn temporary(tmp: &Path) -> io::Result<NamedTempFile> {
    use std::os::unix::fs::PermissionsExt as _;
    let readable = std::fs::Permissions::from_mode(0o644);
    tempfile::Builder::new().prefix("write-").permissions(readable).tempfile_in(tmp)
}
