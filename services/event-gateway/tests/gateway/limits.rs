//! Senders that take too much.

use std::time::{Duration, Instant};

use anyhow::ensure;
use event_gateway::Limits;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::client::{Connection, authorization, expect, get, post, request};
use crate::rig::{Rig, event};

const SECOND: Duration = Duration::from_secs(1);

fn quick() -> Limits {
    Limits { first_head: SECOND, next_head: SECOND, body: SECOND, ..Limits::default() }
}

/// Sends `start`, then a byte a second, and answers what came back until the connection was closed.
async fn trickle(stream: TcpStream, start: Vec<u8>, more: bool) -> anyhow::Result<String> {
    let (mut from, mut to) = stream.into_split();
    let slowly = tokio::spawn(async move {
        to.write_all(&start).await.ok();
        loop {
            tokio::time::sleep(Duration::from_millis(900)).await;
            if more && to.write_all(b"x").await.is_err() {
                return;
            }
        }
    });
    let mut answer = Vec::new();
    from.read_to_end(&mut answer).await.ok();
    slowly.abort();
    Ok(String::from_utf8(answer)?)
}

/// S-47.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_idle_and_slow_senders_stop_nobody() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    let address = rig.address;
    let body =
        format!("POST /webhook HTTP/1.1\r\nHost: g\r\n{}\r\nContent-Length: 9999\r\n\r\n", authorization());
    let (mut silent, mut slow) = (JoinSet::new(), JoinSet::new());
    for n in 0..1_000 {
        let stream = TcpStream::connect(address).await?;
        match n % 3 {
            0 => silent.spawn(trickle(stream, Vec::new(), false)),
            1 => silent.spawn(trickle(stream, b"POST /webhook HTTP/1.1\r\nX: ".to_vec(), true)),
            _ => slow.spawn(trickle(stream, body.clone().into_bytes(), true)),
        };
    }
    let open = rig.scrape().await?.value("imageml_gateway_connections", &[]);
    ensure!(open > 500.0, "only {open} are open at a time");
    for n in 0..20 {
        let started = Instant::now();
        expect(200, &post(address, event(&n.to_string())).await?)?;
        expect(200, &get(address, "/healthz").await?)?;
        ensure!(started.elapsed() < 2 * SECOND, "{:?}", started.elapsed());
    }
    let closed = async {
        for answer in silent.join_all().await {
            assert_eq!(answer?, "", "a head that never came");
        }
        for answer in slow.join_all().await {
            let answer = answer?;
            ensure!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(15 * SECOND, closed).await??;
    rig.gauge_is("imageml_gateway_connections", 0.0).await?;
    assert_eq!((rig.outcomes("timeout").await?, rig.outcomes("accepted").await?), (333, 20));
    Ok(())
}

#[tokio::test]
async fn large_bodies_are_refused_announced_or_not() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    let head = format!("POST /webhook HTTP/1.1\r\nHost: g\r\n{}\r\n", authorization());
    for more in
        ["Content-Length: 1048577\r\n\r\n", "Content-Length: 1073741824\r\nExpect: 100-continue\r\n\r\n"]
    {
        let mut sender = Connection::open(rig.address).await?;
        sender.write(format!("{head}{more}").as_bytes()).await;
        expect(413, &sender.answer().await?)?;
        sender.closed().await?;
    }
    let mut sender = Connection::open(rig.address).await?;
    sender.write(format!("{head}Transfer-Encoding: chunked\r\n\r\n").as_bytes()).await;
    let chunk = [b"10000\r\n", "x".repeat(0x10000).as_bytes(), b"\r\n"].concat();
    for _ in 0..17 {
        sender.write(&chunk).await;
    }
    expect(413, &sender.answer().await?)?;
    assert_eq!(rig.outcomes("too_large").await?, 3);
    assert_eq!(rig.queue.bodies().await?, Vec::<String>::new());
    Ok(())
}

