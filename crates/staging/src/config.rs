//! What an operator decides about the staging area.

use std::path::PathBuf;

/// Where the staging area is and how much of the disk it may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagingConfig {
    /// `NVME_ROOT`: the directory that all instances on this disk share. Made if absent.
    pub root: PathBuf,
    /// The most bytes that this instance may have reserved at once. `None`: as much as the disk has.
    ///
    /// Kubernetes enforces an emptyDir's `sizeLimit` by evicting the pod, not by refusing a write, so a pod
    /// with a limit wants a quota below it (80 % is a good start).
    pub quota: Option<u64>,
    /// `NVME_MIN_GB` in bytes: with less free space than this the service is not ready, and reservations never
    /// take the disk below it.
    pub min_free: u64,
}
