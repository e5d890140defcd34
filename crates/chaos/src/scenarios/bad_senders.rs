//! Senders that want to take all that the gateway has.

use std::future::pending;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures::future::try_join_all;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::rig::webhooks::{RunningGateway, Sender, read_answer, webhook_body, webhook_head};
use crate::scenarios::gateway::HOLD;
use crate::{Rig, Verdict};

const PATIENCE: Duration = Duration::from_secs(120);
/// No bad connection stays open longer.
const CLOSED: Duration = Duration::from_secs(10);
const SILENT: usize = 2000;

/// S-47.
pub(super) async fn all_at_once(rig: &mut Rig) -> anyhow::Result<Verdict> {
    allow_open_files(2 * SILENT as u64)?;
    let mut gateway = rig.running_gateway(HOLD).await?;
    let (address, mut pods) = (gateway.address, rig.ingests(1).await?);
    let (mut times, mut connections) = (Vec::new(), 0.0);
    tokio::select! {
        attacked = attack(address) => attacked?,
        failed = probe(&mut gateway, &mut times, &mut connections) => failed?,
    }
    ensure!(connections > 0.75 * SILENT as f64, "at most {connections} connections were open at a time");
    times.sort_unstable();
    let late = times.get(times.len() * 95 / 100).context("/healthz was asked")?;
    ensure!(times.len() >= 20, "/healthz was answered only {} times", times.len());
    ensure!(*late < Duration::from_millis(100), "/healthz took {late:?}, and longer in 5 of 100 cases");

    let told = rig.put_pictures(0, 50).await?;
    let mut sender = Sender::to(address);
    for one in &told {
        ensure!(sender.post(&webhook_body(one)).await? == 200, "an event was refused after the attack");
    }
    rig.until_settled(told.len(), PATIENCE).await?;
    rig.probe().await?;
    pods.push(gateway.service);
    // The deep one.
    rig.check(pods, 1).await
}

async fn attack(address: SocketAddr) -> anyhow::Result<()> {
    // One every 2 ms: those that the kernel has no place for would be taken in seconds later.
    let silent = try_join_all((0_u64..).take(SILENT).map(|number| async move {
        sleep(Duration::from_millis(2 * number)).await;
        slowly(address, String::new(), None).await
    }));
    let head = "POST /webhook HTTP/1.1\r\nX-Slow: ";
    let heads = try_join_all((0..50).map(|_| slowly(address, head.to_owned(), Some(b'x'))));
    let bodies =
        try_join_all((0..20).map(|_| slowly(address, webhook_head("Content-Length: 1000"), Some(b' '))));
    let announced = slowly(address, webhook_head("Content-Length: 1073741824"), None);
    let mut deep = Sender::to(address);
    let nested = "[".repeat(100_000);
    let (_, _, bodies, announced, (), deep) =
        tokio::try_join!(silent, heads, bodies, announced, endless(address), deep.post(&nested))?;
    for answer in bodies {
        ensure!(answer.starts_with("HTTP/1.1 408 "), "a slow body is answered {answer:?}");
    }
    ensure!(announced.starts_with("HTTP/1.1 413 "), "1 GiB announced is answered {announced:?}");
    ensure!(deep == 200, "a body that says nothing is answered {deep}");
    Ok(())
}

/// Sends this at once and then one byte a second; answers what came until the connection was closed.
async fn slowly(address: SocketAddr, at_once: String, then: Option<u8>) -> anyhow::Result<String> {
    let mut socket = TcpStream::connect(address).await?;
    socket.write_all(at_once.as_bytes()).await?;
    let (mut from, mut to) = socket.split();
    let mut answer = Vec::new();
    let dripping = async {
        while let Some(byte) = then {
            sleep(Duration::from_secs(1)).await;
            if to.write_all(&[byte]).await.is_err() {
                break;
            }
        }
        pending::<()>().await;
    };
    let closed = async {
        tokio::select! {
            // A reset is an end too.
            ended = from.read_to_end(&mut answer) => drop(ended),
            () = dripping => {}
        }
    };
    timeout(CLOSED, closed)
        .await
        .with_context(|| format!("a connection stays open that sent {at_once:?}"))?;
    Ok(String::from_utf8(answer)?)
}

/// Up to 1 GiB in chunks: refused when it is longer than any body may be.
async fn endless(address: SocketAddr) -> anyhow::Result<()> {
    let mut socket = TcpStream::connect(address).await?;
    socket.write_all(webhook_head("Transfer-Encoding: chunked").as_bytes()).await?;
    let (mut from, mut to) = socket.split();
    let chunk = [b"10000\r\n".as_slice(), &[b' '; 0x10000], b"\r\n"].concat();
    let (mut sent, mut answer) = (0_u64, Vec::new());
    let sending = async {
        while sent < 1 << 30 && to.write_all(&chunk).await.is_ok() {
            sent += 0x10000;
        }
        pending::<()>().await;
    };
    let refused = async {
        tokio::select! {
            ended = from.read_to_end(&mut answer) => drop(ended),
            () = sending => {}
        }
    };
    timeout(CLOSED, refused).await.context("a connection stays open that sends without end")?;
    let answer = String::from_utf8(answer)?;
    ensure!(answer.starts_with("HTTP/1.1 413 "), "an endless body is answered {answer:?}");
    ensure!(sent < 16 << 20, "{sent} bytes of an endless body were taken");
    Ok(())
}

/// Asks /healthz again and again, each time on a new connection, and for the most connections; returns only when that
/// fails.
async fn probe(
    gateway: &mut RunningGateway,
    times: &mut Vec<Duration>,
    connections: &mut f64,
) -> anyhow::Result<()> {
    loop {
        let begun = Instant::now();
        let mut connection = BufReader::new(TcpStream::connect(gateway.address).await?);
        let request = "GET /healthz HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n";
        connection.get_mut().write_all(request.as_bytes()).await?;
        let status = read_answer(&mut connection).await?.status;
        ensure!(status == 200, "/healthz answered {status}");
        times.push(begun.elapsed());
        *connections =
            gateway.service.metrics().await?.value("imageml_gateway_connections", &[]).max(*connections);
        sleep(Duration::from_millis(100)).await;
    }
}

/// For this process, which has the other end of every connection.
fn allow_open_files(count: u64) -> anyhow::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|now| now >= count) {
        return Ok(());
    }
    ensure!(
        limit.maximum.is_none_or(|most| most >= count),
        "S-47 needs {count} open files: raise `ulimit -Hn`"
    );
    Ok(setrlimit(Resource::Nofile, Rlimit { current: Some(count), maximum: limit.maximum })?)
}
