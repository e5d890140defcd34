//! What the stages compute, alone, in this process.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use imaging::{Limits, Normalizer, Original};
use normalize::PolicyArguments;
use types::NormalizationPolicy;

/// A stage that computes something.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Computation {
    /// What ingest does with each picture.
    Inspect,
    /// What normalize does, under its default policy.
    Normalize,
}

#[derive(Debug, clap::Parser)]
struct PolicyCommand {
    #[command(flatten)]
    policy: PolicyArguments,
}

impl Computation {
    /// Of all, on so many threads.
    pub(crate) fn run(self, originals: &[Vec<u8>], threads: usize) -> anyhow::Result<Duration> {
        let policy = <PolicyCommand as clap::Parser>::parse_from(["bench"]).policy.policy()?;
        let next = AtomicUsize::new(0);
        let begun = Instant::now();
        std::thread::scope(|scope| {
            let worker = || -> anyhow::Result<()> {
                let mut normalizer = Normalizer::default();
                while let Some(data) = originals.get(next.fetch_add(1, Ordering::Relaxed)) {
                    self.one(data, &policy, &mut normalizer)?;
                }
                Ok(())
            };
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
            threads.into_iter().try_for_each(|thread| thread.join().expect("no panic"))
        })?;
        Ok(begun.elapsed())
    }

    fn one(
        self,
        data: &[u8],
        policy: &NormalizationPolicy,
        normalizer: &mut Normalizer,
    ) -> anyhow::Result<()> {
        let limits = Limits::default();
        match self {
            Self::Inspect => drop(imaging::inspect(data, &limits)?),
            Self::Normalize => drop(normalizer.normalize(&Original::open(data, &limits)?, policy)?),
        }
        Ok(())
    }
}
