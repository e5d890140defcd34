//! HTTP/1.1 as far as a proxy needs it, RFC 9112: where a message's head and body end. The bytes stay as they are.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// More than any head that our clients and servers write.
const MAX_HEAD: usize = 64 << 10;
/// What one read may bring.
const READ: usize = 64 << 10;
/// How much of a body is kept for matchers and the log.
const PREFIX: usize = 64 << 10;

/// One end of a connection.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) from: Incoming,
    pub(super) to: OwnedWriteHalf,
}

impl Side {
    pub(super) fn new(stream: TcpStream) -> Self {
        // Small pieces pass at once; failing to say so changes only the speed.
        stream.set_nodelay(true).ok();
        let (from, to) = stream.into_split();
        Self { from: Incoming { from, buffer: BytesMut::new() }, to }
    }
}

/// The bytes that arrive, and those that arrived but were not asked for yet.
#[derive(Debug)]
pub(super) struct Incoming {
    from: OwnedReadHalf,
    buffer: BytesMut,
}

impl Incoming {
    /// Waits for more bytes; false at the end of the stream.
    // Cancel safety: what was read is in the buffer.
    pub(super) async fn fill(&mut self) -> io::Result<bool> {
        self.buffer.reserve(READ);
        Ok(self.from.read_buf(&mut self.buffer).await? > 0)
    }

    /// What arrived and was not asked for yet.
    pub(super) fn waiting(&self) -> &[u8] {
        &self.buffer
    }

    /// Waits until the other end closes, and forgets what it sends until then.
    pub(super) async fn until_closed(&mut self) {
        while let Ok(true) = self.fill().await {
            self.buffer.clear();
        }
    }

