//! A TCP proxy that makes trouble on demand: for Postgres, or where HTTP does not matter.

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

/// What one read may bring.
const READ: usize = 64 << 10;
/// How long a server may take to answer what [`TcpProxy::cut_after_client_sends`] waits for.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// A proxy before a TCP server, on a free port of 127.0.0.1; it and its connections end when it is dropped. Where the
/// server cannot be reached, the client's connection is reset.
#[derive(Debug)]
pub struct TcpProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    _running: DropGuard,
}

impl TcpProxy {
    /// A proxy before `HOST:PORT` that passes everything.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start(upstream: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("a port for a proxy")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            weather: watch::Sender::new(Weather::default()),
            traps: Mutex::default(),
        });
        let running = CancellationToken::new();
        tokio::spawn(running.clone().run_until_cancelled_owned(accept(
            listener,
            Arc::clone(&shared),
            running.clone(),
        )));
        Ok(Self { address, shared, _running: running.drop_guard() })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes all connections, on both sides. New ones are taken.
    pub fn cut_all(&self) {
        self.shared.weather.send_modify(|weather| weather.cuts += 1);
    }

    /// Whether new connections are reset. Those that are open stay: see [`Self::cut_all`].
    pub fn refuse(&self, refuses: bool) {
        self.shared.weather.send_modify(|weather| weather.refuses = refuses);
    }

    /// Whether nothing passes, on any connection, and nobody is told. What waits passes afterwards.
    pub fn blackhole(&self, blackhole: bool) {
        self.shared.weather.send_modify(|weather| weather.blackhole = blackhole);
    }

    /// How long all that is read (64 KiB at most) waits before it passes, either way.
    pub fn delay(&self, delay: Duration) {
        self.shared.weather.send_modify(|weather| weather.delay = delay);
    }

    /// Makes commits whose answer is lost. When a client has sent this pattern, such as `COMMIT`, the server gets it and
    /// answers, but both connections are closed instead of passing the answer on. This many times, on all connections
    /// together. A server that says nothing for five seconds is cut off too.
    ///
    /// Postgres clients send statements as text, in a query or a parse message
    /// (<https://www.postgresql.org/docs/current/protocol-message-formats.html>).
    pub fn cut_after_client_sends(&self, pattern: &[u8], times: u32) {
        self.shared.traps().set.push(Trap { pattern: pattern.to_vec(), times });
    }

    /// How many connections [`Self::cut_after_client_sends`] has closed.
    pub fn lost_answers(&self) -> usize {
        self.shared.traps().sprung
    }
}

#[derive(Debug)]
struct Shared {
    upstream: String,
    weather: watch::Sender<Weather>,
    traps: Mutex<Traps>,
}

/// What all connections are in.
#[derive(Debug, Default)]
struct Weather {
    refuses: bool,
    blackhole: bool,
    delay: Duration,
    /// How often all connections were closed.
    cuts: u64,
}

#[derive(Debug, Default)]
struct Traps {
    set: Vec<Trap>,
    sprung: usize,
}

#[derive(Debug)]
struct Trap {
    pattern: Vec<u8>,
    times: u32,
}

impl Shared {
    fn traps(&self) -> MutexGuard<'_, Traps> {
        self.traps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a pattern ends after the first `old` of these bytes.
    fn is_trapped(&self, bytes: &[u8], old: usize) -> bool {
        let mut traps = self.traps();
        let sprung = traps.set.iter_mut().any(|trap| {
            let begin = (old + 1).saturating_sub(trap.pattern.len());
            let found = bytes.get(begin..).is_some_and(|bytes| {
                bytes.windows(trap.pattern.len().max(1)).any(|window| window == trap.pattern)
            });
            let springs = found && trap.times > 0;
            trap.times -= u32::from(springs);
            springs
        });
        traps.sprung += usize::from(sprung);
        sprung
    }

    fn longest_pattern(&self) -> usize {
        self.traps().set.iter().map(|trap| trap.pattern.len()).max().unwrap_or_default()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, running: CancellationToken) {
    while let Ok((client, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(
            running.clone().run_until_cancelled_owned(async move { connection(client, &shared).await }),
        );
    }
}

async fn connection(client: TcpStream, shared: &Shared) {
    let mut weather = shared.weather.subscribe();
    let (cuts, refuses) = {
        let weather = weather.borrow();
        (weather.cuts, weather.refuses)
    };
    let server = if refuses { None } else { TcpStream::connect(&shared.upstream).await.ok() };
    let Some(server) = server else {
        // With it, closing resets. If it fails, the client reads an end of file.
        client.set_zero_linger().ok();
        return;
    };
    for stream in [&client, &server] {
        // Failing to say so changes only the speed.
        stream.set_nodelay(true).ok();
    }
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let answer = watch::Sender::default();
    let up = Pump { from: from_client, to: to_server, shared, answer: &answer };
    let down = Pump { from: from_server, to: to_client, shared, answer: &answer };
    tokio::select! {
        // An error is a side that is gone, or a trap.
        _ = async { tokio::try_join!(up.up(), down.down()) } => {}
        _ = weather.wait_for(|weather| weather.cuts != cuts) => {}
    }
}

/// What becomes of what the server says.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Fate {
    #[default]
    Passes,
    IsAwaited,
    HasCome,
}

/// Why a connection is closed before both sides have closed it.
#[derive(Debug)]
struct Closed;

/// One direction of a connection.
struct Pump<'a> {
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    shared: &'a Shared,
    answer: &'a watch::Sender<Fate>,
}

impl Pump<'_> {
    async fn up(mut self) -> Result<(), Closed> {
        let mut bytes = Vec::new();
        loop {
            // The end of what passed before, where a pattern may have begun.
            let old = bytes.len().min(self.shared.longest_pattern());
            bytes.drain(..bytes.len() - old);
            if !self.read(&mut bytes).await? {
                return self.close().await;
            }
            let trapped = self.shared.is_trapped(&bytes, old);
            if trapped {
                self.answer.send_replace(Fate::IsAwaited);
            }
            self.to.write_all(bytes.get(old..).unwrap_or_default()).await.map_err(|_| Closed)?;
            if trapped {
                let mut answer = self.answer.subscribe();
                // Without an answer there is none to lose.
                timeout(ANSWER_LIMIT, answer.wait_for(|fate| *fate == Fate::HasCome)).await.ok();
                return Err(Closed);
            }
        }
    }

    async fn down(mut self) -> Result<(), Closed> {
        loop {
            let mut bytes = Vec::new();
            if !self.read(&mut bytes).await? {
                return self.close().await;
            }
            if *self.answer.borrow() == Fate::Passes {
                self.to.write_all(&bytes).await.map_err(|_| Closed)?;
            } else {
                self.answer.send_replace(Fate::HasCome);
            }
        }
    }

    /// Reads and waits as long as the weather wants; false at the end.
    async fn read(&mut self, bytes: &mut Vec<u8>) -> Result<bool, Closed> {
        bytes.reserve(READ);
        let count = self.from.read_buf(bytes).await.map_err(|_| Closed)?;
        let mut weather = self.shared.weather.subscribe();
        let delay = weather.borrow().delay;
        if !delay.is_zero() {
            sleep(delay).await;
        }
        weather.wait_for(|weather| !weather.blackhole).await.map_err(|_| Closed)?;
        Ok(count > 0)
    }

    /// Tells the other side that this one has no more to say, and leaves the other direction open.
    async fn close(mut self) -> Result<(), Closed> {
        self.to.shutdown().await.map_err(|_| Closed)
    }
}
