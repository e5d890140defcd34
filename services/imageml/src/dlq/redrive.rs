//! `imageml dlq redrive`.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use queue::{MAX_BATCH, Message, Queue, QueueError};
use serde::Serialize;
use serde_json::json;
use types::escape_key;

use super::Queues;
use super::borrowed::Borrowed;
use super::interrupt::Interrupt;
use super::persistence::{outage, persistently};
use crate::arguments::DlqRedriveArguments;
use crate::output;

/// Longer than a page takes with every try of its calls, and long enough to look for an id among many messages.
const HIDDEN_FOR: Duration = Duration::from_mins(10);

/// Failures that are said one by one to people.
const SHOWN: usize = 20;

/// Exit code 1 when something could not be moved.
pub(super) async fn run(queues: &Queues, arguments: &DlqRedriveArguments) -> anyhow::Result<ExitCode> {
    let depth = queues.dead.depth().await.with_context(|| queues.dead.url().to_owned())?;
    let there = depth.visible + depth.in_flight + depth.delayed;
    let style = ProgressStyle::with_template("{bar:32} {pos}/{len} {per_sec} {eta}")?;
    let bar = ProgressBar::new(there).with_style(style);
    let mut borrowed = Borrowed::from(&queues.dead, HIDDEN_FOR, Interrupt::watch());
    let mut mover = Mover::new(&queues.work, arguments.dry_run, bar);
    let ended = if arguments.id.is_empty() {
        mover.all(&mut borrowed, there).await
    } else {
        mover.these(&mut borrowed, arguments.id.iter().cloned().collect()).await
    };
    borrowed.give_back().await;
    mover.bar.finish_and_clear();
    report(queues, arguments, &mover.outcome)?;
    ended.with_context(|| format!("from {} to {}", queues.dead.url(), queues.work.url()))?;
    Ok(if mover.outcome.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What became of dead letters.
#[derive(Debug, Default)]
struct Outcome {
    redriven: u64,
    failed: Vec<Failure>,
    not_found: BTreeSet<String>,
    /// More came while these were moved.
    more: bool,
}

#[derive(Debug, Serialize)]
struct Failure {
    id: String,
    error: String,
}

impl Outcome {
    fn is_good(&self) -> bool {
        self.failed.is_empty() && self.not_found.is_empty()
    }

    fn fail(&mut self, message: &Message, error: impl ToString) {
        self.failed.push(Failure { id: message.id.clone(), error: error.to_string() });
    }
}

#[derive(Debug)]
struct Mover<'q> {
    work: &'q dyn Queue,
    dry_run: bool,
    /// Counts what was looked at.
    bar: ProgressBar,
    outcome: Outcome,
}

impl<'q> Mover<'q> {
    fn new(work: &'q dyn Queue, dry_run: bool, bar: ProgressBar) -> Self {
        Self { work, dry_run, bar, outcome: Outcome::default() }
    }

    /// Moves what there is, but no more than there was: a message that fails at once comes back, and would go round
    /// and round. The count is approximate, so a page is tried whatever it says.
    async fn all(&mut self, borrowed: &mut Borrowed<'_>, there: u64) -> anyhow::Result<()> {
        let mut left = usize::try_from(there)?.max(MAX_BATCH);
        while left > 0 {
            let messages = self.look(borrowed, left.min(MAX_BATCH)).await?;
            if messages.is_empty() {
                return Ok(());
            }
            left = left.saturating_sub(messages.len());
            self.redrive(borrowed, messages).await?;
        }
        self.outcome.more = !borrowed.next(1).await?.is_empty();
        Ok(())
    }

    /// Moves those with these ids; the others are held so that they do not come again, until the end.
    async fn these(
        &mut self,
        borrowed: &mut Borrowed<'_>,
        mut wanted: BTreeSet<String>,
    ) -> anyhow::Result<()> {
        while !wanted.is_empty() {
            let mut messages = self.look(borrowed, MAX_BATCH).await?;
            if messages.is_empty() {
                break;
            }
            messages.retain(|message| wanted.remove(&message.id));
            self.redrive(borrowed, messages).await?;
        }
        self.outcome.not_found = wanted;
        Ok(())
    }

    async fn look(&self, borrowed: &mut Borrowed<'_>, max: usize) -> anyhow::Result<Vec<Message>> {
        let messages = borrowed.next(max).await?;
        self.bar.inc(messages.len() as u64);
        Ok(messages)
    }

    /// First sent, then deleted: a message may double on the way but not get lost. Fails when a queue is away;
    /// messages that a queue does not take are failures of theirs.
    async fn redrive(&mut self, borrowed: &mut Borrowed<'_>, messages: Vec<Message>) -> anyhow::Result<()> {
        if self.dry_run {
            self.outcome.redriven += messages.len() as u64;
            return Ok(());
        }
        let work = self.work;
        let bodies: Vec<String> = messages.iter().map(|message| message.body.clone()).collect();
        let sent = persistently(&bodies, async |bodies| work.send(bodies).await).await;
        stop_at(outage(&sent), "sending to the work queue")?;
        let mut copied = Vec::with_capacity(messages.len());
        for (message, answer) in messages.into_iter().zip(sent) {
            match answer {
                Ok(()) => copied.push(message),
                Err(error) => self.outcome.fail(&message, error),
            }
        }
        let deleted = borrowed.delete(&copied).await;
        for (message, answer) in copied.iter().zip(&deleted) {
            match answer {
                Ok(()) => self.outcome.redriven += 1,
                Err(error) => {
                    self.outcome.fail(message, format!("is in both queues now, deleting it failed: {error}"));
                }
            }
        }
        stop_at(outage(&deleted), "deleting dead letters")
    }
}

fn stop_at(outage: Option<&QueueError>, doing: &'static str) -> anyhow::Result<()> {
    match outage {
        Some(error) => Err(error.clone()).context(doing),
        None => Ok(()),
    }
}

fn report(queues: &Queues, arguments: &DlqRedriveArguments, outcome: &Outcome) -> anyhow::Result<()> {
    let Outcome { redriven, failed, not_found, more } = outcome;
    if arguments.queues.json {
        return output::json(&json!({
            "queue": queues.work.url(),
            "dead_letter_queue": queues.dead.url(),
            "redriven": redriven,
            "dry_run": arguments.dry_run,
            "failed": failed,
            "not_found": not_found,
            "more": more,
        }));
    }
    for Failure { id, error } in failed.iter().take(SHOWN) {
        output::note(escape_key(&format!("not moved: {id}: {error}")));
    }
    if failed.len() > SHOWN {
        output::note(format!("not moved: {} more", failed.len() - SHOWN));
    }
    for id in not_found {
        output::note(format!("not moved: {id}: not among the visible messages of the dead-letter queue"));
    }
    if *more {
        output::note("more dead letters came meanwhile: run it again to move them");
    }
    let verb = if arguments.dry_run { "would go" } else { "went" };
    output::line(format!("{redriven} messages {verb} back to work"))
}
