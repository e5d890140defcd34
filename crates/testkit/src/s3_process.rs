//! The embedded S3 server in a process of its own: the benchmark's program, started again.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use local_cloud::{LocalCloud, LocalCloudConfig};
use object_storage::S3Settings;

/// Makes the program the server instead of the benchmark; a folder and buckets follow.
const ARGUMENT: &str = "serve-s3";

/// A running server; it ends with this value, or with this process.
#[derive(Debug)]
pub struct S3Process {
    /// Its standard input is what keeps it running.
    server: Child,
    endpoint: String,
    access_key: String,
    secret_key: String,
}

impl S3Process {
    /// Starts it with these buckets, to keep objects somewhere below `folder` until it ends; blocks until it listens. The
    /// program calls [`Self::serve_if_asked`] first.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(folder: &Path, buckets: &[&str]) -> anyhow::Result<Self> {
        let mut server = Command::new(std::env::current_exe()?)
            .arg(ARGUMENT)
            .arg(folder)
            .args(buckets)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("start the S3 server")?;
        let told = BufReader::new(server.stdout.take().context("stdout is piped")?);
        let mut told = told.lines();
        let mut next = || -> anyhow::Result<String> { Ok(told.next().context("the S3 server ended")??) };
        Ok(Self { endpoint: next()?, access_key: next()?, secret_key: next()?, server })
    }

    /// Serves until standard input ends, where the program was started for that.
    ///
    /// # Errors
    /// The server does not start, or fails.
    pub fn serve_if_asked() -> Option<anyhow::Result<()>> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let [first, folder, buckets @ ..] = arguments.as_slice() else { return None };
        (first == ARGUMENT).then(|| serve(Path::new(folder), buckets.to_vec()))
    }

    /// The server's process.
    pub fn id(&self) -> u32 {
        self.server.id()
    }

    /// Endpoint, access key and secret key.
    pub fn access(&self) -> (&str, &str, &str) {
        (&self.endpoint, &self.access_key, &self.secret_key)
    }

    /// How to reach it.
    pub fn settings(&self) -> S3Settings {
        S3Settings::fixed(&self.endpoint, &self.access_key, &self.secret_key)
    }
}

impl Drop for S3Process {
    fn drop(&mut self) {
        drop(self.server.stdin.take());
        self.server.wait().ok();
    }
}

/// Serves empty buckets from a folder that goes with the server; ends when standard input does.
fn serve(parent: &Path, buckets: Vec<String>) -> anyhow::Result<()> {
    let folder = tempfile::tempdir_in(parent)?;
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
