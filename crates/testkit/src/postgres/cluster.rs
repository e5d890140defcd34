//! A Postgres server that lives exactly as long as this process.

use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};

/// How long a server may take to answer, on a machine that is busy compiling.
pub(super) const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Runs the server and ends it when our end of the pipe to its standard input closes, which the kernel sees
/// to however we end: destructors of statics do not run, and `kill -9` runs nothing at all. `$1` binaries,
/// `$2` folder.
const KEEPER: &str = r#"
trap '' HUP INT TERM
"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c unix_socket_permissions=0700 -c max_connections=200 \
    -c fsync=off -c synchronous_commit=off -c full_page_writes=off >"$2/log" 2>&1 &
read -r _
kill -QUIT $!
wait $!
rm -rf "$2"
"#;

/// The user that runs the server where we are root, as whom Postgres refuses to run.
#[derive(Debug, Clone, Copy)]
pub(super) struct User {
    uid: u32,
    gid: u32,
}

impl User {
    pub(super) fn uid(self) -> u32 {
        self.uid
    }

    pub(super) fn gid(self) -> u32 {
        self.gid
    }
}

/// A running server.
#[derive(Debug)]
pub(super) struct Cluster {
    folder: PathBuf,
    /// Holds the pipe: see `KEEPER`.
    _keeper: Child,
}

impl Cluster {
    /// Starts a server with an empty cluster.
    pub(super) async fn start() -> anyhow::Result<Self> {
        let (folder, mut keeper) = tokio::task::spawn_blocking(launch).await??;
        let options = PgConnectOptions::new().socket(&folder).username("postgres").database("postgres");
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            match options.clone().disable_statement_logging().connect().await {
                Ok(connection) => {
                    connection.close().await?;
                    return Ok(Self { folder, _keeper: keeper });
                }
                Err(error) if Instant::now() > deadline || keeper.try_wait()?.is_some() => {
                    let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
                    return Err(error).with_context(|| format!("the test Postgres did not start:\n{log}"));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// The server's own database, by its Unix socket.
    pub(super) fn url(&self) -> String {
        let options = PgConnectOptions::new().socket(&self.folder).username("postgres").database("postgres");
        options.to_url_lossy().to_string()
    }
}

fn launch() -> anyhow::Result<(PathBuf, Child)> {
    let binaries = find_binaries()?;
    let user = other_user()?;
    let folder = tempfile::Builder::new().prefix("test-postgres-").tempdir()?;
    if let Some(user) = user {
        chown(folder.path(), Some(user.uid), Some(user.gid))?;
    }
    initialise(&binaries, folder.path(), user)?;
    let keeper = as_user(Command::new("/bin/sh"), user)
        .args(["-c", KEEPER, "keeper"])
        .arg(&binaries)
        .arg(folder.path())
        .stdin(Stdio::piped())
        // Not ours: whoever reads our output would wait for the server's end.
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C is for us; the keeper follows in its own time.
        .process_group(0)
        .spawn()
        .context("run /bin/sh")?;
    // From here on the keeper removes the folder.
    Ok((folder.keep(), keeper))
}

/// `initdb`, with a collation that is not bytewise, so that a query that forgets to ask for byte order is
/// found out.
pub(super) fn initialise(binaries: &Path, folder: &Path, user: Option<User>) -> anyhow::Result<()> {
    let output = as_user(Command::new(binaries.join("initdb")), user)
        .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync", "--no-instructions"])
        .args(["--locale=C", "--locale-provider=icu", "--icu-locale=en-US"])
        .arg("--pgdata")
        .arg(folder.join("data"))
        .stdin(Stdio::null())
        .output()
        .context("run initdb")?;
    ensure!(output.status.success(), "initdb failed:\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

pub(super) fn as_user(mut command: Command, user: Option<User>) -> Command {
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    // Ours may be closed to that user.
    command.current_dir("/");
    command
}

/// The folder of `initdb` and `postgres`: on PATH, else the newest where Debian keeps them.
pub(super) fn find_binaries() -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).collect::<Vec<_>>();
    let mut of_debian: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    of_debian.sort_by_key(|folder| std::cmp::Reverse(major_version(folder)));
    let complete = |folder: &PathBuf| folder.join("initdb").is_file() && folder.join("postgres").is_file();
    on_path.into_iter().chain(of_debian).find(complete).context(
        "no Postgres on this system: `apt-get install postgresql`, or set TEST_DATABASE_URL to a server's URL",
    )
}

/// The `15` of `/usr/lib/postgresql/15/bin`.
fn major_version(folder: &Path) -> u32 {
    let version = folder.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    version.and_then(|version| version.parse().ok()).unwrap_or(0)
}

/// Somebody to run the server as, where we are root: `postgres`, else `nobody`.
pub(super) fn other_user() -> anyhow::Result<Option<User>> {
    if std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() != 0) {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd").context("read /etc/passwd")?;
    for name in ["postgres", "nobody"] {
        // passwd(5): name:password:uid:gid:…
        let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
        for fields in fields {
            if let [found, _, uid, gid, ..] = fields.as_slice()
                && *found == name
            {
                return Ok(Some(User { uid: uid.parse()?, gid: gid.parse()? }));
            }
        }
    }
    bail!("we are root, as whom Postgres does not run, and there is no user postgres or nobody")
}
