//! What was queued lately, so that a repeat is not queued again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::parcel::ParcelId;

/// How much is remembered, and how long. A sender repeats within seconds; the oldest is forgotten first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    pub(crate) entries: usize,
    pub(crate) time: Duration,
}

impl Default for Memory {
    fn default() -> Self {
        Self { entries: 10_000, time: Duration::from_secs(15 * 60) }
    }
}

/// Parcels that are being sent, and those that were sent lately.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recent {
    memory: Memory,
    known: Arc<Mutex<Known>>,
}

// Invariant: `queued` holds the ids of all `State::Queued`, oldest first. `State::Sending` has an `Ours` somewhere.
#[derive(Debug, Default)]
struct Known {
    states: HashMap<ParcelId, State>,
    queued: VecDeque<(Instant, ParcelId)>,
}

#[derive(Debug)]
enum State {
    Sending(watch::Receiver<bool>),
    Queued,
}

/// What is known of a parcel.
#[derive(Debug)]
pub(crate) enum Claim {
    /// Nothing: it is the caller's to send.
    Ours(Ours),
    /// Another request is sending it.
    Theirs(Theirs),
    /// The queue has it.
    Queued,
}

/// The duty to send a parcel. Dropped, it is as if it had never been.
#[derive(Debug)]
pub(crate) struct Ours {
    id: ParcelId,
    recent: Recent,
    done: watch::Sender<bool>,
}

/// Somebody else's duty.
#[derive(Debug)]
pub(crate) struct Theirs(watch::Receiver<bool>);

impl Recent {
    #[cfg(test)]
    fn with(memory: Memory) -> Self {
        Self { memory, ..Self::default() }
    }

    pub(crate) fn claim(&self, id: ParcelId) -> Claim {
        let mut known = self.lock();
        known.forget(self.memory);
        match known.states.get(&id) {
            Some(State::Queued) => Claim::Queued,
            Some(State::Sending(done)) => Claim::Theirs(Theirs(done.clone())),
            None => {
                let (done, watched) = watch::channel(false);
                known.states.insert(id, State::Sending(watched));
                Claim::Ours(Ours { id, recent: self.clone(), done })
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn forget(&mut self, memory: Memory) {
        let now = Instant::now();
        while let Some((at, id)) = self.queued.front()
            && (self.queued.len() > memory.entries || now.duration_since(*at) > memory.time)
        {
            self.states.remove(id);
            self.queued.pop_front();
        }
    }
}

impl Ours {
    /// The queue has it.
    pub(crate) fn queued(self) {
        {
            let mut known = self.recent.lock();
            known.states.insert(self.id, State::Queued);
            known.queued.push_back((Instant::now(), self.id));
            known.forget(self.recent.memory);
        }
        self.done.send_replace(true);
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        let mut known = self.recent.lock();
        if let Some(State::Sending(_)) = known.states.get(&self.id) {
            known.states.remove(&self.id);
        }
    }
}

impl Theirs {
    /// Waits for the end; true if the queue has it.
    pub(crate) async fn queued(mut self) -> bool {
        self.0.wait_for(|done| *done).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: ParcelId = [1; 32];
    const B: ParcelId = [2; 32];
    const C: ParcelId = [3; 32];

    fn ours(recent: &Recent, id: ParcelId) -> anyhow::Result<Ours> {
        match recent.claim(id) {
            Claim::Ours(ours) => Ok(ours),
            other => anyhow::bail!("{other:?}"),
        }
    }

    fn theirs(recent: &Recent, id: ParcelId) -> anyhow::Result<Theirs> {
        match recent.claim(id) {
            Claim::Theirs(theirs) => Ok(theirs),
            other => anyhow::bail!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn repeats_hear_how_the_first_ended() -> anyhow::Result<()> {
        let recent = Recent::default();
        let (first, repeat) = (ours(&recent, A)?, theirs(&recent, A)?);
        first.queued();
        assert!(repeat.queued().await);
        assert!(matches!(recent.claim(A), Claim::Queued));
        Ok(())
    }

    #[tokio::test]
    async fn what_was_not_queued_is_anybodys_again() -> anyhow::Result<()> {
        let recent = Recent::default();
        let (first, repeat) = (ours(&recent, A)?, theirs(&recent, A)?);
        drop(first);
        assert!(!repeat.queued().await);
        ours(&recent, A)?;
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn memory_ends_with_time_and_number() -> anyhow::Result<()> {
        let recent = Recent::with(Memory { entries: 2, time: Duration::from_secs(60) });
        for id in [A, B, C] {
            ours(&recent, id)?.queued();
        }
        assert!(matches!(recent.claim(B), Claim::Queued) && matches!(recent.claim(C), Claim::Queued));
        drop(ours(&recent, A)?);
        tokio::time::advance(Duration::from_secs(61)).await;
        drop((ours(&recent, B)?, ours(&recent, C)?));
        assert!(recent.lock().states.is_empty() && recent.lock().queued.is_empty());
        Ok(())
    }
}
