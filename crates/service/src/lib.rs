//! One body for every service (L4): configuration, logs, metrics, health, signals and an ordered drain. A
//! service's `main` gives it a stage; this gives it a life.

mod admin;
mod config;
#[cfg(feature = "failpoints")]
mod failpoints;
mod health;
mod janitor;
mod parse;
mod run;
mod settings;
mod source;
mod telemetry;

pub use config::{CommonArguments, LogArguments, LogFormat, Secret};
pub use janitor::JanitorArguments;
pub use parse::parse;
pub use run::{App, Background, Wiring, run};
pub use settings::{engine_settings, owner_name};
pub use source::{Interval, SourceArguments, SourceKind};
pub use telemetry::init_tracing;
