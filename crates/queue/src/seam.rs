//! The seam: what the pipeline needs of a message queue.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use crate::{Message, QueueError, Receipt};

/// The most messages or receipts that one call takes, SQS's own limit.
pub const MAX_BATCH: usize = 10;

/// What became of one entry of a batch.
pub type Entry = Result<(), QueueError>;

/// How much a queue holds, approximately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depth {
    /// Waiting to be received.
    pub visible: u64,
    /// Received, neither deleted nor visible again.
    pub in_flight: u64,
    /// Sent with a delay that has not ended.
    pub delayed: u64,
}

/// A queue with SQS semantics: at least once, in any order; a message that is received is hidden for a time, and comes
/// back unless it is deleted.
///
/// Contract:
/// - **Batches** hold 1 to [`MAX_BATCH`] entries; a larger one is `Invalid`. An empty one is `Ok` and does nothing.
/// - **Partial success**: `Ok` answers one [`Entry`] per argument, in order; `Err` says that the call as a whole failed
///   and that nothing is known of its entries.
/// - **Who retries**: the adapter retries throttling and broken connections a few times within a call; `receive` is
///   not retried within the call. Entries that failed are the caller's.
/// - **Stale receipts**: deleting or hiding a delivery that is not ours any more is `Ok` or `Lost`, as the server likes;
///   it never harms a later delivery more than SQS itself would. No caller may conclude anything from `Ok`.
/// - **Cancellation**: dropping the future of `receive` may leave messages hidden that nobody holds, until their time is
///   over; callers that care let it end. All other calls may be dropped and repeated.
/// - **Time**: every call ends by itself; `receive` at most 15 seconds after `wait`, all others within 30 seconds. Queues
///   count in whole seconds: parts of one are rounded up, and more than the limit means the limit.
/// - **Bodies** are not empty, have at most 1 MiB of UTF-8 and only the characters of XML 1.0; a queue may take less.
///   What it does not take is `Invalid`, by its entry, and the others of its batch are sent.
#[async_trait]
pub trait Queue: Send + Sync + Debug {
    /// At most `max` (1 to [`MAX_BATCH`]; none for 0, `Invalid` above) messages, hidden for `visibility` (at most 12
    /// hours) from now on. Waits up to `wait` (at most 20 seconds) for the first; none within that time is `Ok` of
    /// nothing, and fewer than `max` does not mean that there are no more.
    async fn receive(
        &self,
        max: usize,
        wait: Duration,
        visibility: Duration,
    ) -> Result<Vec<Message>, QueueError>;

    /// Removes deliveries' messages for good.
    async fn delete(&self, receipts: &[Receipt]) -> Result<Vec<Entry>, QueueError>;

    /// Hides deliveries for this long from now on; zero makes them visible at once. A delivery ends 12 hours after its
    /// receive at the latest: SQS refuses to hide it for longer, which is `Invalid` and leaves it as it was.
    async fn hide(&self, receipts: &[Receipt], visibility: Duration) -> Result<Vec<Entry>, QueueError>;

    /// Adds messages.
    async fn send(&self, bodies: &[String]) -> Result<Vec<Entry>, QueueError>;

    /// How much there is.
    async fn depth(&self) -> Result<Depth, QueueError>;
}
