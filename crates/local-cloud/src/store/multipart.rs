//! Multipart uploads. They live as long as the server: what it leaves behind is swept at the next start.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use s3s::crypto::{Checksum as _, Md5};
use tempfile::{NamedTempFile, TempPath};
use uuid::Uuid;

use super::{Content, temporary};

/// S3's limit for every part but the last, in bytes.
const MIN_PART: u64 = 5 << 20;

/// The uploads under way.
#[derive(Debug, Default)]
pub(crate) struct Uploads(Mutex<HashMap<String, Upload>>);

/// One upload.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) content_type: Option<String>,
    begun: SystemTime,
    parts: BTreeMap<i32, Arc<Part>>,
}

/// An upload under way, as listings have it, in their order: by key, then by id, as S3's upload-id-marker wants it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UnderWay {
    pub(crate) key: String,
    pub(crate) id: String,
    pub(crate) begun: SystemTime,
}

/// Which uploads to list.
#[derive(Debug, Default)]
pub(crate) struct UploadsQuery {
    pub(crate) prefix: String,
    /// Only what comes after this key or, with an id, also uploads of this key with larger ids.
    pub(crate) after: Option<(String, Option<String>)>,
    pub(crate) limit: usize,
}

/// One part, on disk. Closed, so that an upload of 10,000 parts does not hold 10,000 files open.
#[derive(Debug)]
pub(crate) struct Part {
    path: TempPath,
    size: u64,
    md5: [u8; 16],
}

/// Why the parts named by a completion are not an object.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PartsError {
    NoUpload,
    /// None, twice the same, or not ascending.
    Order,
    /// Not there, or with another ETag.
    Missing,
    TooSmall,
}

impl Part {
    pub(crate) fn new(content: Content) -> Self {
        Self { path: content.file.into_temp_path(), size: content.size, md5: content.md5 }
    }

    pub(crate) fn etag(&self) -> String {
        hex::encode(self.md5)
    }
}

impl Upload {
    pub(crate) fn new(bucket: String, key: String, content_type: Option<String>) -> Self {
        Self { bucket, key, content_type, begun: now(), parts: BTreeMap::new() }
    }
}

impl Uploads {
    /// Begins an upload and names it.
    pub(crate) fn begin(&self, upload: Upload) -> String {
        let id = Uuid::new_v4().simple().to_string();
        self.lock().insert(id.clone(), upload);
        id
    }

    /// Adds or replaces a part; `false` when there is no such upload of this object.
    pub(crate) fn add(&self, id: &str, object: (&str, &str), number: i32, part: Part) -> bool {
        let mut uploads = self.lock();
        let Some(upload) = uploads.get_mut(id).filter(|upload| upload.is_of(object)) else { return false };
        upload.parts.insert(number, Arc::new(part));
        true
    }

    /// Ends an upload, completed or not; `false` when there is no such upload of this object.
    pub(crate) fn end(&self, id: &str, object: (&str, &str)) -> bool {
        let mut uploads = self.lock();
        let known = uploads.get(id).is_some_and(|upload| upload.is_of(object));
        known && uploads.remove(id).is_some()
    }

    /// The parts that a completion names by number and ETag, and the content type of the upload.
    pub(crate) fn select(
        &self,
        id: &str,
        object: (&str, &str),
        wanted: &[(i32, String)],
    ) -> Result<(Vec<Arc<Part>>, Option<String>), PartsError> {
        let uploads = self.lock();
        let upload = uploads.get(id).filter(|upload| upload.is_of(object)).ok_or(PartsError::NoUpload)?;
        if wanted.is_empty() || !wanted.is_sorted_by(|(a, _), (b, _)| a < b) {
            return Err(PartsError::Order);
        }
        let find = |(number, etag): &(i32, String)| {
            let part = upload.parts.get(number).filter(|part| part.etag() == *etag);
            part.map(Arc::clone).ok_or(PartsError::Missing)
        };
        let parts = wanted.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        match parts.split_last() {
            Some((_, rest)) if rest.iter().any(|part| part.size < MIN_PART) => Err(PartsError::TooSmall),
            _ => Ok((parts, upload.content_type.clone())),
        }
    }

    /// A page of a bucket's uploads, and whether there are more.
    pub(crate) fn list(&self, bucket: &str, query: &UploadsQuery) -> (Vec<UnderWay>, bool) {
        let uploads = self.lock();
        let mut found: Vec<_> = uploads
            .iter()
            .filter(|(_, upload)| upload.bucket == bucket && upload.key.starts_with(&query.prefix))
            .map(|(id, upload)| UnderWay { key: upload.key.clone(), begun: upload.begun, id: id.clone() })
            .collect();
        drop(uploads);
        found.sort_unstable();
        if let Some((key, id)) = &query.after {
            let listed = |upload: &UnderWay| {
                upload.key < *key || (upload.key == *key && id.as_ref().is_none_or(|id| upload.id <= *id))
            };
            found.drain(..found.partition_point(listed));
        }
        let more = found.len() > query.limit;
        found.truncate(query.limit);
        (found, more)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Upload>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Upload {
    fn is_of(&self, (bucket, key): (&str, &str)) -> bool {
        self.bucket == bucket && self.key == key
    }
}

#[expect(clippy::disallowed_methods, reason = "S3 says when an upload was begun")]
fn now() -> SystemTime {
    SystemTime::now()
}

/// The parts as one file, and its ETag as S3 makes it: the MD5 of the parts' MD5s, then their number.
pub(crate) fn assemble(parts: &[Arc<Part>], tmp: &Path) -> io::Result<(NamedTempFile, String)> {
    let mut file = temporary(tmp)?;
    let mut md5 = Md5::new();
    for part in parts {
        io::copy(&mut File::open(&part.path)?, file.as_file_mut())?;
        md5.update(&part.md5);
    }
    Ok((file, format!("{}-{}", hex::encode(md5.finalize()), parts.len())))
}