#[tokio::test]
async fn a_body_that_does_not_end_is_answered_408() -> anyhow::Result<()> {
    let rig = Rig::with(quick(), 25 * SECOND).await?;
    let mut sender = Connection::open(rig.address).await?;
    let head =
        format!("POST /webhook HTTP/1.1\r\nHost: g\r\n{}\r\nContent-Length: 5\r\n\r\n1234", authorization());
    sender.write(head.as_bytes()).await;
    expect(408, &sender.answer().await?)?;
    sender.closed().await?;
    Ok(())
}

#[tokio::test]
async fn connections_are_kept_between_requests_but_not_for_ever() -> anyhow::Result<()> {
    let rig = Rig::with(Limits { first_head: SECOND / 2, ..quick() }, 25 * SECOND).await?;
    let mut sender = Connection::open(rig.address).await?;
    for key in ["a", "b"] {
        sender.write(&request("POST /webhook", &[&authorization()], event(key).as_bytes())).await;
        expect(200, &sender.answer().await?)?;
        // Longer than the first head may take.
        tokio::time::sleep(SECOND * 6 / 10).await;
    }
    assert_eq!(sender.closed().await?, "");
    Ok(())
}

#[tokio::test]
async fn old_connections_are_closed_after_an_answer() -> anyhow::Result<()> {
    let rig = Rig::with(Limits { connection_age: SECOND / 2, ..Limits::default() }, 25 * SECOND).await?;
    rig.queue_is_away(true);
    let mut sender = Connection::open(rig.address).await?;
    sender.write(&request("POST /webhook", &[&authorization()], event("a").as_bytes())).await;
    rig.gauge_is("imageml_gateway_in_flight", 1.0).await?;
    tokio::time::sleep(SECOND * 6 / 10).await;
    rig.queue_is_away(false);
    expect(200, &sender.answer().await?)?;
    assert_eq!(sender.closed().await?, "");
    Ok(())
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_their_turn() -> anyhow::Result<()> {
    let rig = Rig::with(Limits { connections: 2, ..quick() }, 25 * SECOND).await?;
    let idle = [Connection::open(rig.address).await?, Connection::open(rig.address).await?];
    rig.gauge_is("imageml_gateway_connections", 2.0).await?;
    expect(200, &post(rig.address, event("a")).await?)?;
    for mut connection in idle {
        connection.closed().await?;
    }
    Ok(())
}

#[tokio::test]
async fn more_requests_than_allowed_are_shed_at_once() -> anyhow::Result<()> {
    let rig = Rig::with(Limits { requests: 2, ..Limits::default() }, 25 * SECOND).await?;
    rig.queue_is_away(true);
    let held: Vec<_> = ["a", "b"].map(|key| tokio::spawn(post(rig.address, event(key)))).into();
    rig.gauge_is("imageml_gateway_in_flight", 2.0).await?;
    let shed = post(rig.address, event("c")).await?;
    expect(503, &shed)?;
    ensure!(shed.head.to_lowercase().contains("retry-after: 1"), "{shed:?}");
    rig.queue_is_away(false);
    for held in held {
        expect(200, &held.await??)?;
    }
    expect(200, &post(rig.address, event("c")).await?)?;
    assert_eq!(rig.outcomes("overloaded").await?, 1);
    Ok(())
}

#[tokio::test]
async fn bodies_share_a_budget_of_memory() -> anyhow::Result<()> {
    let rig = Rig::with(Limits { memory_bytes: 100_000, ..Limits::default() }, 25 * SECOND).await?;
    let body = |key: &str| format!("{}{}", event(key), " ".repeat(60_000));
    // Each alone fits. While both are being read, one of them does not.
    let unfinished = request("POST /webhook", &[&authorization()], body("a").as_bytes());
    let mut slow = Connection::open(rig.address).await?;
    slow.write(unfinished.get(..unfinished.len() - 1).unwrap_or_default()).await;
    let full = testkit::until("the budget is taken", 4 * SECOND, async || {
        let answer = post(rig.address, body("b")).await?;
        Ok((answer.status == 503).then_some(answer))
    });
    assert_eq!(full.await?.body, "overloaded\n");
    slow.write(b" ").await;
    expect(200, &slow.answer().await?)?;
    expect(200, &post(rig.address, body("c")).await?)?;
    Ok(())
}
