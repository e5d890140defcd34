//! The conversion utilities of the Label Studio SDK (L2), used as a witness.
//!
//! The SDK converts between Label Studio's JSON and COCO, and is lossy without saying so. So our own canonical records
//! are what counts, and the SDK has to come to the same result: [`Verifier`] gives it what it can convert, and compares
//! every box and polygon with the record. What it cannot convert is converted by us alone, and counted.
//!
//! [`Worker`] runs it: `python/label_studio_worker`, a program of its own that can hang, leak and crash as it likes
//! (docs/adr/0010).

mod config;
mod error;
mod verify;
mod worker;

pub use config::WorkerSettings;
pub use error::LabelStudioError;
pub use verify::{Candidate, ConversionReport, Disagreement, Exception, TOLERANCE, Verdict, Verifier};
pub use worker::{Versions, Worker};
