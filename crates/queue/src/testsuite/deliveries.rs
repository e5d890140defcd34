//! The life of a message.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, ensure};
use tokio::time::{Instant, sleep};

use super::fixture::{
    Fixture, MINUTE, OFTEN, PATIENCE, TICK, all_ok, delete, look, queue, receipts, receive, receive_one,
    send, sorted_bodies,
};
use crate::{Depth, Queue};

/// Bodies are not touched on their way, and a first delivery says that it is one.
pub async fn sent_messages_are_received_whole(fixture: &dyn Fixture) -> anyhow::Result<()> {
    let queue = queue(fixture).await?;
    let long = "0123456789abcdef".repeat(12_500);
    ensure!(long.len() == 200_000);
    let mut bodies = [
        r#"{"Records":[{"s3":{"object":{"key":"a+b%20c%C3%A9"}}}]}"#,
        "line\nline\r\n\ttab, \"quotes\", 'quotes', \\ and </Body> &amp; <![CDATA[x]]>",
        " Grüße, 你好, 🐈, e\u{301}, \u{fffd}, \u{10ffff} ",
        long.as_str(),
    ];
    send(&*queue, &bodies).await?;
    let messages = receive(&*queue, bodies.len(), MINUTE).await?;
    bodies.sort_unstable();
    ensure!(sorted_bodies(&messages) == bodies, "other bodies than were sent");
    let ids: BTreeSet<_> = messages.iter().map(|message| &message.id).collect();
    ensure!(ids.len() == bodies.len() && !ids.contains(&String::new()), "ids are not distinct: {ids:?}");
    for message in &messages {
        ensure!(message.receive_count == 1, "{} deliveries before the first", message.receive_count);
        // A queue need not say when; but it must not say another year.
        let year = Duration::from_secs(365 * 24 * 3_600);
        ensure!(
            message.sent_at.is_none_or(|at| at > SystemTime::UNIX_EPOCH + 50 * year),
            "{:?}",
            message.sent_at
        );
    }
    Ok(())
}

/// A delivery hides its message for the time that it asked for, and the next one is another.
pub async fn hidden_messages_come_back_with_another_receipt(fixture: &dyn Fixture) -> anyhow::Result<()> {
    const VISIBILITY: Duration = Duration::from_secs(2);
    let queue = queue(fixture).await?;
    send(&*queue, &["body"]).await?;
    let received = Instant::now();
    let first = receive_one(&*queue, VISIBILITY).await?;
    let early = look(&*queue).await?.pop();
    let second = match early {
        None => receive_one(&*queue, MINUTE).await?,
        Some(early) => early,
    };
    ensure!(received.elapsed() + TICK >= VISIBILITY, "back after {:?}", received.elapsed());
    ensure!((&second.id, &second.body) == (&first.id, &first.body), "another message: {second:?}");
    ensure!((first.receive_count, second.receive_count) == (1, 2), "{first:?}, {second:?}");
    ensure!(second.receipt != first.receipt, "the same receipt twice");
    Ok(())
}

/// Hiding for zero gives a message back.
pub async fn hiding_for_zero_makes_visible_at_once(fixture: &dyn Fixture) -> anyhow::Result<()> {
    let queue = queue(fixture).await?;
    send(&*queue, &["body"]).await?;
    let first = receive_one(&*queue, MINUTE).await?;
    ensure!(look(&*queue).await?.is_empty(), "it is not hidden");
    all_ok(&queue.hide(&[first.receipt], Duration::ZERO).await?)?;
    let second = receive_one(&*queue, MINUTE).await?;
    ensure!((&second.id, second.receive_count) == (&first.id, 2), "{second:?}");
    Ok(())
}

