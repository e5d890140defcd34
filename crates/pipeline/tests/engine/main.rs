//! The engine and its sources, with a stage that does what each test tells it to, over the memory object store
//! and SQLite.

mod bench;
mod clock;
mod commits;
mod endings;
mod events;
mod leases;
mod messages;
mod polling;
mod protocol_model;
mod scripted_store;
