//! The imaging crate from outside: against Pillow, against damage, against its limits, on real photographs.

mod damage;
mod goldens;
mod limits;
mod pillow;
mod placement;
mod planes;
mod real_files;
mod samples;
