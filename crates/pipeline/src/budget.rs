//! A bound on memory that all work shares.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const UNIT: u64 = 1 << 20;

/// Bytes that decoded pictures and annotation files may take at once, over all workers. Counted in MiB.
#[derive(Debug, Clone)]
pub struct MemoryBudget {
    semaphore: Arc<Semaphore>,
    units: u32,
    waiting: Arc<AtomicUsize>,
}

/// A share of the budget; it returns when dropped.
#[derive(Debug)]
pub struct MemoryPermit {
    _permit: OwnedSemaphorePermit,
}

impl MemoryBudget {
    /// A budget of `bytes`, at least 1 MiB.
    pub fn new(bytes: u64) -> Self {
        let units = u32::try_from(bytes / UNIT).unwrap_or(u32::MAX >> 3).clamp(1, u32::MAX >> 3);
        Self { semaphore: Arc::new(Semaphore::new(units as usize)), units, waiting: Arc::default() }
    }

    /// The whole budget.
    pub fn bytes(&self) -> u64 {
        u64::from(self.units) * UNIT
    }

    /// Waits, first come first served, until `bytes` are free. Work that is larger than the whole budget gets
    /// all of it and so runs alone: its own limits decide whether it runs at all.
    ///
    /// Cancel safety: dropping the future leaves the queue.
    pub async fn acquire(&self, bytes: u64) -> MemoryPermit {
        let _waits = Waits::among(&self.waiting);
        let permit = Arc::clone(&self.semaphore).acquire_many_owned(self.units_of(bytes)).await;
        MemoryPermit { _permit: permit.expect("the semaphore is never closed") }
    }

    /// As [`Self::acquire`] where that would not wait: nothing that is free is taken from under those who do.
    pub fn try_acquire(&self, bytes: u64) -> Option<MemoryPermit> {
        let permit = Arc::clone(&self.semaphore).try_acquire_many_owned(self.units_of(bytes)).ok()?;
        Some(MemoryPermit { _permit: permit })
    }

    /// Whether somebody waits. Who could go on with a share for one piece of work after another gives it back then.
    pub fn is_waited_for(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    fn units_of(&self, bytes: u64) -> u32 {
        u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).clamp(1, self.units)
    }
}

/// One who waits, until dropped.
struct Waits<'a>(&'a AtomicUsize);

impl<'a> Waits<'a> {
    fn among(all: &'a AtomicUsize) -> Self {
        all.fetch_add(1, Ordering::Relaxed);
        Self(all)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_larger_than_the_budget_runs_alone() {
        let budget = MemoryBudget::new(10 * UNIT);
        let huge = budget.acquire(100 * UNIT).await;
        assert_eq!(budget.semaphore.available_permits(), 0);
        drop(huge);
        assert_eq!(budget.semaphore.available_permits(), 10);
    }

    #[tokio::test]
    async fn nobody_passes_those_who_wait() {
        let budget = MemoryBudget::new(10 * UNIT);
        let held = budget.try_acquire(4 * UNIT).expect("all is free");
        let mut waiting = Box::pin(budget.acquire(7 * UNIT));
        assert!(futures::poll!(&mut waiting).is_pending() && budget.is_waited_for());
        assert!(budget.try_acquire(UNIT).is_none(), "6 are free, and promised");
        drop(held);
        let served = waiting.await;
        assert!(!budget.is_waited_for());
        assert!(budget.try_acquire(3 * UNIT).is_some());
        drop(served);
    }
}
