//! `sqlx::migrate!` reads the folder at build time; cargo has to be told that a new file there matters.

#![expect(clippy::print_stdout, reason = "this is how a build script talks to cargo")]

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
