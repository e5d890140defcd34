//! The folder behind the server: buckets, their objects and the bookkeeping beside them.
//!
//! ```text
//! <root>/<bucket>/<key as path>                   the object
//! <root>/.local-cloud/lock                        held while a server runs
//! <root>/.local-cloud/tmp/                        writes under way; emptied at start
//! <root>/.local-cloud/buckets/<bucket>/tags/      ETag and content type, by digest of the key
//! <root>/.local-cloud/buckets/<bucket>/alternate/ objects whose key cannot be a path, by digest of the key
//! ```
//!
//! Everything here blocks: callers are on the blocking pool.

mod alternate;
mod bucket;
mod folder;
mod incoming;
mod listing;
mod mounted;
mod multipart;
mod tags;
mod walk;

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use s3s::path::check_bucket_name;

pub(crate) use bucket::{Bucket, Object, Stamp};
pub(crate) use folder::{Commit, Folder};
pub(crate) use incoming::{Content, Incoming, adopted, temporary};
pub(crate) use listing::{Cursors, ListQuery, Listed, Page};
pub(crate) use multipart::{Part, PartsError, UnderWay, Upload, Uploads, UploadsQuery, assemble};

use crate::{LocalCloudConfig, LocalCloudError};
use mounted::Mounted;

/// Bucket names cannot start with a dot, so this is never one.
const BOOKKEEPING: &str = ".local-cloud";

/// All buckets.
#[derive(Debug)]
pub(crate) struct Store {
    root: PathBuf,
    buckets: RwLock<BTreeMap<String, Arc<Bucket>>>,
    /// Held, not read: it keeps a second server from sweeping this one's temporary files.
    _lock: File,
}

impl Store {
    /// Locks the root, sweeps what a killed server left and opens every bucket.
    pub(crate) fn open(config: &LocalCloudConfig) -> Result<Self, LocalCloudError> {
        let bookkeeping = config.root.join(BOOKKEEPING);
        fs::create_dir_all(&bookkeeping).map_err(LocalCloudError::io(&bookkeeping))?;
        let root = config.root.canonicalize().map_err(LocalCloudError::io(&config.root))?;
        let lock = lock(&root)?;
        sweep(&tmp_dir(&root))?;
        let store = Self { root, buckets: RwLock::default(), _lock: lock };
        store.open_existing()?;
        for name in &config.buckets {
            if !check_bucket_name(name) {
                return Err(LocalCloudError::InvalidBucket(name.clone()));
            }
            store.create_bucket(name).map_err(LocalCloudError::io(&store.root.join(name)))?;
        }
        for mount in &config.mounts {
            if !check_bucket_name(&mount.bucket) {
                return Err(LocalCloudError::InvalidBucket(mount.bucket.clone()));
            }
            let bucket = Mounted::new(&mount.folder)
                .map_err(|source| LocalCloudError::Mount { path: mount.folder.clone(), source })?;
            if !store.insert(&mount.bucket, Bucket::Mounted(bucket)) {
                return Err(LocalCloudError::DuplicateBucket(mount.bucket.clone()));
            }
        }
        Ok(store)
    }

    fn open_existing(&self) -> Result<(), LocalCloudError> {
        for entry in fs::read_dir(&self.root).map_err(LocalCloudError::io(&self.root))? {
            let entry = entry.map_err(LocalCloudError::io(&self.root))?;
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if let (true, Some(name)) = (is_dir, entry.file_name().to_str())
                && check_bucket_name(name)
            {
                self.insert(name, self.folder(name));
            }
        }
        Ok(())
    }

    /// Creates a bucket with a valid name; `false` when it is there already.
    pub(crate) fn create_bucket(&self, name: &str) -> std::io::Result<bool> {
        if self.bucket(name).is_some() {
            return Ok(false);
        }
        fs::create_dir_all(self.root.join(name))?;
        Ok(self.insert(name, self.folder(name)))
    }

    /// The bucket of that name.
    pub(crate) fn bucket(&self, name: &str) -> Option<Arc<Bucket>> {
        self.buckets.read().unwrap_or_else(PoisonError::into_inner).get(name).map(Arc::clone)
    }

    /// The names of all buckets, in order.
    pub(crate) fn bucket_names(&self) -> Vec<String> {
        self.buckets.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Where writes under way are kept.
    pub(crate) fn tmp_dir(&self) -> PathBuf {
        tmp_dir(&self.root)
    }

    fn folder(&self, name: &str) -> Bucket {
        let meta = self.root.join(BOOKKEEPING).join("buckets").join(name);
        Bucket::Folder(Folder::new(self.root.join(name), &meta, self.tmp_dir()))
    }

    fn insert(&self, name: &str, bucket: Bucket) -> bool {
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        if buckets.contains_key(name) {
            return false;
        }
        buckets.insert(name.to_owned(), Arc::new(bucket));
        true
    }
}

fn tmp_dir(root: &Path) -> PathBuf {
    root.join(BOOKKEEPING).join("tmp")
}

fn lock(root: &Path) -> Result<File, LocalCloudError> {
    let path = root.join(BOOKKEEPING).join("lock");
    let file = File::options().create(true).append(true).open(&path).map_err(LocalCloudError::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LocalCloudError::InUse(root.to_owned())),
        Err(TryLockError::Error(source)) => Err(LocalCloudError::Io { path, source }),
    }
}

/// Removes what writes left when their server was killed. Runs under the lock, so nobody is writing.
fn sweep(tmp: &Path) -> Result<(), LocalCloudError> {
    match fs::remove_dir_all(tmp) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(source) => return Err(LocalCloudError::Io { path: tmp.to_owned(), source }),
    }
    fs::create_dir_all(tmp).map_err(LocalCloudError::io(tmp))
}

#[cfg(test)]
mod tests;
