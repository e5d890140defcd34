//! The gateway, and senders of webhooks. HTTP/1.1 by hand, so that they can behave badly.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;
use testkit::{Service, until};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::Rig;
use crate::rig::puts::{Told, record};

/// What senders show.
const TOKEN: &str = "token-of-the-chaos-scenarios";

/// Longer than any request is held.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running gateway and where it takes webhooks.
#[derive(Debug)]
pub(crate) struct RunningGateway {
    pub(crate) service: Service,
    pub(crate) address: SocketAddr,
}

impl Rig {
    /// Starts the gateway; it holds requests for this long while the queue is away.
    ///
    /// # Errors
    /// It did not start.
    pub(crate) async fn running_gateway(&self, hold: Duration) -> anyhow::Result<RunningGateway> {
        let pod = self.gateway().env("GATEWAY_TOKEN", TOKEN).env("GATEWAY_ADDRESS", "127.0.0.1:0");
        let mut service = pod.env("GATEWAY_HOLD", format!("{}ms", hold.as_millis())).start()?;
        service.ready().await?;
        let address = until("webhooks are taken", PATIENCE, async || {
            let log = service.log();
            Ok(log.iter().find_map(|line| line["fields"]["webhook.address"].as_str()?.parse().ok()))
        });
        let address = address.await?;
        Ok(RunningGateway { service, address })
    }
}

/// What MinIO and RustFS send of a new object.
pub(crate) fn webhook_body(object: &Told) -> String {
    let name = "s3:ObjectCreated:Put";
    json!({ "EventName": name, "Key": format!("inbox/{}", object.key), "Records": [record(object, name)] })
        .to_string()
}

/// The head of a webhook request; `framing` is the header that says how long the body is.
pub(crate) fn webhook_head(framing: &str) -> String {
    format!(
        "POST /webhook HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Type: application/json\r\n{framing}\r\n\r\n"
    )
}

/// A sender that keeps its connection as long as the gateway does.
#[derive(Debug)]
pub(crate) struct Sender {
    address: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
}

impl Sender {
    pub(crate) fn to(address: SocketAddr) -> Self {
        Self { address, connection: None }
    }

    /// Posts a body; answers the status.
    pub(crate) async fn post(&mut self, body: &str) -> anyhow::Result<u16> {
        let request = format!("{}{body}", webhook_head(&format!("Content-Length: {}", body.len())));
        let mut connection = match self.connection.take() {
            Some(kept) => kept,
            None => BufReader::new(TcpStream::connect(self.address).await?),
        };
        connection.get_mut().write_all(request.as_bytes()).await?;
        let answer = timeout(PATIENCE, read_answer(&mut connection)).await.context("no answer")??;
        if !answer.closes {
            self.connection = Some(connection);
        }
        Ok(answer.status)
    }
}

/// The head of an answer, as much as senders look at.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: u16,
    closes: bool,
}

/// Reads one answer to its end.
pub(crate) async fn read_answer(connection: &mut BufReader<TcpStream>) -> anyhow::Result<Head> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let more = connection.read_line(&mut head).await?;
        anyhow::ensure!(more > 0, "closed before an answer");
    }
    let head = head.to_ascii_lowercase();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("a status")?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    connection.read_exact(&mut body).await?;
    Ok(Head { status, closes: head.contains("\r\nconnection: close") })
}
