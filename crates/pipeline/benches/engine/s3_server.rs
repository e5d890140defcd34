//! The embedded S3 server in a process of its own: this program, started again.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use local_cloud::{LocalCloud, LocalCloudConfig};
use object_storage::S3Settings;

/// Makes the program the server instead of the benchmark.
pub(crate) const ARGUMENT: &str = "serve-s3";

/// A running server; it ends with this value, or with this process.
#[derive(Debug)]
pub(crate) struct S3Server {
    /// Its standard input is what keeps it running.
    server: Child,
    endpoint: String,
    access_key: String,
    secret_key: String,
}

impl S3Server {
    /// Starts it; blocks until it listens.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let mut server = Command::new(std::env::current_exe()?)
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("start the S3 server")?;
        let told = BufReader::new(server.stdout.take().context("stdout is piped")?);
        let mut told = told.lines();
        let mut next = || -> anyhow::Result<String> { Ok(told.next().context("the S3 server ended")??) };
        Ok(Self { endpoint: next()?, access_key: next()?, secret_key: next()?, server })
    }

    /// How to reach it.
    pub(crate) fn settings(&self) -> S3Settings {
        S3Settings::fixed(&self.endpoint, &self.access_key, &self.secret_key)
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        drop(self.server.stdin.take());
        self.server.wait().ok();
    }
}

/// Serves two empty buckets from a folder that goes with the server; ends when standard input does.
pub(crate) fn serve() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let buckets = ["bench-in", "bench-out"].map(str::to_owned).to_vec();
    let config = LocalCloudConfig { buckets, ..LocalCloudConfig::new(folder.path()) };
    tokio::runtime::Runtime::new()?.block_on(async {
        let cloud = LocalCloud::start(config).await?;
        let mut out = std::io::stdout();
        writeln!(out, "{}\n{}\n{}", cloud.endpoint(), cloud.access_key(), cloud.secret_key())?;
        tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
        cloud.stop().await;
        Ok(())
    })
}
