//! `imageml dlq list`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use queue::MAX_BATCH;
use serde_json::{Value, json};

use super::Queues;
use super::borrowed::Borrowed;
use super::interrupt::Interrupt;
use super::letter::Letter;
use crate::arguments::DlqListArguments;
use crate::output;

const HIDDEN_FOR_AT_LEAST: Duration = Duration::from_secs(30);

/// Many times what a page takes, so that what was listed does not come back while the rest is.
const HIDDEN_PER_PAGE: Duration = Duration::from_secs(3);

pub(super) async fn run(queues: &Queues, arguments: &DlqListArguments) -> anyhow::Result<ExitCode> {
    let limit = usize::from(arguments.limit);
    let pages = u32::from(arguments.limit).div_ceil(MAX_BATCH as u32);
    let hidden_for = HIDDEN_FOR_AT_LEAST.max(HIDDEN_PER_PAGE * pages);
    let mut borrowed = Borrowed::from(&queues.dead, hidden_for, Interrupt::watch());
    let read = read(&mut borrowed, limit).await;
    borrowed.give_back().await;
    let letters = read.with_context(|| queues.dead.url().to_owned())?;
    let complete = letters.len() < limit;
    if arguments.queues.json {
        let messages: Vec<Value> = letters.iter().map(Letter::document).collect();
        output::json(&json!({
            "queue": queues.work.url(),
            "dead_letter_queue": queues.dead.url(),
            "messages": messages,
            "complete": complete,
        }))?;
    } else if letters.is_empty() {
        output::line("no dead letters")?;
    } else {
        output::line(table(&letters))?;
    }
    if !complete {
        output::note(format!("there may be more than these {limit}: --limit shows them"));
    }
    Ok(ExitCode::SUCCESS)
}

/// In the order in which they were sent, as far as the queue says it.
async fn read(borrowed: &mut Borrowed<'_>, limit: usize) -> anyhow::Result<Vec<Letter>> {
    let mut letters = Vec::new();
    while letters.len() < limit {
        let messages = borrowed.next(MAX_BATCH.min(limit - letters.len())).await?;
        if messages.is_empty() {
            break;
        }
        letters.extend(messages.iter().map(Letter::read));
    }
    letters.sort_by(|a, b| (a.sent_at, &a.id).cmp(&(b.sent_at, &b.id)));
    Ok(letters)
}

fn table(letters: &[Letter]) -> String {
    let rows = letters.iter().map(|letter| {
        vec![
            letter.id.clone(),
            letter.receive_count.to_string(),
            letter.sent_at.map(output::time).unwrap_or_default(),
            letter.about.text(),
            letter.preview.clone(),
        ]
    });
    output::table(&["id", "received", "sent", "about", "body"], &[1], rows)
}
