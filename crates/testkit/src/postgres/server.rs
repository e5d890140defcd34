//! A Postgres server of one's own: durable, reached by TCP, to be killed and started again.

use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tempfile::TempDir;

use super::cluster::{START_TIMEOUT, User, as_user, find_binaries, initialise, other_user};

/// As the other one's keeper, but it leaves the folder, and syncs what it commits. `$3` is the port.
const KEEPER: &str = r#"
trap '' HUP INT TERM
"$1/postgres" -D "$2/data" -k "$2" -p "$3" -c listen_addresses=127.0.0.1 -c max_connections=100 >>"$2/log" 2>&1 &
read -r _
kill -QUIT $!
wait $!
"#;

/// A server with its default durability. It ends with this value.
#[derive(Debug)]
pub struct PostgresServer {
    folder: TempDir,
    binaries: PathBuf,
    user: Option<User>,
    port: u16,
    keeper: Option<Child>,
}

impl PostgresServer {
    /// Starts a server with an empty cluster on a free port of 127.0.0.1.
    pub async fn start() -> anyhow::Result<Self> {
        let made = tokio::task::spawn_blocking(|| -> anyhow::Result<Self> {
            let (binaries, user) = (find_binaries()?, other_user()?);
            let folder = tempfile::Builder::new().prefix("test-postgres-").tempdir()?;
            if let Some(user) = user {
                chown(folder.path(), Some(user.uid()), Some(user.gid()))?;
            }
            initialise(&binaries, folder.path(), user)?;
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            Ok(Self { folder, binaries, user, port, keeper: None })
        });
        let mut server = made.await??;
        server.start_again().await?;
        Ok(server)
    }

    /// Starts it after [`Self::kill`], once the last of its backends has ended, and waits until it answers.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        self.backends_are_gone().await?;
        let keeper = as_user(Command::new("/bin/sh"), self.user)
            .args(["-c", KEEPER, "keeper"])
            .arg(&self.binaries)
            .arg(self.folder.path())
            .arg(self.port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("run /bin/sh")?;
        self.keeper = Some(keeper);
        let deadline = Instant::now() + START_TIMEOUT;
        while let Err(error) = self.ping().await {
            if Instant::now() > deadline {
                let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                bail!("the Postgres server did not start: {error}\n{log}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// `kill -9` for the server; its backends end when they notice.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let file = std::fs::read_to_string(self.folder.path().join("data/postmaster.pid"))?;
        let pid = file.lines().next().and_then(|line| line.trim().parse().ok()).and_then(Pid::from_raw);
        kill_process(pid.context("postmaster.pid holds a process id")?, Signal::KILL)?;
        self.end_keeper();
        Ok(())
    }

    /// Its address, for a proxy before it.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// As `DATABASE_URL`, by way of another address (its own or a proxy's).
    pub fn url(&self, address: &str) -> String {
        format!("postgres://postgres@{address}/postgres")
    }

    /// A server does not start while a backend of the last one has its shared memory.
    async fn backends_are_gone(&self) -> anyhow::Result<()> {
        let data = self.folder.path().join("data").canonicalize()?;
        let gone = async || Ok((!is_worked_in(&data)?).then_some(()));
        crate::until("the killed server's backends have ended", START_TIMEOUT, gone).await
    }

    async fn ping(&self) -> anyhow::Result<()> {
        let options: PgConnectOptions = self.url(&self.address()).parse()?;
        options.disable_statement_logging().connect().await?.close().await?;
        Ok(())
    }

    /// Closing its standard input ends the server, if it still runs.
    fn end_keeper(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            keeper.wait().ok();
        }
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.end_keeper();
    }
}

/// Whether it is the working directory of a process, as a server's data is of all that belong to it.
fn is_worked_in(folder: &Path) -> anyhow::Result<bool> {
    let processes = std::fs::read_dir("/proc").context("read /proc")?.flatten();
    // No link: not a process, one that has ended, or another user's.
    let mut places = processes.filter_map(|process| std::fs::read_link(process.path().join("cwd")).ok());
    Ok(places.any(|place| place == folder))
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, PgConnection};

    use super::*;

    #[tokio::test]
    async fn a_killed_server_starts_again_while_a_backend_is_busy() -> anyhow::Result<()> {
        let mut server = PostgresServer::start().await?;
        let url = server.url(&server.address());
        let connect = async || -> anyhow::Result<PgConnection> {
            Ok(url.parse::<PgConnectOptions>()?.disable_statement_logging().connect().await?)
        };
        // It looks after its server only between statements, and this one takes seconds.
        let mut busy = connect().await?;
        let work = "SELECT count(*) FROM generate_series(1, 40000000)";
        let busy = tokio::spawn(async move { sqlx::query(AssertSqlSafe(work)).execute(&mut busy).await });
        let mut other = connect().await?;
        let active =
            format!("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = '{work}'");
        crate::until("the backend is busy", START_TIMEOUT, async || {
            let active =
                sqlx::query_scalar::<_, i64>(AssertSqlSafe(active.as_str())).fetch_one(&mut other).await?;
            Ok((active == 1).then_some(()))
        })
        .await?;
        server.kill()?;
        server.start_again().await?;
        let mut after = connect().await?;
        sqlx::query("SELECT 1").execute(&mut after).await?;
        busy.await?.ok();
        Ok(())
    }
}
