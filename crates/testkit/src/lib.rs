//! What tests of several crates need: throwaway servers and fixtures. Never a dependency of a program.

mod moto;
mod postgres;

pub use moto::Moto;
pub use postgres::{TestDatabase, database};
