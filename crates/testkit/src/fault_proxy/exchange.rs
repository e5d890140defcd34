//! One connection of a client: its requests, one after the other, each with its fault.

use std::future::pending;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::rules::{Cut, Fault, HttpRequest};
use super::wire::{Body, Head, Incoming, Pace, Side, write};
use super::{LogEntry, Shared};

/// How long a closed connection may bring bytes that nobody reads: closing it before they came would reset it, and the
/// client might never read its answer.
const LINGER: Duration = Duration::from_secs(1);

/// A client's connection and the one to the server that belongs to it.
#[derive(Debug)]
pub(super) struct Connection {
    client: Side,
    server: Option<Side>,
    shared: Arc<Shared>,
}

/// What becomes of a connection after a request.
#[derive(Debug)]
enum Ending {
    Keep,
    Cut(Cut),
    /// Nothing more happens on it.
    Stalled,
}

impl Connection {
    pub(super) fn new(client: TcpStream, shared: Arc<Shared>) -> Self {
        Self { client: Side::new(client), server: None, shared }
    }

    /// Until either side closes the connection, or a fault does.
    pub(super) async fn serve(mut self) -> io::Result<()> {
        while let Some(request) = self.next_request().await? {
            let exchange = Exchange {
                log: self.shared.note(&view(&request, &[])),
                body: request.request_body()?,
                client: &mut self.client,
                server: &mut self.server,
                shared: &self.shared,
                request: &request,
                told_to_continue: false,
            };
            match exchange.run().await? {
                Ending::Keep => {}
                Ending::Cut(how) => return self.cut(how).await,
                Ending::Stalled => {
                    self.client.from.until_closed().await;
                    break;
                }
            }
        }
        Ok(())
    }

    async fn next_request(&mut self) -> io::Result<Option<Head>> {
        let Some(server) = &mut self.server else { return self.client.from.head().await };
        tokio::select! {
            biased;
            head = self.client.from.head() => head,
            // A server says nothing between requests: it closes an idle connection.
            _ = server.from.fill() => Ok(None),
        }
    }

    async fn cut(self, how: Cut) -> io::Result<()> {
        let Side { mut from, mut to } = self.client;
        drop(self.server);
        match how {
            Cut::Fin => {
                to.shutdown().await?;
                timeout(LINGER, from.until_closed()).await.ok();
            }
            Cut::Rst => {
                to.as_ref().set_zero_linger()?;
                // Dropping it would send a FIN first.
                to.forget();
            }
        }
        Ok(())
    }
}

fn view<'a>(request: &'a Head, body: &'a [u8]) -> HttpRequest<'a> {
    let (path, query) = request.target().split_once('?').unwrap_or((request.target(), ""));
    HttpRequest { method: request.method(), path, query, headers: &request.headers, body }
}

/// One request and its answer.
struct Exchange<'a> {
    client: &'a mut Side,
    server: &'a mut Option<Side>,
    shared: &'a Shared,
    request: &'a Head,
    body: Body,
    /// The client was told to send its body: the server's "100 Continue" would be the second one.
    told_to_continue: bool,
    log: LogEntry,
}

