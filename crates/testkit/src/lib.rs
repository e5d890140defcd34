//! What tests of several crates need: throwaway servers and fixtures. Never a dependency of a program.

mod postgres;

pub use postgres::{TestDatabase, database};
