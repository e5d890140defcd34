//! Bodies, read under limits.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use futures::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Limits;
use crate::answer::Outcome;

/// Enough for one event. Small, so that a slow sender takes little.
const FIRST_BYTES: usize = 8 << 10;

/// Reads bodies: each limited in size and time, all of them in memory. (Beside that, each connection has a buffer of
/// its own, see `server.rs`.)
#[derive(Debug, Clone)]
pub(crate) struct Bodies {
    memory: Arc<Semaphore>,
    limit: usize,
    time: Duration,
}

/// A body, and the room that it takes.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) bytes: Vec<u8>,
    pub(crate) room: Room,
}

/// Bytes of the budget, given back when dropped.
#[derive(Debug)]
pub(crate) struct Room {
    memory: Arc<Semaphore>,
    permit: OwnedSemaphorePermit,
}

impl Bodies {
    pub(crate) fn new(limits: &Limits) -> Self {
        let memory = Arc::new(Semaphore::new(limits.memory_bytes));
        Self { memory, limit: limits.body_bytes, time: limits.body }
    }

    /// The whole body, or how the request ends without it.
    pub(crate) async fn read(&self, body: Body) -> Result<Held, Outcome> {
        tokio::time::timeout(self.time, self.collect(body)).await.unwrap_or(Err(Outcome::Timeout))
    }

    async fn collect(&self, body: Body) -> Result<Held, Outcome> {
        // What Content-Length says.
        if body.size_hint().lower() > self.limit as u64 {
            return Err(Outcome::TooLarge);
        }
        let mut held = Held { bytes: Vec::new(), room: Room::none(&self.memory)? };
        let mut chunks = body.into_data_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Outcome::Aborted)?;
            self.make_room(&mut held, chunk.len())?;
            held.bytes.extend_from_slice(&chunk);
        }
        Ok(held)
    }

    /// Room is taken as bytes arrive, not for what a sender announces: a thousand slow ones take next to nothing.
    fn make_room(&self, held: &mut Held, more: usize) -> Result<(), Outcome> {
        let (length, capacity) = (held.bytes.len(), held.bytes.capacity());
        let wanted = length + more;
        if wanted > self.limit {
            return Err(Outcome::TooLarge);
        }
        if wanted > capacity {
            let wanted = wanted.max(2 * capacity).max(FIRST_BYTES).min(self.limit);
            held.room.resize(wanted)?;
            held.bytes.reserve_exact(wanted - length);
        }
        Ok(())
    }
}

impl Room {
    fn none(memory: &Arc<Semaphore>) -> Result<Self, Outcome> {
        let permit = Arc::clone(memory).try_acquire_many_owned(0).map_err(|_| Outcome::Overloaded)?;
        Ok(Self { memory: Arc::clone(memory), permit })
    }

    /// Makes it as large as what it is for. It never waits: those who wait for each other's room would wait for ever.
    pub(crate) fn resize(&mut self, bytes: usize) -> Result<(), Outcome> {
        let held = self.permit.num_permits();
        if bytes < held {
            drop(self.permit.split(held - bytes));
        } else {
            let more = u32::try_from(bytes - held).map_err(|_| Outcome::Overloaded)?;
            let more = Arc::clone(&self.memory).try_acquire_many_owned(more);
            self.permit.merge(more.map_err(|_| Outcome::Overloaded)?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bodies(limit: usize, memory: usize) -> Bodies {
        let limits = Limits { body_bytes: limit, memory_bytes: memory, ..Limits::default() };
        Bodies::new(&limits)
    }

    #[tokio::test]
    async fn bodies_up_to_the_limit_are_read_whole() -> anyhow::Result<()> {
        let bodies = bodies(100_000, 1 << 20);
        let sent = "x".repeat(100_000);
        let held =
            bodies.read(Body::from(sent.clone())).await.map_err(|outcome| anyhow::anyhow!("{outcome:?}"))?;
        assert_eq!(held.bytes, sent.as_bytes());
        assert_eq!(bodies.read(Body::from(format!("{sent}x"))).await.err(), Some(Outcome::TooLarge));
        Ok(())
    }

    #[tokio::test]
    async fn unannounced_bytes_count_too() {
        let bodies = bodies(10, 1 << 20);
        let chunks = ["12345", "67890", "!"].map(Ok::<_, std::io::Error>);
        let body = Body::from_stream(futures::stream::iter(chunks));
        assert_eq!(bodies.read(body).await.err(), Some(Outcome::TooLarge));
    }

    #[tokio::test]
    async fn room_is_given_back() -> anyhow::Result<()> {
        let bodies = bodies(8 << 10, 16 << 10);
        let full = || Body::from(vec![b'x'; 8 << 10]);
        let first = bodies.read(full()).await;
        let second = bodies.read(full()).await;
        assert!(first.is_ok() && second.is_ok());
        assert_eq!(bodies.read(full()).await.err(), Some(Outcome::Overloaded));
        drop(first);
        let mut third = bodies.read(full()).await.map_err(|outcome| anyhow::anyhow!("{outcome:?}"))?;
        third.room.resize(1).map_err(|outcome| anyhow::anyhow!("{outcome:?}"))?;
        assert_eq!(bodies.memory.available_permits(), (8 << 10) - 1);
        drop((second, third));
        assert_eq!(bodies.memory.available_permits(), 16 << 10);
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_end_is_given_up() {
        let body = Body::from_stream(futures::stream::pending::<Result<&str, std::io::Error>>());
        assert_eq!(bodies(10, 10).read(body).await.err(), Some(Outcome::Timeout));
    }
}
