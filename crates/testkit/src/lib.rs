//! What tests of several crates need: throwaway servers and fixtures. Never a dependency of a program.

mod gate;
mod moto;
mod patience;
mod postgres;
mod scrape;
mod services;

pub use gate::Gate;
pub use moto::Moto;
pub use patience::until;
pub use postgres::{TestDatabase, database};
pub use scrape::{Family, Sample, Scrape};
pub use services::{Answer, Service};
