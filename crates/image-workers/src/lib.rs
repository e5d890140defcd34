//! Pictures decoded and encoded where a broken decoder harms nobody (L4).
//!
//! Input bytes are hostile, and some decoders are written in C. A *worker* is a child process, this same program
//! started again, that holds no secret: no environment, no network, no file but those handed to it. It works on one
//! picture at a time, and the next one lies ready in its socket; where that takes more memory than it was given, it says so, and is asked
//! anew when the parent has set that aside. It is ended when it takes too long, and replaced after some hundred pictures. A picture
//! that ends three workers is rejected; the service goes on.
//!
//! No pixel passes between the processes: the worker reads the original from a descriptor of the staged file and writes
//! the variants through descriptors of their files. What it answers is a few hundred bytes.
//!
//! By configuration ([`Isolation::None`]) the same work is done on the CPU pool of this process.

mod child;
mod config;
mod confine;
mod crew;
mod executor;
mod hand;
mod picture;
mod pool;
mod serve;
mod wire;

pub use config::{Isolation, WorkerArguments, WorkerSettings};
pub use confine::confine;
pub use executor::{Rendered, Variant};
pub use pool::ImageWorkers;
pub use serve::serve_if_asked;
