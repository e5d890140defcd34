//! Stage 3, shard: a planner turns ready samples into plans, workers turn plans into shards, and the last step
//! publishes the version.

mod config;
mod planner;
mod stage;

pub use config::{Arguments, PlanArguments};
pub use planner::{Planned, Planner, PlannerSettings};
pub use stage::Shard;
