//! Sessions of the rig's own at the Postgres server, for faults that are made there.

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::Rig;

/// Version 3.0 of the protocol, and its messages:
/// <https://www.postgresql.org/docs/current/protocol-message-formats.html>.
const PROTOCOL: u32 = 3 << 16;

/// A connection to the server, around the proxy. It ends when dropped, and with it its transaction.
#[derive(Debug)]
pub(crate) struct Session(TcpStream);

impl Rig {
    /// A new session.
    ///
    /// # Errors
    /// What the server says.
    pub(crate) async fn session(&self) -> anyhow::Result<Session> {
        let parameters = b"user\0postgres\0database\0postgres\0\0";
        let mut session = Session(TcpStream::connect(self.postgres.address()).await?);
        let mut startup = u32::try_from(8 + parameters.len())?.to_be_bytes().to_vec();
        startup.extend(PROTOCOL.to_be_bytes());
        startup.extend(parameters);
        session.0.write_all(&startup).await?;
        session.answer().await?;
        Ok(session)
    }

    /// Runs one statement in a session of its own.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub(crate) async fn run_statement(&self, sql: &str) -> anyhow::Result<Option<String>> {
        self.session().await?.run(sql).await
    }
}

impl Session {
    /// Runs a statement; answers the first column of its last row.
    ///
    /// # Errors
    /// What the server says.
    pub(crate) async fn run(&mut self, sql: &str) -> anyhow::Result<Option<String>> {
        let mut query = vec![b'Q'];
        query.extend(u32::try_from(4 + sql.len() + 1)?.to_be_bytes());
        query.extend(sql.as_bytes());
        query.push(0);
        self.0.write_all(&query).await?;
        self.answer().await.with_context(|| sql.to_owned())
    }

    /// Reads until the server is ready for the next statement.
    async fn answer(&mut self) -> anyhow::Result<Option<String>> {
        let mut value = None;
        loop {
            let (kind, body) = self.message().await?;
            match kind {
                b'E' => bail!("Postgres says {}", String::from_utf8_lossy(&body).replace('\0', " ")),
                b'D' => value = first_column(&body),
                b'Z' => return Ok(value),
                _ => {}
            }
        }
    }

    async fn message(&mut self) -> anyhow::Result<(u8, Vec<u8>)> {
        let kind = self.0.read_u8().await.context("Postgres closed the connection")?;
        let length = usize::try_from(self.0.read_u32().await?)?;
        let mut body = vec![0; length.checked_sub(4).context("a length that includes itself")?];
        self.0.read_exact(&mut body).await?;
        Ok((kind, body))
    }
}

/// Of a DataRow: the number of columns, then for each its length and its bytes; NULL has the length -1.
fn first_column(row: &[u8]) -> Option<String> {
    let (_, columns) = row.split_first_chunk::<2>()?;
    let (length, bytes) = columns.split_first_chunk::<4>()?;
    let length = usize::try_from(i32::from_be_bytes(*length)).ok()?;
    Some(String::from_utf8_lossy(bytes.get(..length)?).into_owned())
}
