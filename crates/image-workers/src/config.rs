//! Where decoders run, and what they may take.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use imaging::Limits;

/// Where pictures are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Isolation {
    /// In child processes without secrets, files and network
    Process,
    /// In this process: a crash of a decoder ends it
    None,
}

/// How pictures are decoded.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Decoders")]
pub struct WorkerArguments {
    /// Where pictures are decoded
    #[arg(long, env = "DECODE_ISOLATION", default_value = "process", value_name = "WHERE")]
    pub decode_isolation: Isolation,
    /// How long a worker may take for a picture, and again where it had to wait for memory, before it is ended
    #[arg(long, env = "DECODE_TIMEOUT", default_value = "60s", value_name = "TIME", value_parser = some_time)]
    pub decode_timeout: Duration,
}

impl WorkerArguments {
    /// The settings for a worker per CPU thread (`None`: per core) with `memory` bytes for all pictures.
    pub fn settings(&self, cpu_threads: Option<u16>, memory: u64) -> WorkerSettings {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let processes = cpu_threads.map_or_else(cores, usize::from);
        WorkerSettings {
            isolation: self.decode_isolation,
            timeout: self.decode_timeout,
            processes,
            kept_bytes: kept_bytes(memory, processes),
            ..WorkerSettings::default()
        }
    }
}

fn some_time(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("must be more than nothing".to_owned()),
        Ok(time) => Ok(time),
        Err(error) => Err(error.to_string()),
    }
}

/// What a worker may keep for its next picture, so that all together keep at most half of the memory for pictures.
/// Around 64 MiB hold all of a photograph of 12 megapixels, coefficients included.
fn kept_bytes(memory: u64, processes: usize) -> u64 {
    (memory / 2 / processes.max(1) as u64).clamp(1 << 20, 64 << 20)
}

/// Everything that workers need to know.
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// Where pictures are decoded.
    pub isolation: Isolation,
    /// The program that serves as a worker; it calls [`crate::serve_if_asked`].
    pub program: PathBuf,
    /// How many pictures are worked on at once.
    pub processes: usize,
    /// How long a picture may take, and again where it had to wait for memory.
    pub timeout: Duration,
    /// Pictures after which a worker is replaced: what a decoder leaks is bounded.
    pub pictures_per_process: u32,
    /// Bytes that a worker keeps between pictures rather than giving them back to the system.
    pub kept_bytes: u64,
    /// Bounds of one picture.
    pub limits: Limits,
}

impl Default for WorkerSettings {
    fn default() -> Self {
        Self {
            isolation: Isolation::Process,
            // The link stays good when the file behind it is replaced by a newer version.
            program: PathBuf::from("/proc/self/exe"),
            processes: 1,
            timeout: Duration::from_secs(60),
            pictures_per_process: 500,
            kept_bytes: kept_bytes(u64::MAX, 1),
            limits: Limits::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_workers_keep_fits_into_half_of_the_memory() {
        assert_eq!(kept_bytes(768 << 20, 2), 64 << 20);
        assert_eq!(kept_bytes(768 << 20, 16), 24 << 20);
        assert_eq!(kept_bytes(1 << 20, 16), 1 << 20, "but never nothing");
    }
}
