//! Receipts of deliveries that are not ours, or of none.
//!
//! Servers differ: SQS answers `Ok` for a stale receipt and does nothing, ElasticMQ refuses it, moto obeys it and
//! deletes a message that somebody else works on. The contract allows all three, so nothing here depends on it.

use std::time::Duration;

use anyhow::ensure;

use super::fixture::{
    Fixture, MINUTE, all_ok, all_ok_or_lost, delete, look, queue, receipts, receive, receive_one, send,
};
use crate::Receipt;

/// The second delivery can be answered whatever the first one's holder does. Its message may be gone by then (moto).
pub async fn stale_receipts_do_no_harm(fixture: &dyn Fixture) -> anyhow::Result<()> {
    let queue = queue(fixture).await?;
    send(&*queue, &["deleted", "hidden"]).await?;
    let stale = receive(&*queue, 2, MINUTE).await?;
    all_ok(&queue.hide(&receipts(&stale), Duration::ZERO).await?)?;
    // Over, but not delivered anew.
    all_ok_or_lost(&queue.hide(&receipts(&stale), Duration::ZERO).await?)?;
    let current = receive(&*queue, 2, MINUTE).await?;
    let of = |body: &str| stale.iter().filter(|message| message.body == body).cloned().collect::<Vec<_>>();
    all_ok_or_lost(&queue.delete(&receipts(&of("deleted"))).await?)?;
    all_ok_or_lost(&queue.hide(&receipts(&of("hidden")), MINUTE).await?)?;
    all_ok_or_lost(&queue.hide(&receipts(&current), MINUTE).await?)?;
    all_ok_or_lost(&queue.delete(&receipts(&current)).await?)?;
    let depth = queue.depth().await?;
    ensure!(depth.visible + depth.in_flight == 0, "{depth:?}");
    Ok(())
}

/// Neither the call nor any message.
pub async fn garbage_receipts_do_no_harm(fixture: &dyn Fixture) -> anyhow::Result<()> {
    let queue = queue(fixture).await?;
    send(&*queue, &["body"]).await?;
    let message = receive_one(&*queue, MINUTE).await?;
    let mut cut = message.receipt.expose().to_owned();
    cut.pop();
    let garbage = [&message.id, "garbage", "Grüße <&\">", &cut, &"x".repeat(2_000)].map(Receipt::new);
    all_ok_or_lost(&queue.hide(&garbage, Duration::ZERO).await?)?;
    all_ok_or_lost(&queue.delete(&garbage).await?)?;
    ensure!(look(&*queue).await?.is_empty(), "garbage made it visible");
    all_ok(&queue.hide(&[message.receipt], Duration::ZERO).await?)?;
    let again = receive_one(&*queue, MINUTE).await?;
    ensure!(again.id == message.id, "{again:?}");
    Ok(())
}

/// An answer may be lost and its call repeated.
pub async fn deleting_twice_is_harmless(fixture: &dyn Fixture) -> anyhow::Result<()> {
    let queue = queue(fixture).await?;
    send(&*queue, &["deleted", "kept"]).await?;
    let messages = receive(&*queue, 2, MINUTE).await?;
    let (deleted, kept): (Vec<_>, Vec<_>) =
        messages.into_iter().partition(|message| message.body == "deleted");
    delete(&*queue, &deleted).await?;
    all_ok_or_lost(&queue.delete(&receipts(&deleted)).await?)?;
    all_ok_or_lost(&queue.hide(&receipts(&deleted), Duration::ZERO).await?)?;
    ensure!(look(&*queue).await?.is_empty(), "it came back");
    all_ok(&queue.hide(&receipts(&kept), Duration::ZERO).await?)?;
    ensure!(receive_one(&*queue, MINUTE).await?.body == "kept");
    Ok(())
}
