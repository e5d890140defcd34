//! A door in front of a server: while it is shut, nothing passes and nobody is told.

use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A TCP proxy that can be shut and opened again; connections stay, their bytes wait.
#[derive(Debug)]
pub struct Gate {
    endpoint: String,
    open: Arc<watch::Sender<bool>>,
    listener: JoinHandle<()>,
}

impl Gate {
    /// An open gate in front of `http://HOST:PORT`.
    pub async fn before(endpoint: &str) -> anyhow::Result<Self> {
        let target = endpoint.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let open = Arc::new(watch::Sender::new(true));
        let signal = Arc::clone(&open);
        let listener = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (target, signal) = (target.clone(), Arc::clone(&signal));
                tokio::spawn(async move {
                    // A refused or broken connection ends with its halves: the client sees it.
                    let Ok(server) = TcpStream::connect(target).await else { return };
                    let ((from_client, to_client), (from_server, to_server)) =
                        (client.into_split(), server.into_split());
                    tokio::join!(
                        pass(from_client, to_server, signal.subscribe()),
                        pass(from_server, to_client, signal.subscribe()),
                    );
                });
            }
        });
        Ok(Self { endpoint, open, listener })
    }

    /// Where it listens: `http://127.0.0.1:<port>`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Lets nothing more pass.
    pub fn shut(&self) {
        self.open.send_replace(false);
    }

    /// Lets all that waits pass.
    pub fn open(&self) {
        self.open.send_replace(true);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut open: watch::Receiver<bool>) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if open.wait_for(|open| *open).await.is_err() {
            return;
        }
        if to.write_all(buffer.get(..count).unwrap_or_default()).await.is_err() {
            return;
        }
    }
}