/// The time counts anew from `hide`, whether it is longer or shorter than before.
pub async fn hiding_anew_replaces_the_first_deadline(fixture: &dyn Fixture) -> anyhow::Result<()> {
    const FIRST: Duration = Duration::from_secs(2);
    const LONGER: Duration = Duration::from_secs(4);
    let queue = queue(fixture).await?;
    send(&*queue, &["longer"]).await?;
    let first = receive_one(&*queue, FIRST).await?;
    let extended = Instant::now();
    all_ok(&queue.hide(&[first.receipt], LONGER).await?)?;
    let second = receive_one(&*queue, MINUTE).await?;
    ensure!(extended.elapsed() + TICK >= LONGER, "back after {:?}", extended.elapsed());
    ensure!(second.receive_count == 2, "{second:?}");

    let shortened = Instant::now();
    all_ok(&queue.hide(&[second.receipt], Duration::from_secs(1)).await?)?;
    receive_one(&*queue, MINUTE).await?;
    ensure!(shortened.elapsed() + TICK >= Duration::from_secs(1), "back after {:?}", shortened.elapsed());
    Ok(())
}

/// Neither when their time would be over, nor otherwise.
pub async fn deleted_messages_never_come_back(fixture: &dyn Fixture) -> anyhow::Result<()> {
    let queue = queue(fixture).await?;
    send(&*queue, &["deleted", "kept"]).await?;
    let messages = receive(&*queue, 2, Duration::from_secs(1)).await?;
    let (deleted, kept): (Vec<_>, Vec<_>) =
        messages.into_iter().partition(|message| message.body == "deleted");
    delete(&*queue, &deleted).await?;
    let back = receive_one(&*queue, MINUTE).await?;
    ensure!(kept.first().is_some_and(|kept| kept.id == back.id), "{back:?} came back");
    let more = queue.receive(10, Duration::from_secs(1), MINUTE).await?;
    ensure!(more.is_empty(), "{more:?} came back");
    Ok(())
}

/// The last delivery that is allowed is made; the one after it goes to the other queue, whole.
pub async fn messages_received_too_often_become_dead_letters(fixture: &dyn Fixture) -> anyhow::Result<()> {
    let fresh = fixture.fresh(2).await?;
    let queue = &*fresh.queue;
    send(queue, &["poison"]).await?;
    for delivery in 1..=2 {
        let message = receive_one(queue, MINUTE).await?;
        ensure!(message.receive_count == delivery, "{message:?}");
        all_ok(&queue.hide(&receipts(&[message]), Duration::ZERO).await?)?;
    }
    // Looking moves it. It may take a moment to be visible again.
    let dead = async {
        loop {
            ensure!(look(queue).await?.is_empty(), "it was delivered a third time");
            if let Some(dead) = look(&*fresh.dead_letters).await?.pop() {
                return Ok(dead);
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    let dead = tokio::time::timeout(PATIENCE, dead).await.context("no dead letter came")??;
    ensure!(dead.body == "poison", "{dead:?}");
    all_ok(&fresh.dead_letters.delete(&[dead.receipt]).await?)?;
    ensure!(queue.depth().await? == Depth::default(), "it is in both queues");
    Ok(())
}

/// Approximately, and after a while; but here nothing else moves, so it must come to be true.
pub async fn depth_counts_what_waits_and_what_is_hidden(fixture: &dyn Fixture) -> anyhow::Result<()> {
    let queue = fixture.fresh(OFTEN).await?.queue;
    depth_becomes(&*queue, Depth::default()).await?;
    send(&*queue, &["1", "2", "3"]).await?;
    depth_becomes(&*queue, Depth { visible: 3, ..Depth::default() }).await?;
    let received = receive(&*queue, 2, MINUTE).await?;
    depth_becomes(&*queue, Depth { visible: 1, in_flight: 2, delayed: 0 }).await?;
    delete(&*queue, &received).await?;
    depth_becomes(&*queue, Depth { visible: 1, ..Depth::default() }).await
}

async fn depth_becomes(queue: &dyn Queue, expected: Depth) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let depth = queue.depth().await?;
        if depth == expected {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "{depth:?} does not become {expected:?}");
        sleep(Duration::from_millis(100)).await;
    }
}
