//! Throwaway Postgres databases.

mod cluster;
mod server;

use std::str::FromStr;

use anyhow::Context;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tokio::sync::OnceCell;
use uuid::Uuid;

use self::cluster::Cluster;
pub use self::server::PostgresServer;

/// The server of this test process; it goes when the process does.
static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();

/// An empty database of one's own.
#[derive(Debug)]
pub struct TestDatabase {
    /// Where it is, as `DATABASE_URL`.
    pub url: String,
    /// On a server that outlives us: what is to be dropped, and how to get there.
    leftover: Option<(PgConnectOptions, String)>,
}

/// A fresh, empty database: on the server of `TEST_DATABASE_URL` if that is set (its user must be allowed to
/// create databases), else on a throwaway server of this process, run from the Postgres binaries (15 or
/// later) of this system.
pub async fn database() -> anyhow::Result<TestDatabase> {
    let given = std::env::var("TEST_DATABASE_URL").ok().filter(|url| !url.is_empty());
    let outlives_us = given.is_some();
    let server_url = match given {
        Some(url) => url,
        None => CLUSTER.get_or_try_init(Cluster::start).await?.url(),
    };
    // The error could show the URL, which may hold a password.
    let server = PgConnectOptions::from_str(&server_url)
        .map_err(|_| anyhow::anyhow!("TEST_DATABASE_URL is not a postgres:// URL"))?;
    let name = format!("test_{}", Uuid::new_v4().simple());
    let mut connection = server.connect().await.context("connect to the test Postgres")?;
    // The name is made of hex digits.
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut connection)
        .await
        .context("create a test database")?;
    connection.close().await?;
    let url = server.clone().database(&name).to_url_lossy().to_string();
    Ok(TestDatabase { url, leftover: outlives_us.then_some((server, name)) })
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Some((server, name)) = self.leftover.take() else { return };
        // A runtime of its own: the test's may be ending, and must not be blocked on.
        let dropping = std::thread::spawn(move || -> anyhow::Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut connection = PgConnection::connect_with(&server).await?;
                let drop = AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
                sqlx::query(drop).execute(&mut connection).await?;
                Ok(())
            })
        });
        if !matches!(dropping.join(), Ok(Ok(()))) {
            eprintln!("a test database is left on the server of TEST_DATABASE_URL");
        }
    }
}
