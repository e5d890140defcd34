//! The staging area: who may have how many bytes, and when.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore};

use crate::disk::DiskSpace;
use crate::instance::InstanceDir;
use crate::workspace::Paths;
use crate::{ItemName, StagingConfig, StagingError, Workspace};

/// How often a full disk is looked at again. Others' files come and go without telling us.
const DISK_RECHECK: Duration = Duration::from_secs(1);

/// The NVMe area of this instance. Clones share it.
#[derive(Debug, Clone)]
pub struct StagingArea {
    shared: Arc<Shared>,
}

impl StagingArea {
    /// Makes and locks this instance's directory below the root and removes those of dead instances.
    ///
    /// A disk below its minimum opens: [`Self::readiness`] tells.
    ///
    /// # Errors
    /// [`StagingError::Unwritable`] or [`StagingError::Io`] when the root cannot be used.
    pub async fn open(config: StagingConfig) -> Result<Self, StagingError> {
        Self::open_on(config, Box::new(DiskSpace::of)).await
    }

    /// The most bytes that one item can ever reserve: the quota or the size of the disk less its floor,
    /// whichever is less. Does not change while the area is open: a disk that others have filled makes items
    /// wait, it does not make them too large.
    pub fn capacity(&self) -> u64 {
        self.shared.capacity
    }

    /// Bytes reserved now; 0 at rest.
    pub fn reserved(&self) -> u64 {
        self.shared.ledger().reserved()
    }

    /// Free bytes on the disk, by statvfs.
    ///
    /// # Errors
    /// What the file system says.
    pub fn free(&self) -> io::Result<u64> {
        self.shared.space().map(|space| space.free)
    }

    /// Whether the disk has its minimum free and takes a file. Touches the disk: for probes, not for loops.
    ///
    /// # Errors
    /// [`StagingError::BelowMinimum`] or [`StagingError::Unwritable`], as the message for the operator.
    pub fn readiness(&self) -> Result<(), StagingError> {
        let path = self.shared.instance.path();
        let free = self.free().map_err(|source| StagingError::from_io(path, source))?;
        let minimum = self.shared.config.min_free;
        if free < minimum {
            let path = self.shared.config.root.clone();
            return Err(StagingError::BelowMinimum { path, free, minimum });
        }
        // A name for each look: of two at the same time, one would remove the other's file.
        let probe = path.join(format!("probe-{}", self.shared.probes.fetch_add(1, Ordering::Relaxed)));
        write_probe(&probe).map_err(|source| StagingError::Unwritable { path: probe, source })
    }

    /// Waits until `bytes` fit in the quota and on the disk, in the order of asking, and gives them to `item`.
    ///
    /// Cancel safety: dropping the future leaves the queue and reserves nothing.
    ///
    /// # Errors
    /// [`StagingError::TooLarge`] at once when it can never fit; the file system's own when it fails.
    pub async fn admit(&self, item: &ItemName, bytes: u64) -> Result<Workspace, StagingError> {
        let shared = &self.shared;
        shared.refuse_too_large(bytes)?;
        // The semaphore is fair, so the one permit is the head of the queue. It is never closed.
        let _head = shared.head.acquire().await.expect("the queue's semaphore is never closed");
        let mut told = false;
        loop {
            // Releases before this line are seen by try_admit; those after it wake `released`, which keeps
            // one wake-up for a waiter that is not there yet.
            match shared.try_admit(item, bytes)? {
                Attempt::Admitted(workspace) => return Ok(workspace),
                Attempt::QuotaFull => shared.released.notified().await,
                Attempt::DiskFull { available } => {
                    if !std::mem::replace(&mut told, true) {
                        tracing::warn!(
                            staging.needed_bytes = bytes,
                            staging.available_bytes = available,
                            "waiting for disk space"
                        );
                    }
                    let recheck = tokio::time::timeout(DISK_RECHECK, shared.released.notified()).await;
                    // Either way the next thing to do is to look again.
                    drop(recheck);
                }
            }
        }
    }

    pub(crate) async fn open_on(config: StagingConfig, probe: SpaceProbe) -> Result<Self, StagingError> {
        let root = config.root.clone();
        match tokio::task::spawn_blocking(move || Shared::open(config, probe)).await {
            Ok(shared) => Ok(Self { shared: Arc::new(shared?) }),
            // The runtime is going away under us, or the file system code panicked.
            Err(failed) => Err(StagingError::from_io(root, io::Error::other(failed))),
        }
    }
}

fn write_probe(path: &Path) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(b"imageml")?;
    // Without it a failing device answers only when the kernel writes back, after we said ready.
    file.sync_data()?;
    std::fs::remove_file(path)
}

/// Asks for the space of the disk that holds a path; a seam for tests of full disks.
pub(crate) type SpaceProbe = Box<dyn Fn(&Path) -> io::Result<DiskSpace> + Send + Sync>;

/// What the area and its workspaces share.
pub(crate) struct Shared {
    config: StagingConfig,
    capacity: u64,
    instance: InstanceDir,
    probe: SpaceProbe,
    /// How often the disk was looked at.
    probes: AtomicU64,
    ledger: Mutex<Ledger>,
    /// One permit: its holder is the head of the queue.
    head: Semaphore,
    released: Notify,
}

