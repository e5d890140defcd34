use std::io::ErrorKind;

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::{Client, Echo, SOON};
use crate::fault_proxy::FaultProxy;

/// A connection through a proxy: the client's end and the server's.
async fn connection() -> anyhow::Result<(FaultProxy, TcpStream, TcpListener)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let proxy = FaultProxy::start(&format!("http://{}", listener.local_addr()?), 1).await?;
    let client = TcpStream::connect(proxy.endpoint().strip_prefix("http://").context("http")?).await?;
    Ok((proxy, client, listener))
}

async fn read(stream: &mut TcpStream, count: usize) -> anyhow::Result<String> {
    let mut bytes = vec![0; count];
    timeout(SOON, stream.read_exact(&mut bytes)).await.context("too little came")??;
    Ok(String::from_utf8(bytes)?)
}

#[tokio::test]
async fn what_meets_no_rule_passes_byte_for_byte() -> anyhow::Result<()> {
    let exchanges = [
        // Spelling, order, repetition, empty values.
        (
            "GET /b/k%20e?a=1&b HTTP/1.1\r\nhOsT: x:1\r\nX-A: 1\r\nx-b:\r\nX-A:  2 \r\n\r\n",
            "HTTP/1.1 200 Fine Indeed\r\nX-Odd:y\r\ncontent-LENGTH: 3\r\n\r\nabc",
        ),
        // Chunks with extensions and trailers.
        (
            "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n\r\n\r\n0\r\nX-Trailer: 2\r\n\r\n",
        ),
        // aws-chunked is a payload like any other.
        (
            "PUT /k HTTP/1.1\r\nHost: x\r\nContent-Encoding: aws-chunked\r\nContent-Length: 36\r\n\r\n3;chunk-signature=ab\r\nabc\r\n0;x=y\r\n\r\n",
            "HTTP/1.1 204 No Content\r\n\r\n",
        ),
        // Lengths without bodies.
        ("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"),
        ("DELETE / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"),
        // The end of the connection ends the body.
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end"),
    ];
    let (_proxy, mut client, listener) = connection().await?;
    client.write_all(exchanges[0].0.as_bytes()).await?;
    let (mut server, _) = timeout(SOON, listener.accept()).await??;
    for (index, (request, answer)) in exchanges.iter().enumerate() {
        if index > 0 {
            client.write_all(request.as_bytes()).await?;
        }
        assert_eq!(read(&mut server, request.len()).await?, *request);
        server.write_all(answer.as_bytes()).await?;
        assert_eq!(read(&mut client, answer.len()).await?, *answer);
    }
    server.shutdown().await?;
    assert_eq!(timeout(SOON, client.read(&mut [0])).await??, 0, "nothing was added, and the end passes");
    drop(client);
    assert_eq!(timeout(SOON, server.read(&mut [0])).await??, 0, "nothing was added");
    Ok(())
}

#[tokio::test]
async fn the_server_decides_whether_a_client_may_continue() -> anyhow::Result<()> {
    let (_proxy, mut client, listener) = connection().await?;
    let head = "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
    client.write_all(head.as_bytes()).await?;
    let (mut server, _) = timeout(SOON, listener.accept()).await??;
    assert_eq!(read(&mut server, head.len()).await?, head);
    let go = "HTTP/1.1 100 Continue\r\n\r\n";
    server.write_all(go.as_bytes()).await?;
    assert_eq!(read(&mut client, go.len()).await?, go);
    client.write_all(b"body").await?;
    assert_eq!(read(&mut server, 4).await?, "body");
    let done = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    server.write_all(done.as_bytes()).await?;
    assert_eq!(read(&mut client, done.len()).await?, done);

    // And this time it says no: the answer passes, and the connection ends, as its next bytes could be anything.
    client.write_all(head.as_bytes()).await?;
    assert_eq!(read(&mut server, head.len()).await?, head);
    let no = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
    server.write_all(no.as_bytes()).await?;
    assert_eq!(read(&mut client, no.len()).await?, no);
    assert_eq!(timeout(SOON, client.read(&mut [0])).await??, 0);
    Ok(())
}

#[tokio::test]
async fn large_bodies_pass_unharmed_both_ways() -> anyhow::Result<()> {
    let echo = Echo::start().await?;
    let proxy = FaultProxy::start(&echo.endpoint, 1).await?;
    let mut client = Client::connect(&proxy).await?;
    // 64 MiB and a bit, of a length that is no multiple of any buffer.
    let body = "0123456789abcdefghijklmnopqrstuvwxyz!".repeat((64 << 20) / 37 + 1);
    let (status, back) = client.ask("PUT", "/large", &body).await?;
    assert_eq!(status, 200);
    ensure!(back == body, "{} bytes went, {} came back", body.len(), back.len());
    Ok(())
}

#[tokio::test]
async fn a_client_that_hangs_up_is_gone_for_the_server_too() -> anyhow::Result<()> {
    let (_proxy, mut client, listener) = connection().await?;
    let request = "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";
    client.write_all(request.as_bytes()).await?;
    let (mut server, _) = timeout(SOON, listener.accept()).await??;
    read(&mut server, request.len()).await?;
    drop(client);
    assert_eq!(timeout(SOON, server.read(&mut [0])).await??, 0);
    Ok(())
}

#[tokio::test]
async fn a_server_that_closes_an_idle_connection_closes_the_clients() -> anyhow::Result<()> {
    let (_proxy, mut client, listener) = connection().await?;
    let (request, answer) =
        ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    client.write_all(request.as_bytes()).await?;
    let (mut server, _) = timeout(SOON, listener.accept()).await??;
    read(&mut server, request.len()).await?;
    server.write_all(answer.as_bytes()).await?;
    read(&mut client, answer.len()).await?;
    drop(server);
    assert_eq!(timeout(SOON, client.read(&mut [0])).await??, 0);
    Ok(())
}

#[tokio::test]
async fn where_no_server_is_the_client_is_reset() -> anyhow::Result<()> {
    let (_proxy, mut client, listener) = connection().await?;
    drop(listener);
    client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await?;
    let error = timeout(SOON, client.read(&mut [0])).await?.err().context("an answer")?;
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    Ok(())
}
