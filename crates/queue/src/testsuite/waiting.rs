//! The long poll.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::time::{Instant, sleep};

use super::fixture::{Fixture, MINUTE, PATIENCE, TICK, all_ok, queue, receive_one, send};

/// A message that arrives ends the wait.
pub async fn waiting_receive_ends_when_a_message_is_sent(fixture: &dyn Fixture) -> anyhow::Result<()> {
    let queue = queue(fixture).await?;
    let started = Instant::now();
    let sent = async {
        // So that the other call waits by then. If it does not, it finds the message, and that is right too.
        sleep(Duration::from_millis(500)).await;
        send(&*queue, &["body"]).await
    };
    let (received, sent) = tokio::join!(queue.receive(10, PATIENCE, MINUTE), sent);
    sent?;
    let message = received?.pop().context("a message")?;
    ensure!(message.body == "body", "{message:?}");
    ensure!(started.elapsed() < PATIENCE, "it waited for {:?}", started.elapsed());
    Ok(())
}

/// So does one that was hidden.
pub async fn waiting_receive_ends_when_a_hidden_message_comes_back(
    fixture: &dyn Fixture,
) -> anyhow::Result<()> {
    let queue = queue(fixture).await?;
    send(&*queue, &["body"]).await?;
    let first = receive_one(&*queue, Duration::from_secs(1)).await?;
    let started = Instant::now();
    let second = queue.receive(10, PATIENCE, MINUTE).await?.pop().context("a message")?;
    ensure!(second.id == first.id, "{second:?}");
    ensure!(started.elapsed() < PATIENCE, "it waited for {:?}", started.elapsed());
    Ok(())
}

/// And one that its holder gives back.
pub async fn waiting_receive_ends_when_a_message_is_given_back(fixture: &dyn Fixture) -> anyhow::Result<()> {
    let queue = queue(fixture).await?;
    send(&*queue, &["body"]).await?;
    let first = receive_one(&*queue, MINUTE).await?;
    let started = Instant::now();
    let given_back = async {
        // As above.
        sleep(Duration::from_millis(500)).await;
        all_ok(&queue.hide(&[first.receipt], Duration::ZERO).await?)
    };
    let (received, given_back) = tokio::join!(queue.receive(10, PATIENCE, MINUTE), given_back);
    given_back?;
    let second = received?.pop().context("a message")?;
    ensure!(second.id == first.id, "{second:?}");
    ensure!(started.elapsed() < PATIENCE, "it waited for {:?}", started.elapsed());
    Ok(())
}

/// No message is no error, and no reason to come back early.
pub async fn waiting_for_nothing_ends_empty(fixture: &dyn Fixture) -> anyhow::Result<()> {
    const WAIT: Duration = Duration::from_secs(1);
    let queue = queue(fixture).await?;
    let started = Instant::now();
    let none = queue.receive(10, WAIT, MINUTE).await?;
    ensure!(none.is_empty(), "{none:?}");
    ensure!(started.elapsed() + TICK >= WAIT, "it came back after {:?}", started.elapsed());
    ensure!(queue.receive(10, Duration::ZERO, MINUTE).await?.is_empty());
    ensure!(started.elapsed() < WAIT + Duration::from_secs(15), "it waited for {:?}", started.elapsed());
    Ok(())
}
