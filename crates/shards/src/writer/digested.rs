//! Writing in large pieces, with the digest taken in a thread beside: it takes as long as the writing.

use std::fmt;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};

use sha2::Digest as _;
use types::Sha256;

/// What is collected before it is written.
pub(super) const PIECE: usize = 1 << 20;

/// Written pieces that wait for the thread. With the one that is digested and the one that is filled, this bounds memory.
const WAITING: usize = 1;

/// Counts, writes and digests.
pub(super) struct Digested<W> {
    inner: W,
    piece: Vec<u8>,
    written: u64,
    /// There is none before the first piece is full: most shards of tests never have one.
    digester: Option<Digester>,
}

impl<W: Write> Digested<W> {
    pub(super) fn new(inner: W) -> Self {
        Self { inner, piece: Vec::with_capacity(PIECE), written: 0, digester: None }
    }

    /// Bytes taken so far.
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Writes what is left and flushes; the digest of everything.
    pub(super) fn finish(mut self) -> io::Result<(W, Sha256)> {
        self.inner.write_all(&self.piece)?;
        self.inner.flush()?;
        let sha256 = match self.digester {
            Some(digester) => digester.finish(self.piece)?,
            None => Sha256::of(&self.piece),
        };
        Ok((self.inner, sha256))
    }

    fn pass_on(&mut self) -> io::Result<()> {
        self.inner.write_all(&self.piece)?;
        let digester = match self.digester.take() {
            Some(digester) => digester,
            None => Digester::start()?,
        };
        self.piece = digester.digest(std::mem::take(&mut self.piece))?;
        self.digester = Some(digester);
        Ok(())
    }
}

impl<W: Write> Write for Digested<W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let taken = data.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&data[..taken]);
        self.written += taken as u64;
        if self.piece.len() == PIECE {
            self.pass_on()?;
        }
        Ok(taken)
    }

    /// Nothing: pieces stay whole.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W> fmt::Debug for Digested<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digested").field("written", &self.written).finish_non_exhaustive()
    }
}

/// The thread, which ends when no more pieces can come.
struct Digester {
    pieces: SyncSender<Vec<u8>>,
    emptied: Receiver<Vec<u8>>,
    thread: JoinHandle<sha2::Sha256>,
}

impl Digester {
    fn start() -> io::Result<Self> {
        let (pieces, full) = sync_channel::<Vec<u8>>(WAITING);
        let (give_back, emptied) = channel();
        let thread = thread::Builder::new().name("shard-sha256".to_owned()).spawn(move || {
            let mut sha256 = sha2::Sha256::new();
            for mut piece in full {
                sha256.update(&piece);
                piece.clear();
                // Who has finished needs none.
                give_back.send(piece).ok();
            }
            sha256
        })?;
        Ok(Self { pieces, emptied, thread })
    }

    /// Takes a piece, and gives an empty one to go on with.
    fn digest(&self, piece: Vec<u8>) -> io::Result<Vec<u8>> {
        self.pieces.send(piece).map_err(io::Error::other)?;
        Ok(self.emptied.try_recv().unwrap_or_else(|_| Vec::with_capacity(PIECE)))
    }

    fn finish(self, last: Vec<u8>) -> io::Result<Sha256> {
        let Self { pieces, emptied: _, thread } = self;
        pieces.send(last).map_err(io::Error::other)?;
        drop(pieces);
        let sha256 = thread.join().map_err(|_| io::Error::other("the thread that digests has panicked"))?;
        Ok(Sha256::from_bytes(sha256.finalize().into()))
    }
}
