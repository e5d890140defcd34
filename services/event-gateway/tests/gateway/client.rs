//! Senders. HTTP/1.1 by hand, so that they can behave badly.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

pub(crate) const TOKEN: &str = "canary-token-of-the-tests";

/// Longer than anything that a test waits for.
const PATIENCE: Duration = Duration::from_secs(40);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// A connection that is kept.
#[derive(Debug)]
pub(crate) struct Connection(TcpStream);

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        Ok(Self(TcpStream::connect(address).await?))
    }

    /// Writes what the other side takes: one that has answered may have closed.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.ok();
    }

    /// The next answer to anything but HEAD.
    pub(crate) async fn answer(&mut self) -> anyhow::Result<Answer> {
        timeout(PATIENCE, self.read(true)).await.context("no answer")?
    }

    /// The next answer to HEAD.
    pub(crate) async fn answer_to_head(&mut self) -> anyhow::Result<Answer> {
        timeout(PATIENCE, self.read(false)).await.context("no answer")?
    }

    /// Reads to the end of the connection.
    pub(crate) async fn closed(&mut self) -> anyhow::Result<String> {
        let mut rest = Vec::new();
        // A reset is an end too.
        timeout(PATIENCE, self.0.read_to_end(&mut rest)).await.context("the connection stays open")?.ok();
        Ok(String::from_utf8(rest)?)
    }

    async fn read(&mut self, with_body: bool) -> anyhow::Result<Answer> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.context("closed before an answer")?);
        }
        let head = String::from_utf8(head)?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("a status")?;
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        let mut body = vec![0; if with_body { length.unwrap_or(0) } else { 0 }];
        self.0.read_exact(&mut body).await?;
        Ok(Answer { status, head, body: String::from_utf8(body)? })
    }
}

/// A request with these header lines.
pub(crate) fn request(line: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{line} HTTP/1.1\r\nHost: gateway\r\nContent-Length: {}\r\n", body.len());
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    [head.as_bytes(), b"\r\n", body].concat()
}

pub(crate) fn authorization() -> String {
    format!("Authorization: Bearer {TOKEN}")
}

pub(crate) async fn ask(address: SocketAddr, request: &[u8]) -> anyhow::Result<Answer> {
    let mut connection = Connection::open(address).await?;
    connection.write(request).await;
    connection.answer().await
}

pub(crate) async fn get(address: SocketAddr, path: &str) -> anyhow::Result<Answer> {
    ask(address, &request(&format!("GET {path}"), &[], b"")).await
}

/// As a sender that was set up well.
pub(crate) async fn post(address: SocketAddr, body: impl AsRef<[u8]>) -> anyhow::Result<Answer> {
    ask(address, &request("POST /webhook", &[&authorization()], body.as_ref())).await
}

/// Expects a status.
pub(crate) fn expect(status: u16, answer: &Answer) -> anyhow::Result<()> {
    if answer.status != status {
        bail!("expected {status}: {answer:?}");
    }
    Ok(())
}
