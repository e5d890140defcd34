//! The message queue (L2): the [`Queue`] seam, and its adapters for SQS and everything that speaks it, and for memory.
//!
//! Both adapters pass the suite in `testsuite` (feature `testsuite`), which is the seam's contract in executable form.

mod error;
mod limits;
mod memory;
mod message;
mod seam;
mod sqs;
#[cfg(feature = "testsuite")]
pub mod testsuite;

pub use error::QueueError;
pub use memory::MemoryQueue;
pub use message::{Message, Receipt};
pub use seam::{Depth, Entry, MAX_BATCH, Queue};
pub use sqs::{NewQueue, Redrive, SqsCredentials, SqsQueue, SqsSettings};
