//! Settings of the gateway.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use service::{LogArguments, Secret};

use crate::Tokens;

/// No sender waits so long, and connections end some time (see `server.rs`).
const LONGEST_HOLD: Duration = Duration::from_secs(300);

/// Takes bucket notifications by webhook and puts them on the queue that the stages read
#[derive(Debug, Parser)]
#[command(
    name = "imageml-event-gateway",
    version,
    after_help = "\
Senders post to http://HOST:8080/webhook with the header `Authorization: Bearer TOKEN`.

Example:
  GATEWAY_TOKEN=$(openssl rand -hex 32) QUEUE_URL=http://elasticmq:9324/000000000000/inbox \\
    imageml-event-gateway

The other side:
  MINIO_NOTIFY_WEBHOOK_ENABLE_IMAGEML=on
  MINIO_NOTIFY_WEBHOOK_ENDPOINT_IMAGEML=http://gateway:8080/webhook
  MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_IMAGEML=TOKEN
  MINIO_NOTIFY_WEBHOOK_QUEUE_DIR_IMAGEML=/data/.events
RustFS takes the same settings, beginning with RUSTFS_.

A new token without a gap: set GATEWAY_TOKEN_NEXT, give it to the senders, then make it GATEWAY_TOKEN."
)]
pub struct Arguments {
    /// Where webhooks are taken
    #[arg(long, env = "GATEWAY_ADDRESS", default_value = "0.0.0.0:8080", value_name = "ADDR")]
    pub listen: SocketAddr,
    /// The queue (endpoint and credentials are the AWS SDK's own settings, or the URL's host)
    #[arg(long, env = "QUEUE_URL", value_name = "URL")]
    pub queue_url: String,
    /// What senders show, at least 16 characters. Set the variable: arguments are seen by everybody on the machine
    #[arg(long, env = "GATEWAY_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub token: Secret,
    /// Another token that is good as well
    #[arg(long, env = "GATEWAY_TOKEN_NEXT", hide_env_values = true, value_name = "TOKEN")]
    pub next_token: Option<Secret>,
    /// While the queue is away: how long requests are held before they are answered 503. RustFS waits 30s for an answer
    #[arg(long, env = "GATEWAY_HOLD", default_value = "25s", value_name = "TIME", value_parser = hold)]
    pub hold: Duration,
    /// Connections at a time; more wait to be accepted
    #[arg(long, env = "GATEWAY_MAX_CONNECTIONS", default_value_t = 4096, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,
    /// On SIGTERM: time for requests in flight to finish
    #[arg(long, env = "SHUTDOWN_GRACE", default_value = "25s", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub shutdown_grace: Duration,
    /// Where /livez, /readyz, /healthz and /metrics are served
    #[arg(long, env = "ADMIN_ADDRESS", default_value = "0.0.0.0:9090", value_name = "ADDR")]
    pub admin_address: SocketAddr,
    /// What is logged.
    #[command(flatten)]
    pub log: LogArguments,
}

impl Arguments {
    /// The gateway that they describe.
    ///
    /// # Errors
    /// A token is too short, or no token. The message does not show it.
    pub fn settings(&self) -> anyhow::Result<Settings> {
        Ok(Settings {
            listen: self.listen,
            admin: self.admin_address,
            tokens: Tokens::new(&self.token, self.next_token.as_ref())?,
            hold: self.hold,
            limits: Limits { connections: self.max_connections, ..Limits::default() },
        })
    }
}

fn hold(text: &str) -> Result<Duration, String> {
    let parsed = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if parsed <= LONGEST_HOLD { Ok(parsed) } else { Err("expected at most 5m".to_owned()) }
}

/// What a [`Gateway`](crate::Gateway) is like.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where webhooks are taken.
    pub listen: SocketAddr,
    /// Where probes and metrics are served.
    pub admin: SocketAddr,
    /// Who may send.
    pub tokens: Tokens,
    /// How long a request is held while the queue is away.
    pub hold: Duration,
    /// What senders may take of us.
    pub limits: Limits,
}

/// What senders may take of us, whoever they are.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at a time. More wait in the kernel to be accepted.
    pub connections: u32,
    /// From the start of a connection until the head of its first request is there.
    pub first_head: Duration,
    /// Silence between two requests of a connection, the head of the second included. Not 5 seconds: RustFS looks for
    /// events to repeat every 5, and would find a connection that is just being closed.
    pub next_head: Duration,
    /// From the head of a request until its body is complete.
    pub body: Duration,
    /// Bytes of one body.
    pub body_bytes: usize,
    /// Bytes of all bodies at a time, and of what was made of them.
    pub memory_bytes: usize,
    /// Requests at a time whose bodies are there and that are not answered.
    pub requests: usize,
    /// Age at which a connection is closed after its next answer, so that senders find other replicas.
    pub connection_age: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            first_head: Duration::from_secs(5),
            next_head: Duration::from_secs(10),
            body: Duration::from_secs(5),
            body_bytes: 1 << 20,
            memory_bytes: 64 << 20,
            requests: 256,
            connection_age: Duration::from_secs(300),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn tokens_are_not_printed() -> anyhow::Result<()> {
        let arguments = ["program", "--queue-url", "q", "--token", "a-token-that-is-long-enough"];
        let arguments = Arguments::try_parse_from(arguments)?;
        assert!(!format!("{arguments:?} {:?}", arguments.settings()?).contains("long-enough"));
        Ok(())
    }
}
