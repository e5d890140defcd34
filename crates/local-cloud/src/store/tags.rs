//! ETag and content type of stored objects, kept beside them.
//!
//! A tag is bound to the stamp (size, mtime, inode) of the file that it describes. Before an object is replaced, its
//! tag file is rewritten to hold both the present and the coming state, so at every instant, a kill included, the
//! file on disk finds its own line; a file changed behind our back finds none and gets an ETag from its stamp.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::bucket::Stamp;

/// What is known about one state of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tag {
    pub(crate) stamp: Stamp,
    pub(crate) etag: String,
    pub(crate) content_type: Option<String>,
}

/// The tags of a bucket.
#[derive(Debug)]
pub(crate) struct Tags {
    dir: PathBuf,
    tmp: PathBuf,
}

impl Tags {
    pub(crate) fn new(dir: PathBuf, tmp: PathBuf) -> Self {
        Self { dir, tmp }
    }

    /// The tag of the object with this digest of its key in the state `stamp`.
    pub(crate) fn read(&self, digest: &str, stamp: Stamp) -> Option<Tag> {
        let text = fs::read_to_string(self.path(digest)).ok()?;
        text.lines().filter_map(parse).find(|tag| tag.stamp == stamp)
    }

    /// Records the coming state beside the present one.
    pub(crate) fn record(&self, digest: &str, present: Option<Tag>, coming: &Tag) -> io::Result<()> {
        let path = self.path(digest);
        let mut file = NamedTempFile::new_in(&self.tmp)?;
        for tag in present.iter().chain([coming]) {
            file.write_all(line(tag).as_bytes())?;
        }
        create_parent(&path)?;
        file.persist(&path).map_err(|failed| failed.error)?;
        Ok(())
    }

    /// Forgets an object.
    pub(crate) fn remove(&self, digest: &str) -> io::Result<()> {
        match fs::remove_file(self.path(digest)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn path(&self, digest: &str) -> PathBuf {
        fan_out(&self.dir, digest)
    }
}

/// `<dir>/<first two digits>/<digest>`: keeps folders small.
pub(crate) fn fan_out(dir: &Path, digest: &str) -> PathBuf {
    dir.join(digest.get(..2).unwrap_or(digest)).join(digest)
}

pub(crate) fn create_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

fn line(tag: &Tag) -> String {
    let Tag { stamp: Stamp { size, mtime, mtime_ns, inode }, etag, content_type } = tag;
    format!("{size} {mtime} {mtime_ns} {inode} {etag} {}\n", content_type.as_deref().unwrap_or(""))
}

fn parse(line: &str) -> Option<Tag> {
    let mut fields = line.splitn(6, ' ');
    let stamp = Stamp {
        size: fields.next()?.parse().ok()?,
        mtime: fields.next()?.parse().ok()?,
        mtime_ns: fields.next()?.parse().ok()?,
        inode: fields.next()?.parse().ok()?,
    };
    let etag = fields.next()?.to_owned();
    let content_type = fields.next().filter(|text| !text.is_empty()).map(ToOwned::to_owned);
    Some(Tag { stamp, etag, content_type })
}