impl Exchange<'_> {
    async fn run(mut self) -> io::Result<Ending> {
        let fault = self.choose().await?;
        match &fault {
            Some(Fault::Status { code, headers, body }) => return self.answer(*code, headers, body).await,
            Some(Fault::Refuse(how)) => return Ok(Ending::Cut(*how)),
            Some(Fault::Blackhole) => return Ok(Ending::Stalled),
            Some(Fault::Delay(time)) => sleep(*time).await,
            Some(Fault::HoldUntil(gate)) => hold(gate).await,
            Some(Fault::Duplicate) => {
                let first = self.copy().await?;
                // Whatever the server made of it, the second one tells.
                send_aside(&self.shared.upstream, self.request.method(), &first).await.ok();
            }
            // On the answer's way.
            Some(
                Fault::DelayAnswer(_)
                | Fault::HoldAnswerUntil(_)
                | Fault::LoseAnswer(_)
                | Fault::CutResponseAfter { .. }
                | Fault::StallResponseAfter(_)
                | Fault::Throttle { .. }
                | Fault::RewriteBody(_),
            )
            | None => {}
        }
        self.pass(fault.as_ref()).await
    }

    async fn choose(&mut self) -> io::Result<Option<Fault>> {
        let head = view(self.request, &[]);
        let is_logged = head.target().is_some();
        if is_logged || self.shared.rules().needs_body(&head) {
            self.ask_for_body().await?;
            self.body.read_prefix(&mut self.client.from).await?;
        }
        let chosen = self.shared.rules().choose(&view(self.request, self.body.prefix()));
        self.shared.amend(self.log, |entry| {
            entry.rule = chosen.as_ref().map(|(id, _)| *id);
            if is_logged {
                entry.body = self.body.prefix().to_vec();
            }
        });
        Ok(chosen.map(|(_, fault)| fault))
    }

    async fn ask_for_body(&mut self) -> io::Result<()> {
        if self.request.expects_continue() && !self.told_to_continue {
            self.client.to.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            self.told_to_continue = true;
        }
        Ok(())
    }

    /// The whole request; its body stays to be passed.
    async fn copy(&mut self) -> io::Result<Vec<u8>> {
        self.ask_for_body().await?;
        let mut request = self.request.raw.to_vec();
        request.extend(self.body.read_all(&mut self.client.from).await?);
        Ok(request)
    }

    /// Answers without the server.
    async fn answer(mut self, code: u16, headers: &[(String, String)], body: &[u8]) -> io::Result<Ending> {
        // A client that is refused before "100 Continue" keeps its body, or not: only a new connection is sure.
        let closes = self.request.closes() || (self.request.expects_continue() && !self.told_to_continue);
        if !closes {
            while self.body.next(&mut self.client.from).await?.is_some() {}
        }
        let mut answer = format!("HTTP/1.1 {code} \r\nContent-Length: {}\r\n", body.len());
        for (name, value) in headers {
            answer.push_str(&format!("{name}: {value}\r\n"));
        }
        answer.push_str(if closes { "Connection: close\r\n\r\n" } else { "\r\n" });
        let mut answer = answer.into_bytes();
        if self.request.method() != "HEAD" {
            answer.extend_from_slice(body);
        }
        self.client.to.write_all(&answer).await?;
        self.shared.amend(self.log, |entry| {
            entry.status = Some(code);
            entry.answered_at = Some(Instant::now());
        });
        Ok(if closes { Ending::Cut(Cut::Fin) } else { Ending::Keep })
    }

    /// Passes the request on, and the answer back.
    async fn pass(self, fault: Option<&Fault>) -> io::Result<Ending> {
        if self.server.is_none() {
            *self.server = TcpStream::connect(&self.shared.upstream).await.ok().map(Side::new);
        }
        let Some(server) = self.server else { return Ok(Ending::Cut(Cut::Rst)) };
        let pace = match fault {
            Some(Fault::Throttle { bytes_per_second }) => Some(Pace { bytes_per_second: *bytes_per_second }),
            _ => None,
        };
        server.to.write_all(&self.request.raw).await?;
        let uploaded = AtomicBool::new(false);
        let upload = Upload {
            body: self.body,
            from: &mut self.client.from,
            to: &mut server.to,
            pace,
            done: &uploaded,
            watches: !outlives_client(fault),
        };
        let answer = Answer {
            request: self.request,
            from: &mut server.from,
            to: &mut self.client.to,
            fault,
            pace,
            told_to_continue: self.told_to_continue,
            shared: self.shared,
            log: self.log,
        };
        let ending = tokio::select! {
            biased;
            error = upload.run() => return Err(error),
            ending = answer.run() => ending?,
        };
        // The server answered without reading everything, so nobody knows where the next request begins.
        let lost_count = matches!(ending, Ending::Keep) && !uploaded.load(Ordering::Relaxed);
        Ok(if lost_count { Ending::Cut(Cut::Fin) } else { ending })
    }
}

/// Whether a request is worth an answer that nobody waits for.
fn outlives_client(fault: Option<&Fault>) -> bool {
    matches!(
        fault,
        Some(
            Fault::Delay(_)
                | Fault::HoldUntil(_)
                | Fault::Duplicate
                | Fault::DelayAnswer(_)
                | Fault::HoldAnswerUntil(_)
                | Fault::LoseAnswer(_)
        )
    )
}

async fn hold(gate: &Semaphore) {
    // An error is a closed gate, by which all may pass.
    if let Ok(permit) = gate.acquire().await {
        permit.forget();
    }
}

