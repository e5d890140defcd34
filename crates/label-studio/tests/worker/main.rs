//! The real worker with the real SDK, in the environment that `make setup-python` makes.

mod client;
mod properties;
mod python;
mod raccoon;
mod rig;
mod verify;
