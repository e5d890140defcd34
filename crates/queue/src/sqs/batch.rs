//! Calls for several entries at once.

use std::ops::Range;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry,
    SendMessageBatchRequestEntry,
};

use super::errors::{classify, classify_entry, hush};
use crate::{Entry, QueueError};

/// What is done with each entry.
#[derive(Debug, Clone, Copy)]
pub(super) enum Action {
    /// Entries are receipts.
    Delete,
    /// Entries are receipts.
    Hide { seconds: u16 },
    /// Entries are bodies.
    Send,
}

/// Does it, in one request if the server takes it.
///
/// A server may refuse the whole request for what one entry has (moto for a body that is too long, SQS when the bodies
/// are too long together). Then the halves are tried, so that the refusal ends up where it belongs. Nothing of a
/// refused request was done.
pub(super) async fn run(
    client: &Client,
    queue_url: &str,
    action: Action,
    entries: &[&str],
) -> Result<Vec<Entry>, QueueError> {
    let mut answers = vec![unanswered(); entries.len()];
    let mut parts = Vec::from([Range { start: 0, end: entries.len() }]);
    while let Some(part) = parts.pop() {
        let asked = entries.get(part.clone()).unwrap_or_default();
        let slots = answers.get_mut(part.clone()).unwrap_or_default();
        match request(client, queue_url, action, asked).await {
            Ok(answered) => slots.clone_from_slice(&answered),
            Err(QueueError::Invalid(_) | QueueError::Lost(_)) if part.len() > 1 => {
                parts.extend(halves(&part))
            }
            Err(error @ (QueueError::Invalid(_) | QueueError::Lost(_))) => slots.fill(Err(error)),
            Err(error) if part.len() == entries.len() => return Err(error),
            // Other parts may have been done.
            Err(error) => slots.fill(Err(error)),
        }
    }
    Ok(answers)
}

fn halves(part: &Range<usize>) -> [Range<usize>; 2] {
    let middle = part.start + part.len() / 2;
    // The last one is done first, and messages may as well go in their order.
    [middle..part.end, part.start..middle]
}

async fn request(
    client: &Client,
    queue_url: &str,
    action: Action,
    entries: &[&str],
) -> Result<Vec<Entry>, QueueError> {
    match action {
        Action::Delete => delete(client, queue_url, entries).await,
        Action::Hide { seconds } => hide(client, queue_url, entries, seconds).await,
        Action::Send => send(client, queue_url, entries).await,
    }
}

async fn delete(client: &Client, queue_url: &str, receipts: &[&str]) -> Result<Vec<Entry>, QueueError> {
    let build = |(id, receipt): (usize, &&str)| {
        DeleteMessageBatchRequestEntry::builder().id(id.to_string()).receipt_handle(*receipt).build()
    };
    let entries = receipts.iter().enumerate().map(build).collect::<Result<_, _>>().expect(COMPLETE);
    let call = client.delete_message_batch().queue_url(queue_url).set_entries(Some(entries));
    let done = call.send().await.map_err(|error| hush(classify(error), receipts))?;
    let mut answers = by_id(receipts, done.successful().iter().map(|entry| entry.id()), done.failed());
    hush_all(&mut answers, receipts);
    Ok(answers)
}

async fn hide(
    client: &Client,
    queue_url: &str,
    receipts: &[&str],
    seconds: u16,
) -> Result<Vec<Entry>, QueueError> {
    let build = |(id, receipt): (usize, &&str)| {
        ChangeMessageVisibilityBatchRequestEntry::builder()
            .id(id.to_string())
            .receipt_handle(*receipt)
            .visibility_timeout(seconds.into())
            .build()
    };
    let entries = receipts.iter().enumerate().map(build).collect::<Result<_, _>>().expect(COMPLETE);
    let call = client.change_message_visibility_batch().queue_url(queue_url).set_entries(Some(entries));
    let done = call.send().await.map_err(|error| hush(classify(error), receipts))?;
    let mut answers = by_id(receipts, done.successful().iter().map(|entry| entry.id()), done.failed());
    hush_all(&mut answers, receipts);
    Ok(answers)
}

async fn send(client: &Client, queue_url: &str, bodies: &[&str]) -> Result<Vec<Entry>, QueueError> {
    let build = |(id, body): (usize, &&str)| {
        SendMessageBatchRequestEntry::builder().id(id.to_string()).message_body(*body).build()
    };
    let entries = bodies.iter().enumerate().map(build).collect::<Result<_, _>>().expect(COMPLETE);
    let call = client.send_message_batch().queue_url(queue_url).set_entries(Some(entries));
    let done = call.send().await.map_err(classify)?;
    Ok(by_id(bodies, done.successful().iter().map(|entry| entry.id()), done.failed()))
}

const COMPLETE: &str = "every required field is set";

/// What the server says of each entry. It may answer in any order; ids are the entries' places.
fn by_id<'a>(
    entries: &[&str],
    successful: impl Iterator<Item = &'a str>,
    failed: &[BatchResultErrorEntry],
) -> Vec<Entry> {
    let mut answers = vec![unanswered(); entries.len()];
    let answered = successful.map(|id| (id, Ok(())));
    for (id, answer) in answered.chain(failed.iter().map(|entry| (entry.id(), Err(classify_entry(entry))))) {
        if let Some(slot) = id.parse::<usize>().ok().and_then(|place| answers.get_mut(place)) {
            *slot = answer;
        }
    }
    answers
}

fn unanswered() -> Entry {
    Err(QueueError::Unavailable("the answer says nothing of this entry".to_owned()))
}

fn hush_all(answers: &mut [Entry], receipts: &[&str]) {
    for answer in answers {
        if let Err(error) = answer {
            *error = hush(error.clone(), receipts);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_cover_the_part_and_end() {
        assert_eq!(halves(&(0..2)), [1..2, 0..1]);
        assert_eq!(halves(&(5..10)), [7..10, 5..7]);
    }
}
