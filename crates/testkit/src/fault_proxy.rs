//! An HTTP proxy that makes trouble on demand.

mod exchange;
mod rules;
#[cfg(test)]
mod tests;
mod wire;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use self::exchange::Connection;
use self::rules::RuleBook;
pub use self::rules::{Cut, Fault, HttpRequest, Matcher, Rewrite, Rule, RuleId};

/// A proxy before an HTTP/1.1 server, on a free port of 127.0.0.1; it and its connections end when it is dropped.
///
/// What meets no rule passes byte for byte, `Host` included, so signatures hold. Each connection of a client has one to
/// the server, opened with its first request that goes there and closed with it; where the server cannot be reached,
/// the client's connection is reset.
#[derive(Debug)]
pub struct FaultProxy {
    endpoint: String,
    shared: Arc<Shared>,
    _running: DropGuard,
}

/// A request that came, from the moment when its head was read.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LoggedRequest {
    /// When it came.
    pub at: Instant,
    /// `GET`, `PUT`, …
    pub method: String,
    /// The path as it stood on the wire.
    pub path: String,
    /// What followed the question mark, encoded.
    pub query: String,
    /// The action of AWS's JSON protocols, without the service: `DeleteMessageBatch`.
    pub target: Option<String>,
    /// The first 64 KiB of the body where there is a `target`, else nothing.
    pub body: Vec<u8>,
    /// The same of the server's answer, once it had been passed on whole.
    pub answer: Vec<u8>,
    /// Which rule it met.
    pub rule: Option<RuleId>,
    /// The status that the client was told.
    pub status: Option<u16>,
    /// When the whole answer had been passed on.
    pub answered_at: Option<Instant>,
}

impl FaultProxy {
    /// A proxy without rules before `http://HOST:PORT`. The seed decides which requests meet a rule with a share.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(upstream: &str, seed: u64) -> anyhow::Result<Self> {
        let upstream = upstream.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.context("a port for a proxy")?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let rules = Mutex::new(RuleBook::new(seed));
        let shared = Arc::new(Shared { upstream, rules, log: Mutex::default() });
        let running = CancellationToken::new();
        tokio::spawn(running.clone().run_until_cancelled_owned(accept(
            listener,
            Arc::clone(&shared),
            running.clone(),
        )));
        Ok(Self { endpoint, shared, _running: running.drop_guard() })
    }

    /// Where it listens: `http://127.0.0.1:<port>`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Puts a rule after those in force; of the rules that match a request, the first whose share takes it is applied.
    /// Requests that met a rule before are not affected.
    pub fn add(&self, rule: Rule) -> RuleId {
        self.shared.rules().add(rule)
    }

    /// Replaces all rules.
    pub fn set(&self, rules: Vec<Rule>) -> Vec<RuleId> {
        let mut book = self.shared.rules();
        book.clear();
        rules.into_iter().map(|rule| book.add(rule)).collect()
    }

    /// Takes a rule back. Requests that met it stay as they are: what hangs, hangs.
    pub fn remove(&self, id: RuleId) {
        self.shared.rules().remove(id);
    }

    /// Takes all rules back.
    pub fn clear(&self) {
        self.shared.rules().clear();
    }

    /// All requests so far, in the order in which they came.
    pub fn log(&self) -> Vec<LoggedRequest> {
        self.shared.log().clone()
    }

    /// How many requests so far are such.
    pub fn count(&self, mut such: impl FnMut(&LoggedRequest) -> bool) -> usize {
        self.shared.log().iter().filter(|request| such(request)).count()
    }
}

/// What connections share.
#[derive(Debug)]
struct Shared {
    upstream: String,
    rules: Mutex<RuleBook>,
    log: Mutex<Vec<LoggedRequest>>,
}

/// A place in the log.
#[derive(Debug, Clone, Copy)]
struct LogEntry(usize);

impl Shared {
    fn rules(&self) -> MutexGuard<'_, RuleBook> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> MutexGuard<'_, Vec<LoggedRequest>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, request: &HttpRequest<'_>) -> LogEntry {
        let mut log = self.log();
        log.push(LoggedRequest {
            at: Instant::now(),
            method: request.method.to_owned(),
            path: request.path.to_owned(),
            query: request.query.to_owned(),
            target: request.target().map(str::to_owned),
            body: Vec::new(),
            answer: Vec::new(),
            rule: None,
            status: None,
            answered_at: None,
        });
        LogEntry(log.len() - 1)
    }

    fn amend(&self, LogEntry(index): LogEntry, change: impl FnOnce(&mut LoggedRequest)) {
        if let Some(entry) = self.log().get_mut(index) {
            change(entry);
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, running: CancellationToken) {
    while let Ok((client, _)) = listener.accept().await {
        let connection = Connection::new(client, Arc::clone(&shared));
        // An error is a connection that broke, on either side; the other side sees it break.
        tokio::spawn(running.clone().run_until_cancelled_owned(connection.serve()));
    }
}