/// Sends a whole request on a connection of its own and waits for the end of the answer.
async fn send_aside(upstream: &str, method: &str, request: &[u8]) -> io::Result<()> {
    let mut server = Side::new(TcpStream::connect(upstream).await?);
    server.to.write_all(request).await?;
    loop {
        let head = server.from.head().await?.ok_or(ErrorKind::UnexpectedEof)?;
        if !head.is_interim()? {
            return head.answer_body(method)?.payload(&mut server.from).await.map(drop);
        }
    }
}

/// The way of a request's body to the server.
struct Upload<'a> {
    body: Body,
    from: &'a mut Incoming,
    to: &'a mut OwnedWriteHalf,
    pace: Option<Pace>,
    done: &'a AtomicBool,
    /// Whether the client's end is the end.
    watches: bool,
}

impl Upload<'_> {
    /// Returns only when the client is gone.
    async fn run(mut self) -> io::Error {
        loop {
            match self.body.next(self.from).await {
                Ok(Some(piece)) => {
                    if write(self.to, &piece, self.pace).await.is_err() {
                        // The server reads no more; its answer may say why.
                        return pending().await;
                    }
                }
                Ok(None) => break,
                Err(error) => return error,
            }
        }
        self.done.store(true, Ordering::Relaxed);
        // Bytes of a next request wait their turn.
        while self.watches && self.from.waiting().is_empty() {
            match self.from.fill().await {
                Ok(true) => {}
                Ok(false) => return ErrorKind::ConnectionAborted.into(),
                Err(error) => return error,
            }
        }
        pending().await
    }
}

/// The way of an answer to the client.
struct Answer<'a> {
    request: &'a Head,
    from: &'a mut Incoming,
    to: &'a mut OwnedWriteHalf,
    fault: Option<&'a Fault>,
    pace: Option<Pace>,
    told_to_continue: bool,
    shared: &'a Shared,
    log: LogEntry,
}

impl Answer<'_> {
    async fn run(mut self) -> io::Result<Ending> {
        let head = self.head().await?;
        match self.fault {
            Some(Fault::DelayAnswer(time)) => sleep(*time).await,
            Some(Fault::HoldAnswerUntil(gate)) => hold(gate).await,
            Some(Fault::LoseAnswer(how)) => return Ok(Ending::Cut(*how)),
            _ => {}
        }
        let status = head.status()?;
        self.shared.amend(self.log, |entry| entry.status = Some(status));
        let mut body = head.answer_body(self.request.method())?;
        match self.fault {
            Some(Fault::RewriteBody(rewrite)) if !head.has_no_body(self.request.method())? => {
                let body = rewrite(body.payload(self.from).await?);
                self.to.write_all(&head.with_length(body.len())).await?;
                self.to.write_all(&body).await?;
            }
            _ => {
                self.to.write_all(&head.raw).await?;
                if let Some(ending) = self.body(&mut body).await? {
                    return Ok(ending);
                }
            }
        }
        self.shared.amend(self.log, |entry| {
            entry.answered_at = Some(Instant::now());
            if entry.target.is_some() {
                entry.answer = body.prefix().to_vec();
            }
        });
        let closes = head.closes() || self.request.closes() || body.ends_with_connection();
        Ok(if closes { Ending::Cut(Cut::Fin) } else { Ending::Keep })
    }

    /// Past "100 Continue", which belongs to the request.
    async fn head(&mut self) -> io::Result<Head> {
        loop {
            let head = self.from.head().await?.ok_or(ErrorKind::UnexpectedEof)?;
            if !head.is_interim()? {
                return Ok(head);
            }
            if !self.told_to_continue {
                self.to.write_all(&head.raw).await?;
            }
        }
    }

    /// Passes the body on, and answers how the connection ends if it ends in its midst.
    async fn body(&mut self, body: &mut Body) -> io::Result<Option<Ending>> {
        let mut left = match self.fault {
            Some(Fault::CutResponseAfter { bytes, .. } | Fault::StallResponseAfter(bytes)) => *bytes,
            _ => u64::MAX,
        };
        while let Some(piece) = body.next(self.from).await? {
            let passes = piece.slice(..piece.len().min(usize::try_from(left).unwrap_or(usize::MAX)));
            write(self.to, &passes, self.pace).await?;
            left -= passes.len() as u64;
            if passes.len() < piece.len() {
                return Ok(Some(match self.fault {
                    Some(Fault::CutResponseAfter { how, .. }) => Ending::Cut(*how),
                    _ => Ending::Stalled,
                }));
            }
        }
        Ok(None)
    }
}
