//! The engine (L3) that drives every stage: source → permits → claim → stage → process → upload → publish →
//! acknowledge. It names no SDK and no SQL; docs/protocol.md says what it promises.

mod budget;
mod cpu;
mod engine;
mod error;
mod keeper;
mod metrics;
mod observer;
mod source;
mod stage;

pub use budget::{MemoryBudget, MemoryPermit};
pub use cpu::{CpuPool, Panicked};
pub use engine::{Backends, Engine, EngineSettings, Patience, Pulse, Shutdown, Slots};
pub use error::{StageError, StepError};
pub use metrics::Metrics;
pub use observer::{Ending, Event, MessageFate, Observer};
pub use source::poll::{PollMode, PollSettings, PollingSource};
pub use source::queue::{QueueSettings, QueueSource};
pub use source::reconcile::ReconciledSource;
pub use source::{Delivery, Receipt, SourceError, Trail, WorkSource};
pub use stage::{
    Accepted, Content, DatasetRoute, Demand, IgnoreReason, Input, InputMode, Outcome, Output, Processed,
    Route, Stage, Work,
};
