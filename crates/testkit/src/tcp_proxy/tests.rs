use std::io::ErrorKind;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use sqlx::{Connection as _, PgConnection};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::TcpProxy;
use crate::{PostgresServer, until};

const SOON: Duration = Duration::from_secs(10);
/// Long enough for anything to pass that is going to.
const MOMENT: Duration = Duration::from_millis(100);

/// A proxy before a server that sends back what it gets.
async fn before_echo() -> anyhow::Result<TcpProxy> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let proxy = TcpProxy::start(&listener.local_addr()?.to_string()).await?;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                tokio::io::copy(&mut from, &mut to).await
            });
        }
    });
    Ok(proxy)
}

async fn client(proxy: &TcpProxy) -> anyhow::Result<TcpStream> {
    Ok(TcpStream::connect(proxy.address()).await?)
}

async fn read(stream: &mut TcpStream, count: usize) -> anyhow::Result<Vec<u8>> {
    let mut bytes = vec![0; count];
    timeout(SOON, stream.read_exact(&mut bytes)).await.context("nothing came")??;
    Ok(bytes)
}

/// Whether the connection ends, one way or the other.
async fn ends(stream: &mut TcpStream) -> anyhow::Result<bool> {
    let read = timeout(SOON, stream.read(&mut [0])).await.context("it stays open")?;
    Ok(matches!(read, Ok(0) | Err(_)))
}

#[tokio::test]
async fn bytes_pass_and_an_end_passes_after_them() -> anyhow::Result<()> {
    let proxy = before_echo().await?;
    let mut stream = client(&proxy).await?;
    stream.write_all(b"hello").await?;
    stream.shutdown().await?;
    let mut back = Vec::new();
    timeout(SOON, stream.read_to_end(&mut back)).await??;
    assert_eq!(back, b"hello");
    Ok(())
}

#[tokio::test]
async fn a_cut_ends_what_is_open_and_nothing_else() -> anyhow::Result<()> {
    let proxy = before_echo().await?;
    let mut stream = client(&proxy).await?;
    stream.write_all(b"x").await?;
    read(&mut stream, 1).await?;
    proxy.cut_all();
    ensure!(ends(&mut stream).await?);
    let mut next = client(&proxy).await?;
    next.write_all(b"y").await?;
    assert_eq!(read(&mut next, 1).await?, b"y");
    Ok(())
}

#[tokio::test]
async fn refused_connections_are_reset_and_open_ones_stay() -> anyhow::Result<()> {
    let proxy = before_echo().await?;
    let mut open = client(&proxy).await?;
    open.write_all(b"x").await?;
    read(&mut open, 1).await?;
    proxy.refuse(true);
    let refused = timeout(SOON, client(&proxy).await?.read(&mut [0])).await?;
    assert_eq!(refused.map_err(|error| error.kind()), Err(ErrorKind::ConnectionReset));
    open.write_all(b"y").await?;
    assert_eq!(read(&mut open, 1).await?, b"y");
    proxy.refuse(false);
    let mut next = client(&proxy).await?;
    next.write_all(b"z").await?;
    assert_eq!(read(&mut next, 1).await?, b"z");
    Ok(())
}

#[tokio::test]
async fn a_blackhole_keeps_bytes_until_it_ends() -> anyhow::Result<()> {
    let proxy = before_echo().await?;
    let mut stream = client(&proxy).await?;
    proxy.blackhole(true);
    stream.write_all(b"x").await?;
    ensure!(timeout(MOMENT, stream.read(&mut [0])).await.is_err(), "something passed");
    proxy.blackhole(false);
    assert_eq!(read(&mut stream, 1).await?, b"x");
    Ok(())
}

#[tokio::test]
async fn delays_apply_to_both_directions() -> anyhow::Result<()> {
    let proxy = before_echo().await?;
    let mut stream = client(&proxy).await?;
    proxy.delay(MOMENT);
    let begun = Instant::now();
    stream.write_all(b"x").await?;
    read(&mut stream, 1).await?;
    ensure!(begun.elapsed() >= 2 * MOMENT, "{:?}", begun.elapsed());
    Ok(())
}

#[tokio::test]
async fn a_pattern_is_found_across_reads_and_only_so_often() -> anyhow::Result<()> {
    let proxy = before_echo().await?;
    proxy.cut_after_client_sends(b"COMMIT", 1);
    let mut stream = client(&proxy).await?;
    for part in ["BEGIN; COM", "M"] {
        stream.write_all(part.as_bytes()).await?;
        read(&mut stream, part.len()).await?;
    }
    stream.write_all(b" COM").await?;
    read(&mut stream, 4).await?;
    assert_eq!(proxy.lost_answers(), 0);
    stream.write_all(b"MIT;").await?;
    let mut back = Vec::new();
    timeout(SOON, stream.read_to_end(&mut back)).await??;
    assert_eq!(back, b"", "the answer is lost");
    assert_eq!(proxy.lost_answers(), 1);
    let mut next = client(&proxy).await?;
    next.write_all(b"COMMIT").await?;
    assert_eq!(read(&mut next, 6).await?, b"COMMIT");
    Ok(())
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_has_happened() -> anyhow::Result<()> {
    let server = PostgresServer::start().await?;
    let proxy = TcpProxy::start(&server.address()).await?;
    let mut direct = PgConnection::connect(&server.url(&server.address())).await?;
    sqlx::query("CREATE TABLE fact (id int)").execute(&mut direct).await?;
    proxy.cut_after_client_sends(b"COMMIT", 1);

    let mut through = PgConnection::connect(&server.url(&proxy.address().to_string())).await?;
    let mut transaction = through.begin().await?;
    sqlx::query("INSERT INTO fact VALUES (1)").execute(&mut *transaction).await?;
    ensure!(transaction.commit().await.is_err(), "the answer is not lost");

    assert_eq!(proxy.lost_answers(), 1);
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM fact").fetch_one(&mut direct).await?;
    assert_eq!(count, 1);
    Ok(())
}

#[tokio::test]
async fn connections_end_with_the_proxy() -> anyhow::Result<()> {
    let proxy = before_echo().await?;
    let (mut stream, address) = (client(&proxy).await?, proxy.address());
    drop(proxy);
    ensure!(ends(&mut stream).await?);
    until("nobody listens", SOON, async || Ok(TcpStream::connect(address).await.err())).await?;
    Ok(())
}
