//! Several entries in one call.

use std::time::Duration;

use anyhow::ensure;

use super::fixture::{Fixture, MINUTE, all_ok, delete, look, queue, receipts, receive, send, sorted_bodies};
use crate::limits::MAX_BODY;
use crate::{Entry, MAX_BATCH, QueueError, Receipt};

/// As many as the contract allows.
pub async fn batches_of_ten_are_taken_in_all_calls(fixture: &dyn Fixture) -> anyhow::Result<()> {
    let queue = queue(fixture).await?;
    let bodies = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    send(&*queue, &bodies).await?;
    let messages = receive(&*queue, MAX_BATCH, MINUTE).await?;
    ensure!(sorted_bodies(&messages) == bodies, "{messages:?}");
    let hidden = queue.hide(&receipts(&messages), Duration::ZERO).await?;
    ensure!(hidden.len() == MAX_BATCH);
    all_ok(&hidden)?;
    let messages = receive(&*queue, MAX_BATCH, MINUTE).await?;
    ensure!(sorted_bodies(&messages) == bodies, "{messages:?}");
    let deleted = queue.delete(&receipts(&messages)).await?;
    ensure!(deleted.len() == MAX_BATCH);
    all_ok(&deleted)
}

/// More is refused before anything happens; nothing is fine and does nothing.
pub async fn batches_are_limited_to_ten(fixture: &dyn Fixture) -> anyhow::Result<()> {
    let queue = queue(fixture).await?;
    let bodies = vec!["body".to_owned(); MAX_BATCH + 1];
    let receipts = vec![Receipt::new("receipt"); MAX_BATCH + 1];
    for refused in [
        queue.send(&bodies).await.err(),
        queue.delete(&receipts).await.err(),
        queue.hide(&receipts, MINUTE).await.err(),
        queue.receive(MAX_BATCH + 1, Duration::ZERO, MINUTE).await.err(),
    ] {
        ensure!(matches!(refused, Some(QueueError::Invalid(_))), "{refused:?}");
    }
    for done in [queue.send(&[]).await, queue.delete(&[]).await, queue.hide(&[], MINUTE).await] {
        ensure!(done == Ok(Vec::new()), "{done:?}");
    }
    ensure!(queue.receive(0, MINUTE, MINUTE).await?.is_empty());
    ensure!(look(&*queue).await?.is_empty(), "some were sent");
    Ok(())
}

/// Each entry has its own answer, in the order of the arguments.
pub async fn one_bad_receipt_does_not_stop_the_good_ones(fixture: &dyn Fixture) -> anyhow::Result<()> {
    let queue = queue(fixture).await?;
    send(&*queue, &["1", "2", "3"]).await?;
    let messages = receive(&*queue, 3, MINUTE).await?;
    let mut mixed = receipts(&messages);
    mixed.insert(1, Receipt::new("no-receipt-of-this-queue"));
    for entries in [queue.hide(&mixed, MINUTE).await?, queue.delete(&mixed).await?] {
        let [Ok(()), Ok(()) | Err(QueueError::Lost(_)), Ok(()), Ok(())] = entries.as_slice() else {
            anyhow::bail!("{entries:?}");
        };
    }
    let depth = queue.depth().await?;
    ensure!(depth.visible + depth.in_flight == 0, "not all were deleted: {depth:?}");
    Ok(())
}

/// What a queue cannot carry is refused, by its entry.
pub async fn bad_bodies_are_refused_and_the_others_are_sent(fixture: &dyn Fixture) -> anyhow::Result<()> {
    let queue = queue(fixture).await?;
    let too_long = "x".repeat(MAX_BODY + 1);
    let bodies =
        ["first", "", "zero\0byte", "not a character: \u{ffff}", &too_long, "last"].map(str::to_owned);
    let entries = queue.send(&bodies).await?;
    let invalid = |entry: &Entry| matches!(entry, Err(QueueError::Invalid(_)));
    let as_expected = match entries.as_slice() {
        [first, bad @ .., last] => first.is_ok() && last.is_ok() && bad.len() == 4 && bad.iter().all(invalid),
        _ => false,
    };
    ensure!(as_expected, "{entries:?}");
    let messages = receive(&*queue, 2, MINUTE).await?;
    ensure!(sorted_bodies(&messages) == ["first", "last"], "{messages:?}");
    delete(&*queue, &messages).await?;
    ensure!(look(&*queue).await?.is_empty(), "more was sent");
    Ok(())
}

/// SQS takes as much in one request as in one body. Whoever sends need not know.
pub async fn bodies_too_long_for_one_request_are_sent(fixture: &dyn Fixture) -> anyhow::Result<()> {
    let queue = queue(fixture).await?;
    let bodies: Vec<_> = ["a", "b", "c"].iter().map(|c| c.repeat(MAX_BODY / 2)).collect();
    all_ok(&queue.send(&bodies).await?)?;
    let messages = receive(&*queue, bodies.len(), MINUTE).await?;
    ensure!(sorted_bodies(&messages) == bodies, "other bodies than were sent");
    Ok(())
}
