//! The janitor of a service's own outputs.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use janitor::{Janitor, JanitorMetrics, JanitorSettings};
use manifest_store::ManifestStore;
use object_storage::BlobStore;
use prometheus::Registry;
use types::{S3Uri, StageName};

use crate::Interval;

/// When what crashes leave behind is collected.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Janitor")]
pub struct JanitorArguments {
    /// How often one of the replicas collects orphaned uploads, stale uploads by parts and claims of the dead; or `off`
    #[arg(long, env = "JANITOR_INTERVAL", default_value = "1h", value_name = "TIME")]
    pub janitor_interval: Interval,
    /// What is younger than this is left alone; longer than any unit of work takes
    #[arg(long, env = "JANITOR_GRACE", default_value = "24h", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub janitor_grace: Duration,
}

impl JanitorArguments {
    /// The janitor that they describe; none when it is off, with its metrics all the same.
    ///
    /// # Errors
    /// Its metrics are registered already.
    pub(crate) fn janitor(
        &self,
        stage: StageName,
        output: &S3Uri,
        (store, blobs): (&Arc<dyn ManifestStore>, &Arc<dyn BlobStore>),
        registry: &Registry,
    ) -> Result<Option<Janitor>, prometheus::Error> {
        let metrics = Arc::new(JanitorMetrics::register(registry, stage)?);
        let Interval(Some(interval)) = self.janitor_interval else { return Ok(None) };
        let settings = JanitorSettings {
            interval,
            grace: self.janitor_grace,
            ..JanitorSettings::new(stage, output.clone())
        };
        Ok(Some(Janitor::new(settings, Arc::clone(store), Arc::clone(blobs), metrics)))
    }
}
