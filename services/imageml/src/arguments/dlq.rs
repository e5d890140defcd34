//! `imageml dlq`.

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum DlqCommand {
    /// List the messages of a dead-letter queue, and what each is about as far as it tells
    List(DlqListArguments),
    /// Move the messages of a dead-letter queue back to the work queue
    Redrive(DlqRedriveArguments),
}

/// A work queue, and its queue for dead letters.
#[derive(Debug, Args)]
pub(crate) struct QueueArguments {
    /// The work queue (endpoint and credentials are the AWS SDK's own settings, or the URL's host)
    #[arg(long, env = "QUEUE_URL", value_name = "URL")]
    pub(crate) queue_url: String,
    /// Its dead-letter queue, on the same server [default: the one that the work queue's redrive policy names]
    #[arg(long, value_name = "URL")]
    pub(crate) dead_letter_queue_url: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
To list messages is to receive them: they are hidden from others meanwhile, for 30 seconds at most (3 seconds for every \
ten with a larger limit), and visible again at the end. Nothing is deleted. A dead-letter queue with a redrive policy \
of its own would count each listing as a delivery.

Examples:
  imageml dlq list --queue-url http://localhost:9324/000000000000/inbox
  imageml dlq list --queue-url http://localhost:9324/000000000000/inbox --limit 1000 --json")]
pub(crate) struct DlqListArguments {
    #[command(flatten)]
    pub(crate) queues: QueueArguments,
    /// The most messages shown
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub(crate) limit: u16,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Each message is sent to the work queue and then deleted from the dead-letter queue, so one that is interrupted in \
between is in both; work that is done is found done, and not repeated. Messages that stay are hidden from others \
meanwhile, for 10 minutes at most, and visible again at the end. The exit code is 1 when not all could be moved.

Examples:
  imageml dlq redrive --queue-url http://localhost:9324/000000000000/inbox --dry-run
  imageml dlq redrive --queue-url http://localhost:9324/000000000000/inbox --id ID --id ID")]
pub(crate) struct DlqRedriveArguments {
    #[command(flatten)]
    pub(crate) queues: QueueArguments,
    /// Only this message, as `imageml dlq list` names it; may be given several times [default: all]
    #[arg(long, value_name = "ID", num_args = 1..)]
    pub(crate) id: Vec<String>,
    /// Only count them
    #[arg(long)]
    pub(crate) dry_run: bool,
}
