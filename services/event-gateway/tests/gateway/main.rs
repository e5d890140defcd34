//! The gateway over HTTP: in this process with a queue in memory, and as a program with queues of real servers.

mod auth;
mod client;
mod limits;
mod outages;
mod payloads;
mod process;
mod rig;
