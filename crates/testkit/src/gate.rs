//! A door in front of a server: while it is shut, nothing passes and nobody is told.

use crate::TcpProxy;

/// A [`TcpProxy`] before an HTTP server that is only ever shut and opened again; connections stay, their bytes wait.
#[derive(Debug)]
pub struct Gate {
    endpoint: String,
    proxy: TcpProxy,
}

impl Gate {
    /// An open gate in front of `http://HOST:PORT`.
    pub async fn before(endpoint: &str) -> anyhow::Result<Self> {
        let proxy = TcpProxy::start(endpoint.trim_start_matches("http://").trim_end_matches('/')).await?;
        Ok(Self { endpoint: format!("http://{}", proxy.address()), proxy })
    }

    /// Where it listens: `http://127.0.0.1:<port>`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Lets nothing more pass.
    pub fn shut(&self) {
        self.proxy.blackhole(true);
    }

    /// Lets all that waits pass.
    pub fn open(&self) {
        self.proxy.blackhole(false);
    }
}
