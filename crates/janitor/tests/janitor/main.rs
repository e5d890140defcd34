//! The janitor over the memory object store and SQLite.

mod bench;
mod crashes;
mod running;
mod sweeping;
