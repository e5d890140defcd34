//! From arguments to the parts of the engine.

use pipeline::{EngineSettings, Patience};
use staging::StagingConfig;

use crate::CommonArguments;

impl CommonArguments {
    /// The staging area's settings.
    pub(crate) fn staging(&self) -> StagingConfig {
        StagingConfig {
            root: self.nvme_root.clone(),
            quota: self.nvme_quota.map(|quota| quota.as_u64()),
            min_free: gigabytes_to_bytes(self.nvme_min_gb),
        }
    }
}

/// The engine's settings.
pub fn engine_settings(arguments: &CommonArguments, cpu_threads: usize) -> EngineSettings {
    EngineSettings {
        owner: owner_name(),
        slots: arguments.slots.map_or_else(|| EngineSettings::usual_slots(cpu_threads), usize::from),
        lease: arguments.lease,
        max_attempts: arguments.max_attempts,
        backoff: arguments.retry_backoff,
        patience: Patience::Service {
            input: arguments.input_prefix.clone(),
            output: arguments.output_prefix.clone(),
        },
    }
}

/// A name for this process instance that no other one has: claims are held under it.
pub fn owner_name() -> String {
    let host = rustix::system::uname();
    format!("{}-{}", host.nodename().to_string_lossy(), uuid::Uuid::new_v4().simple())
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "validated: finite and not negative"
)]
fn gigabytes_to_bytes(gigabytes: f64) -> u64 {
    (gigabytes * 1e9) as u64
}
