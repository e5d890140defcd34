//! Every adapter of the seam, over the suite of `queue::testsuite`.

mod faults;
mod sqs;

use std::sync::Arc;

use async_trait::async_trait;
use queue::MemoryQueue;
use queue::testsuite::{Fixture, Fresh};

mod memory {
    queue::queue_suite!(super::Memory);
}

struct Memory;

#[async_trait]
impl Fixture for Memory {
    async fn fresh(&self, max_receive_count: u32) -> anyhow::Result<Fresh> {
        let dead_letters = Arc::new(MemoryQueue::new());
        let queue = Arc::new(MemoryQueue::with_dead_letters(Arc::clone(&dead_letters), max_receive_count));
        Ok(Fresh { queue, dead_letters })
    }
}
