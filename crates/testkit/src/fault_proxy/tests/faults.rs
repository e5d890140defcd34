use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use tokio::sync::Semaphore;

use super::{Echo, MOMENT, SOON, with_fault, works_without_rules};
use crate::fault_proxy::{Cut, Fault};
use crate::until;

async fn until_seen(echo: &Echo, count: usize) -> anyhow::Result<()> {
    until("the server has seen it", SOON, async || Ok((echo.seen().len() == count).then_some(()))).await
}

#[tokio::test]
async fn delayed_requests_and_answers_come_late() -> anyhow::Result<()> {
    for fault in [Fault::Delay(MOMENT), Fault::DelayAnswer(MOMENT)] {
        let (_echo, _proxy, mut client) = with_fault(fault).await?;
        let begun = Instant::now();
        let answer = client.ask("GET", "/a", "").await?;
        ensure!(begun.elapsed() >= MOMENT, "{:?}", begun.elapsed());
        assert_eq!(answer, (200, "/a".to_owned()));
    }
    Ok(())
}

#[tokio::test]
async fn held_requests_reach_the_server_one_for_each_permit() -> anyhow::Result<()> {
    let gate = Arc::new(Semaphore::new(0));
    let (echo, proxy, mut client) = with_fault(Fault::HoldUntil(Arc::clone(&gate))).await?;
    client.send("PUT", "/a", "x").await?;
    ensure!(client.hears_nothing().await);
    ensure!(echo.seen().is_empty(), "{:?}", echo.seen());
    assert_eq!(proxy.count(|request| request.status.is_none()), 1, "it is in the log while it is held");
    gate.add_permits(1);
    assert_eq!(client.answer("PUT").await?, (200, "x".to_owned()));
    client.send("PUT", "/b", "y").await?;
    ensure!(client.hears_nothing().await, "the permit is spent");
    gate.close();
    assert_eq!(client.answer("PUT").await?, (200, "y".to_owned()));
    Ok(())
}

#[tokio::test]
async fn held_answers_come_after_the_deed_also_to_clients_that_have_gone() -> anyhow::Result<()> {
    let gate = Arc::new(Semaphore::new(0));
    let (echo, proxy, mut client) = with_fault(Fault::HoldAnswerUntil(Arc::clone(&gate))).await?;
    client.send("PUT", "/a", "x").await?;
    until_seen(&echo, 1).await?;
    ensure!(client.hears_nothing().await);
    gate.add_permits(1);
    assert_eq!(client.answer("PUT").await?, (200, "x".to_owned()));

    proxy.clear();
    proxy.add(crate::Rule::new(crate::Matcher::any(), Fault::Delay(MOMENT)));
    client.send("PUT", "/b", "y").await?;
    drop(client);
    until_seen(&echo, 2).await
}

#[tokio::test]
async fn an_answer_of_the_proxy_never_reaches_the_server() -> anyhow::Result<()> {
    let (echo, proxy, mut client) = with_fault(Fault::s3_error(503, "SlowDown")).await?;
    let (status, body) = client.ask("PUT", "/a", "body").await?;
    assert_eq!(status, 503);
    ensure!(body.contains("<Code>SlowDown</Code>"), "{body}");
    assert_eq!(client.ask("HEAD", "/b", "").await?, (503, String::new()));
    ensure!(echo.seen().is_empty());
    proxy.clear();
    let after = client.ask("GET", "/c", "").await?;
    assert_eq!(after, (200, "/c".to_owned()), "the connection goes on");
    Ok(())
}

#[tokio::test]
async fn an_answer_of_the_proxy_does_not_wait_for_a_body_that_was_not_asked_for() -> anyhow::Result<()> {
    let (_echo, _proxy, mut client) = with_fault(Fault::status(503)).await?;
    client.send_with("PUT", "/a", "Expect: 100-continue\r\nX-Length: 9\r\n", "").await?;
    assert_eq!(client.answer("PUT").await?.0, 503);
    let (rest, end) = client.rest().await?;
    ensure!(rest.is_empty() && end.is_ok(), "the connection ends");
    Ok(())
}

