//! Workers from outside: what they answer, what they may do, what happens when they die.

mod confinement;
mod death;
mod turns;
mod work;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use image_workers::{Isolation, WorkerSettings};
use pipeline::{CpuPool, MemoryBudget};

/// Settings for real workers.
fn settings() -> WorkerSettings {
    WorkerSettings {
        program: PathBuf::from(env!("CARGO_BIN_EXE_image-worker")),
        timeout: Duration::from_secs(60),
        ..WorkerSettings::default()
    }
}

/// Settings for the same work in this process.
fn in_process() -> WorkerSettings {
    WorkerSettings { isolation: Isolation::None, ..settings() }
}

/// A program in a worker's place.
fn script(folder: &Path, line: &str) -> std::io::Result<PathBuf> {
    let path = folder.join("worker.sh");
    std::fs::write(&path, format!("#!/bin/sh\n{line}\n"))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

/// A file for each size of the usual policy, for the picture of that number.
fn outputs(folder: &Path, number: usize) -> Vec<PathBuf> {
    ["a", "b", "c"].iter().map(|name| folder.join(format!("{name}-{number}"))).collect()
}

/// One thread, and memory for a picture.
fn machine() -> std::io::Result<(CpuPool, MemoryBudget)> {
    Ok((CpuPool::new(1)?, MemoryBudget::new(64 << 20)))
}

/// A JPEG of 1600x1200.
fn picture(folder: &Path) -> PathBuf {
    let path = folder.join("picture.jpg");
    let pixels: Vec<u8> = (0..1600 * 1200 * 3_u32).map(|n| (n / 7 % 251) as u8).collect();
    let encoder = jpeg_encoder::Encoder::new_file(&path, 90).expect("opens");
    encoder.encode(&pixels, 1600, 1200, jpeg_encoder::ColorType::Rgb).expect("encodes");
    path
}
