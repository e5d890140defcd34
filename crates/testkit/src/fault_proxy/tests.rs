mod faults;
mod passing;
mod rules;
#[cfg(feature = "cloud")]
mod signed;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::wire::Side;
use super::{Fault, FaultProxy, Matcher, Rule};

const SOON: Duration = Duration::from_secs(10);
/// Long enough for anything to pass that is going to.
const MOMENT: Duration = Duration::from_millis(100);

/// A server that answers each request with its own body, or its path where there is none, and remembers them.
struct Echo {
    endpoint: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Echo {
    async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let seen = Arc::default();
        let remembered = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(echo(Side::new(stream), Arc::clone(&remembered)));
            }
        });
        Ok(Self { endpoint, seen })
    }

    /// The requests that came, as "METHOD path".
    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn echo(mut side: Side, seen: Arc<Mutex<Vec<String>>>) -> io::Result<()> {
    while let Some(request) = side.from.head().await? {
        let body = request.request_body()?.payload(&mut side.from).await?;
        let body = if body.is_empty() { request.target().as_bytes().to_vec() } else { body };
        let line = format!("{} {}", request.method(), request.target());
        seen.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        let head = format!("HTTP/1.1 200 OK\r\nETag: \"e\"\r\nContent-Length: {}\r\n\r\n", body.len());
        side.to.write_all(head.as_bytes()).await?;
        if request.method() != "HEAD" {
            side.to.write_all(&body).await?;
        }
    }
    Ok(())
}

/// A client's connection to a proxy.
struct Client(Side);

impl Client {
    async fn connect(proxy: &FaultProxy) -> anyhow::Result<Self> {
        let address = proxy.endpoint().strip_prefix("http://").context("an http endpoint")?;
        Ok(Self(Side::new(TcpStream::connect(address).await?)))
    }

    async fn send(&mut self, method: &str, target: &str, body: &str) -> anyhow::Result<()> {
        self.send_with(method, target, "", body).await
    }

    /// `headers` are whole lines.
    async fn send_with(
        &mut self,
        method: &str,
        target: &str,
        headers: &str,
        body: &str,
    ) -> anyhow::Result<()> {
        let length = body.len();
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: h\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        );
        Ok(self.0.to.write_all(request.as_bytes()).await?)
    }

    /// The status and the payload of the next answer.
    async fn answer(&mut self, method: &str) -> anyhow::Result<(u16, String)> {
        let answer = async {
            let head = self.0.from.head().await?.context("the connection ended")?;
            let body = head.answer_body(method)?.payload(&mut self.0.from).await?;
            anyhow::Ok((head.status()?, String::from_utf8(body)?))
        };
        timeout(SOON, answer).await.context("no answer came")?
    }

    async fn ask(&mut self, method: &str, target: &str, body: &str) -> anyhow::Result<(u16, String)> {
        self.send(method, target, body).await?;
        self.answer(method).await
    }

    /// All that comes until the connection ends, and how it ends.
    async fn rest(mut self) -> anyhow::Result<(String, io::Result<()>)> {
        let all = async {
            loop {
                match self.0.from.fill().await {
                    Ok(true) => {}
                    Ok(false) => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
        };
        let end = timeout(SOON, all).await.context("the connection stays open")?;
        Ok((String::from_utf8(self.0.from.waiting().to_vec())?, end))
    }

    /// Whether nothing comes, and the connection stays.
    async fn hears_nothing(&mut self) -> bool {
        timeout(MOMENT, self.0.from.fill()).await.is_err()
    }
}

/// A proxy with one rule before an echo.
async fn with_fault(fault: Fault) -> anyhow::Result<(Echo, FaultProxy, Client)> {
    let echo = Echo::start().await?;
    let proxy = FaultProxy::start(&echo.endpoint, 1).await?;
    proxy.add(Rule::new(Matcher::any(), fault));
    let client = Client::connect(&proxy).await?;
    Ok((echo, proxy, client))
}

/// Whether the proxy still does its work, on a new connection.
async fn works_without_rules(proxy: &FaultProxy) -> anyhow::Result<()> {
    proxy.clear();
    let answer = Client::connect(proxy).await?.ask("GET", "/after", "").await?;
    ensure!(answer == (200, "/after".to_owned()), "{answer:?}");
    Ok(())
}