#[tokio::test]
async fn refused_requests_end_the_connection_unheard() -> anyhow::Result<()> {
    for (how, kind) in [(Cut::Fin, None), (Cut::Rst, Some(ErrorKind::ConnectionReset))] {
        let (echo, proxy, mut client) = with_fault(Fault::Refuse(how)).await?;
        client.send("GET", "/a", "").await?;
        let (rest, end) = client.rest().await?;
        assert_eq!((rest.as_str(), end.err().map(|error| error.kind())), ("", kind));
        ensure!(echo.seen().is_empty());
        works_without_rules(&proxy).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_lost_answer_is_that_of_a_deed() -> anyhow::Result<()> {
    for (how, kind) in [(Cut::Fin, None), (Cut::Rst, Some(ErrorKind::ConnectionReset))] {
        let (echo, proxy, mut client) = with_fault(Fault::LoseAnswer(how)).await?;
        client.send("PUT", "/a", "x").await?;
        let (rest, end) = client.rest().await?;
        assert_eq!((rest.as_str(), end.err().map(|error| error.kind())), ("", kind));
        assert_eq!(echo.seen(), ["PUT /a"]);
        assert_eq!(proxy.count(|request| request.status.is_some()), 0);
        works_without_rules(&proxy).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_cut_answer_ends_after_so_many_bytes_of_its_body() -> anyhow::Result<()> {
    for (how, kind) in [(Cut::Fin, None), (Cut::Rst, Some(ErrorKind::ConnectionReset))] {
        let (_echo, proxy, mut client) = with_fault(Fault::CutResponseAfter { bytes: 4, how }).await?;
        assert_eq!(client.ask("GET", "/abc", "").await?.1, "/abc", "four bytes are not cut");
        client.send("GET", "/abcdefg", "").await?;
        let (rest, end) = client.rest().await?;
        let (head, body) = rest.split_once("\r\n\r\n").context("a head")?;
        ensure!(head.contains("Content-Length: 8"), "{head}");
        assert_eq!((body, end.err().map(|error| error.kind())), ("/abc", kind));
        assert_eq!(proxy.count(|request| request.status == Some(200) && request.answered_at.is_none()), 1);
    }
    Ok(())
}

#[tokio::test]
async fn a_stalled_answer_stays_open_after_so_many_bytes_of_its_body() -> anyhow::Result<()> {
    let (_echo, proxy, mut client) = with_fault(Fault::StallResponseAfter(2)).await?;
    client.send("GET", "/abc", "").await?;
    let head = client.0.from.head().await?.context("a head")?;
    let mut body = head.answer_body("GET")?;
    let mut come = Vec::new();
    while come.len() < 2 {
        come.extend(body.next(&mut client.0.from).await?.context("two bytes")?);
    }
    assert_eq!(come, b"/a");
    ensure!(client.hears_nothing().await);
    works_without_rules(&proxy).await
}

#[tokio::test]
async fn throttled_bodies_pass_whole_and_slowly_both_ways() -> anyhow::Result<()> {
    let (_echo, _proxy, mut client) = with_fault(Fault::Throttle { bytes_per_second: 100_000 }).await?;
    let body = "x".repeat(10_000);
    let begun = Instant::now();
    let (_, back) = client.ask("PUT", "/a", &body).await?;
    // 10,000 bytes there and back at 100,000 bytes a second.
    ensure!(begun.elapsed().as_millis() >= 200, "{:?}", begun.elapsed());
    ensure!(back == body);
    Ok(())
}

#[tokio::test]
async fn a_blackhole_says_nothing_and_does_nothing() -> anyhow::Result<()> {
    let (echo, proxy, mut client) = with_fault(Fault::Blackhole).await?;
    client.send("GET", "/a", "").await?;
    ensure!(client.hears_nothing().await);
    ensure!(echo.seen().is_empty());
    works_without_rules(&proxy).await
}

#[tokio::test]
async fn a_rewritten_body_has_its_own_length() -> anyhow::Result<()> {
    let rewrite = Fault::RewriteBody(Arc::new(|body| [body.as_slice(), b"?!"].concat()));
    let (_echo, _proxy, mut client) = with_fault(rewrite).await?;
    assert_eq!(client.ask("GET", "/a", "").await?, (200, "/a?!".to_owned()));
    assert_eq!(client.ask("HEAD", "/a", "").await?, (200, String::new()));
    assert_eq!(client.ask("PUT", "/a", "b").await?, (200, "b?!".to_owned()));
    Ok(())
}

#[tokio::test]
async fn a_duplicated_request_is_done_twice_and_answered_once() -> anyhow::Result<()> {
    let (echo, _proxy, mut client) = with_fault(Fault::Duplicate).await?;
    assert_eq!(client.ask("PUT", "/a", "body").await?, (200, "body".to_owned()));
    assert_eq!(echo.seen(), ["PUT /a", "PUT /a"]);
    ensure!(client.hears_nothing().await);
    Ok(())
}
