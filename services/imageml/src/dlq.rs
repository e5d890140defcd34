//! `imageml dlq`: the messages that nobody could work on.
//!
//! Both commands are made of what every SQS-compatible server has: receive, send, delete, change visibility. `redrive`
//! does not use SQS's `StartMessageMoveTask`: servers that speak SQS need not have it, it moves all messages or none,
//! it runs on in the server after the command has ended, one for each queue, and says only a count of what it did. The
//! price: a moved message is a new one (another id, sent now), and attributes that its sender gave it are not taken
//! along. Bucket notifications have none.

mod borrowed;
mod interrupt;
mod letter;
mod list;
mod persistence;
mod redrive;

use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use queue::{SqsQueue, SqsSettings};

use crate::arguments::{DlqCommand, QueueArguments};

pub(crate) async fn run(command: DlqCommand) -> anyhow::Result<ExitCode> {
    match command {
        DlqCommand::List(arguments) => {
            let queues = Queues::find(&arguments.queues).await?;
            list::run(&queues, &arguments).await
        }
        DlqCommand::Redrive(arguments) => {
            let queues = Queues::find(&arguments.queues).await?;
            redrive::run(&queues, &arguments).await
        }
    }
}

/// A work queue, and where its messages go that were received too often.
#[derive(Debug)]
struct Queues {
    work: SqsQueue,
    dead: SqsQueue,
}

impl Queues {
    async fn find(arguments: &QueueArguments) -> anyhow::Result<Self> {
        let settings = SqsSettings { queue_url: arguments.queue_url.clone(), ..SqsSettings::default() };
        let work = SqsQueue::connect(&settings).await.context("--queue-url")?;
        let dead = match &arguments.dead_letter_queue_url {
            Some(url) => work.sibling(url).context("--dead-letter-queue-url")?,
            None => behind(&work).await?,
        };
        ensure!(work.url() != dead.url(), "{} cannot be its own dead-letter queue", work.url());
        Ok(Self { work, dead })
    }
}

async fn behind(work: &SqsQueue) -> anyhow::Result<SqsQueue> {
    let found = work.dead_letter_url().await;
    let Some(url) = found.with_context(|| format!("the dead-letter queue of {}", work.url()))? else {
        bail!(
            "{} has no dead-letter queue: give it a RedrivePolicy (deadLetterTargetArn, maxReceiveCount), or name the \
             queue with --dead-letter-queue-url",
            work.url()
        );
    };
    Ok(work.sibling(&url)?)
}