enum Attempt {
    Admitted(Workspace),
    QuotaFull,
    DiskFull { available: u64 },
}

impl Shared {
    fn open(config: StagingConfig, probe: SpaceProbe) -> Result<Self, StagingError> {
        let instance = InstanceDir::create(&config.root)?;
        let space = probe(instance.path()).map_err(|source| StagingError::from_io(&config.root, source))?;
        let disk = space.total.saturating_sub(config.min_free);
        let capacity = config.quota.unwrap_or(u64::MAX).min(disk);
        let (ledger, head, released) = (Mutex::default(), Semaphore::new(1), Notify::new());
        let probes = AtomicU64::new(0);
        Ok(Self { config, capacity, instance, probe, probes, ledger, head, released })
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // Nothing panics between two writes to the ledger, so a poisoned one is still right.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn space(&self) -> io::Result<DiskSpace> {
        (self.probe)(self.instance.path())
    }

    fn refuse_too_large(&self, needed: u64) -> Result<(), StagingError> {
        let capacity = self.capacity;
        if needed > capacity { Err(StagingError::TooLarge { needed, capacity }) } else { Ok(()) }
    }

    fn try_admit(self: &Arc<Self>, item: &ItemName, bytes: u64) -> Result<Attempt, StagingError> {
        let mut ledger = self.ledger();
        if bytes > self.quota_left(&ledger) {
            return Ok(Attempt::QuotaFull);
        }
        let available = self.disk_left(&ledger, bytes)?;
        if bytes > available {
            return Ok(Attempt::DiskFull { available });
        }
        let (ticket, paths) = ledger.enter(self.instance.path(), item, bytes);
        drop(ledger);
        Ok(Attempt::Admitted(Workspace::open(Arc::clone(self), ticket, paths)))
    }

    pub(crate) fn grow(&self, ticket: u64, bytes: u64) -> Result<(), StagingError> {
        let mut ledger = self.ledger();
        self.refuse_too_large(ledger.reserved_by(ticket).saturating_add(bytes))?;
        let available = self.quota_left(&ledger).min(self.disk_left(&ledger, bytes)?);
        if bytes > available {
            return Err(StagingError::NoSpace { needed: bytes, available });
        }
        ledger.add(ticket, bytes);
        Ok(())
    }

    pub(crate) fn release(&self, ticket: u64) {
        self.ledger().leave(ticket);
        self.released.notify_one();
    }

    fn quota_left(&self, ledger: &Ledger) -> u64 {
        self.capacity.saturating_sub(ledger.reserved())
    }

    /// What the disk can still promise: free space above the floor, less what is promised but not yet
    /// written. Bytes written meanwhile make this too small, never too large: they are read before the
    /// free space is. May say less than there is, if that is enough for `wanted`.
    fn disk_left(&self, ledger: &Ledger, wanted: u64) -> Result<u64, StagingError> {
        // As if nothing were written yet: mostly that is enough, and no file has to be looked at.
        let left = self.left_beside(ledger.reserved())?;
        if wanted <= left { Ok(left) } else { self.left_beside(ledger.promised()) }
    }

    fn left_beside(&self, promised: u64) -> Result<u64, StagingError> {
        let space = self.space().map_err(|source| StagingError::from_io(&self.config.root, source))?;
        let kept = self.config.min_free.saturating_add(promised);
        Ok(space.free.saturating_sub(kept))
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("config", &self.config)
            .field("capacity", &self.capacity)
            .field("instance", &self.instance)
            .finish_non_exhaustive()
    }
}

/// Who has reserved how much.
///
/// Invariant: an entry lives exactly as long as its [`Workspace`].
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    next: u64,
    entries: BTreeMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    reserved: u64,
    paths: Paths,
}

impl Ledger {
    fn reserved(&self) -> u64 {
        self.entries.values().map(|entry| entry.reserved).sum()
    }

    pub(crate) fn reserved_by(&self, ticket: u64) -> u64 {
        self.entries.get(&ticket).map_or(0, |entry| entry.reserved)
    }

    /// Bytes reserved and not yet on disk. Looks at the disk.
    fn promised(&self) -> u64 {
        self.entries.values().map(|entry| entry.reserved.saturating_sub(entry.paths.usage())).sum()
    }

    fn enter(&mut self, instance: &Path, item: &ItemName, reserved: u64) -> (u64, Paths) {
        let ticket = self.next;
        self.next += 1;
        let paths = Paths::new(instance, item.as_str(), ticket);
        self.entries.insert(ticket, Entry { reserved, paths: paths.clone() });
        (ticket, paths)
    }

    fn add(&mut self, ticket: u64, bytes: u64) {
        if let Some(entry) = self.entries.get_mut(&ticket) {
            entry.reserved += bytes;
        }
    }

    fn leave(&mut self, ticket: u64) {
        self.entries.remove(&ticket);
    }
}

#[cfg(test)]
mod tests;
