//! Content on its way in: written to a temporary file and digested in one pass.

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::SystemTime;

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
    named().permissions(readable()).tempfile_in(tmp)
}

/// Another name, as a temporary file, for a file that nobody writes to: what it holds need not be copied. It fails on another
/// disk, for example, and where the file has more names than one: by another it may be an object already.
#[expect(clippy::disallowed_methods, reason = "the store's clock says when an object was written")]
pub(crate) fn adopted(file: &Path, tmp: &Path) -> io::Result<NamedTempFile> {
    let ((), path) = named().make_in(tmp, |path| fs::hard_link(file, path))?.into_parts();
    let found = path.symlink_metadata()?;
    if !found.is_file() || found.nlink() != 2 {
        return Err(io::Error::other("not a file with one name"));
    }
    let file = File::open(&path)?;
    file.set_permissions(readable())?;
    file.set_modified(SystemTime::now())?;
    Ok(NamedTempFile::from_parts(file, path))
}

fn named() -> tempfile::Builder<'static, 'static> {
    let mut named = tempfile::Builder::new();
    named.prefix("write-");
    named
}

fn readable() -> Permissions {
    Permissions::from_mode(0o644)
}
