//! The engine and the polling source, with a stage that does what each test tells it to, over the memory object store
//! and SQLite.

mod bench;
mod endings;
mod leases;
mod polling;
