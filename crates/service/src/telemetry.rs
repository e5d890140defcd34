//! Logs.

use std::io::IsTerminal;

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::{LogArguments, LogFormat};

/// Sends logs to standard error.
///
/// # Errors
/// The filter does not parse, or logging was set up before.
pub fn init_tracing(arguments: &LogArguments) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&arguments.filter)
        .with_context(|| format!("--log {:?} is not a log filter", arguments.filter))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        // It would tell standard error that standard error cannot be written, and panic as that fails too.
        .log_internal_errors(false);
    let started = match arguments.log_format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("logging: {error}"))
}