    /// The next head; `None` where the stream ends between messages.
    // Cancel safety: as `fill`.
    pub(super) async fn head(&mut self) -> io::Result<Option<Head>> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                return Head::parse(self.buffer.split_to(end + 4).freeze()).map(Some);
            }
            if self.buffer.len() > MAX_HEAD {
                return Err(invalid("a head without an end"));
            }
            if !self.fill().await? {
                return if self.buffer.is_empty() { Ok(None) } else { Err(ErrorKind::UnexpectedEof.into()) };
            }
        }
    }

    /// A line with its end.
    async fn line(&mut self) -> io::Result<Bytes> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n") {
                return Ok(self.buffer.split_to(end + 2).freeze());
            }
            if self.buffer.len() > MAX_HEAD {
                return Err(invalid("a line without an end"));
            }
            self.more().await?;
        }
    }

    /// At least one byte and at most `limit`.
    async fn some(&mut self, limit: u64) -> io::Result<Bytes> {
        if self.buffer.is_empty() {
            self.more().await?;
        }
        let count = usize::try_from(limit).unwrap_or(usize::MAX).min(self.buffer.len());
        Ok(self.buffer.split_to(count).freeze())
    }

    async fn more(&mut self) -> io::Result<()> {
        if self.fill().await? { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

/// The head of a request or an answer.
#[derive(Debug, Clone)]
pub(super) struct Head {
    /// As it was read, with the empty line.
    pub(super) raw: Bytes,
    /// The words of the first line: method, target and version, or version, status and reason.
    start: [String; 3],
    pub(super) headers: Vec<(String, String)>,
}

impl Head {
    fn parse(raw: Bytes) -> io::Result<Self> {
        let text = String::from_utf8_lossy(&raw).into_owned();
        let mut lines = text.split("\r\n");
        let mut words = lines.next().unwrap_or_default().splitn(3, ' ').map(str::to_owned);
        let start = [(); 3].map(|()| words.next().unwrap_or_default());
        let mut headers = Vec::new();
        for line in lines.filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(':').ok_or_else(|| invalid("a header without a colon"))?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        Ok(Self { raw, start, headers })
    }

    pub(super) fn method(&self) -> &str {
        &self.start[0]
    }

    pub(super) fn target(&self) -> &str {
        &self.start[1]
    }

    pub(super) fn status(&self) -> io::Result<u16> {
        self.start[1].parse().map_err(|_| invalid("an answer without a status"))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Whether the sender waits for "100 Continue" before its body.
    pub(super) fn expects_continue(&self) -> bool {
        self.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
    }

    /// Whether the connection ends after this message.
    pub(super) fn closes(&self) -> bool {
        let says =
            |what: &str| self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case(what));
        let old = self.start[0] == "HTTP/1.0" || self.start[2] == "HTTP/1.0";
        says("close") || (old && !says("keep-alive"))
    }

    /// The body of a request.
    pub(super) fn request_body(&self) -> io::Result<Body> {
        Ok(Body::new(self.framing()?.unwrap_or(Framing::Length(0))))
    }

    /// Whether the answer itself comes after this one, as after "100 Continue".
    pub(super) fn is_interim(&self) -> io::Result<bool> {
        Ok((100..200).contains(&self.status()?))
    }

    /// Whether there can be no body, whatever the headers say. RFC 9112, 6.3.
    pub(super) fn has_no_body(&self, method: &str) -> io::Result<bool> {
        Ok(method == "HEAD" || matches!(self.status()?, 204 | 304))
    }

    /// The body of an answer to `method`.
    pub(super) fn answer_body(&self, method: &str) -> io::Result<Body> {
        let framing = if self.has_no_body(method)? {
            Framing::Length(0)
        } else {
            self.framing()?.unwrap_or(Framing::UntilClosed)
        };
        Ok(Body::new(framing))
    }

    fn framing(&self) -> io::Result<Option<Framing>> {
        if self.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
            return Ok(Some(Framing::ChunkSize));
        }
        let length = self.header("content-length").map(str::parse).transpose();
        Ok(length.map_err(|_| invalid("Content-Length is no number"))?.map(Framing::Length))
    }

    /// The same head before another body.
    pub(super) fn with_length(&self, length: usize) -> Vec<u8> {
        let [first, second, third] = &self.start;
        let mut text = format!("{first} {second} {third}\r\n");
        for (name, value) in &self.headers {
            let framing =
                ["content-length", "transfer-encoding"].iter().any(|one| name.eq_ignore_ascii_case(one));
            if !framing {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        text.push_str(&format!("Content-Length: {length}\r\n\r\n"));
        text.into_bytes()
    }
}

/// What comes next in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// This many bytes of payload.
    Length(u64),
    /// A line with the length of a chunk. RFC 9112, 7.1.
    ChunkSize,
    /// This many bytes of a chunk.
    Chunk(u64),
    /// The end of its line.
    ChunkEnd,
    /// Lines after the last chunk, the last of them empty.
    Trailers,
    /// All that comes.
    UntilClosed,
}

/// A body on its way.
#[derive(Debug)]
pub(super) struct Body {
    next: Framing,
    ends_with_connection: bool,
    /// Read, but not passed on.
    waiting: VecDeque<Bytes>,
    /// The payload's beginning.
    prefix: Vec<u8>,
}

impl Body {
    fn new(next: Framing) -> Self {
        let ends_with_connection = next == Framing::UntilClosed;
        Self { next, ends_with_connection, waiting: VecDeque::new(), prefix: Vec::new() }
    }

    /// Whether only the end of the connection says where it ends.
    pub(super) fn ends_with_connection(&self) -> bool {
        self.ends_with_connection
    }

    /// The beginning of what was read so far, without what chunks are wrapped in.
    pub(super) fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// The next piece as it stood on the wire; `None` at the end.
    pub(super) async fn next(&mut self, from: &mut Incoming) -> io::Result<Option<Bytes>> {
        match self.waiting.pop_front() {
            Some(piece) => Ok(Some(piece)),
            None => Ok(self.read(from).await?.map(|(piece, _)| piece)),
        }
    }

    /// Reads ahead, at least as much as `prefix` keeps where there is so much.
    pub(super) async fn read_prefix(&mut self, from: &mut Incoming) -> io::Result<()> {
        while self.prefix.len() < PREFIX && self.read_ahead(from).await? {}
        Ok(())
    }

    /// Reads all of it and answers it as it stood on the wire; it is still there to be passed on.
    pub(super) async fn read_all(&mut self, from: &mut Incoming) -> io::Result<Vec<u8>> {
        while self.read_ahead(from).await? {}
        let mut all = Vec::new();
        for piece in &self.waiting {
            all.extend_from_slice(piece);
        }
        Ok(all)
    }

    /// Reads what is left, and answers the payload.
    pub(super) async fn payload(&mut self, from: &mut Incoming) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        while let Some((piece, payload)) = self.read(from).await? {
            if payload {
                all.extend_from_slice(&piece);
            }
        }
        Ok(all)
    }

    async fn read_ahead(&mut self, from: &mut Incoming) -> io::Result<bool> {
        let Some((piece, _)) = self.read(from).await? else { return Ok(false) };
        self.waiting.push_back(piece);
        Ok(true)
    }

    /// The next piece, and whether it is payload.
    async fn read(&mut self, from: &mut Incoming) -> io::Result<Option<(Bytes, bool)>> {
        let (piece, next) = match self.next {
            Framing::Length(0) => return Ok(None),
            Framing::Length(left) => {
                let piece = from.some(left).await?;
                let left = left - piece.len() as u64;
                (piece, Framing::Length(left))
            }
            Framing::Chunk(left) => {
                let piece = from.some(left).await?;
                let left = left - piece.len() as u64;
                (piece, if left == 0 { Framing::ChunkEnd } else { Framing::Chunk(left) })
            }
            Framing::UntilClosed => {
                if from.waiting().is_empty() && !from.fill().await? {
                    self.next = Framing::Length(0);
                    return Ok(None);
                }
                (from.some(u64::MAX).await?, Framing::UntilClosed)
            }
            Framing::ChunkSize => {
                let line = from.line().await?;
                let next = if chunk_size(&line)? == 0 {
                    Framing::Trailers
                } else {
                    Framing::Chunk(chunk_size(&line)?)
                };
                (line, next)
            }
            Framing::ChunkEnd => (from.line().await?, Framing::ChunkSize),
            Framing::Trailers => {
                let line = from.line().await?;
                let next = if line.len() == 2 { Framing::Length(0) } else { Framing::Trailers };
                (line, next)
            }
        };
        let payload = matches!(self.next, Framing::Length(_) | Framing::Chunk(_) | Framing::UntilClosed);
        if payload {
            let room = PREFIX.saturating_sub(self.prefix.len()).min(piece.len());
            self.prefix.extend(piece.iter().take(room));
        }
        self.next = next;
        Ok(Some((piece, payload)))
    }
}

fn chunk_size(line: &[u8]) -> io::Result<u64> {
    let text = String::from_utf8_lossy(line);
    let size = text.split(';').next().unwrap_or_default();
    u64::from_str_radix(size.trim(), 16).map_err(|_| invalid("a chunk without a size"))
}

/// How fast bytes may pass.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) bytes_per_second: u64,
}

impl Pace {
    /// A twentieth of a second's worth.
    fn bytes_per_beat(self) -> usize {
        usize::try_from(self.bytes_per_second / 20).unwrap_or(usize::MAX).max(1)
    }

    fn time_for(self, bytes: usize) -> Duration {
        Duration::from_secs_f64(bytes as f64 / self.bytes_per_second.max(1) as f64)
    }
}

/// Writes all of it, no faster than the pace.
pub(super) async fn write(to: &mut OwnedWriteHalf, bytes: &[u8], pace: Option<Pace>) -> io::Result<()> {
    let Some(pace) = pace else { return to.write_all(bytes).await };
    for part in bytes.chunks(pace.bytes_per_beat()) {
        tokio::time::sleep(pace.time_for(part.len())).await;
        to.write_all(part).await?;
    }
    Ok(())
}
