//! What tests of several crates need: throwaway servers and fixtures. Never a dependency of a program.

mod elastic_mq;
mod fault_proxy;
mod gate;
mod moto;
mod patience;
mod photos;
mod postgres;
mod process_times;
mod processes;
mod s3_event;
#[cfg(feature = "cloud")]
mod s3_process;
mod scrape;
mod services;
mod tcp_proxy;

pub use elastic_mq::ElasticMq;
pub use fault_proxy::{Cut, Fault, FaultProxy, HttpRequest, LoggedRequest, Matcher, Rewrite, Rule, RuleId};
pub use gate::Gate;
pub use moto::Moto;
pub use patience::until;
pub use photos::{noise, photo};
pub use postgres::{PostgresServer, TestDatabase, database};
pub use process_times::{ProcessTimes, family_of};
pub use processes::{Conversions, children_of, is_gone};
pub use s3_event::created_event;
#[cfg(feature = "cloud")]
pub use s3_process::S3Process;
pub use scrape::{Family, Sample, Scrape};
pub use services::{Answer, Service};
pub use tcp_proxy::TcpProxy;
