//! How many objects a second can be claimed and published on PostgreSQL, by size of batch and number of workers.
//!
//! `cargo bench -p manifest-store --bench claims [-- OPTION…]`
//!
//! - `objects=N`: objects for each line of a table (20,000; a tenth of that in batches of one);
//! - `without-output-indexes`: drops the indexes that the janitor asks, to see what they cost;
//! - `json=FILE`: writes everything that was found.
//!
//! There are two tables: on a server that syncs every commit, with the defaults of PostgreSQL, and on the throwaway one
//! of the tests, **which does not sync to disk** and so shows the cost of the statements alone. With
//! `TEST_DATABASE_URL` there is one, on that server. The settings that matter are printed. The client and the server
//! share this machine.
//!
//! Without `--bench` (as `cargo test --benches` runs it) a few objects show that it works.

mod cpu;
mod image;
mod load;
mod settings;

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use manifest_store::PostgresStore;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use testkit::{PostgresServer, TestDatabase};

use crate::load::Load;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let given = arguments.iter().find_map(|argument| argument.strip_prefix("objects="));
    let objects: usize = given.map_or(Ok(20_000), str::parse).context("objects=N")?;
    let without_indexes = arguments.iter().any(|argument| argument == "without-output-indexes");
    if !arguments.iter().any(|argument| argument == "--bench") {
        let database = Server::OfTests.database().await?;
        return run(Load { first: 0, objects: 100, batch: 64, workers: 2 }, &database.url, without_indexes)
            .await
            .map(drop);
    }
    let cores = std::thread::available_parallelism()?;
    writeln!(std::io::stdout(), "Claims and publications, {cores} cores for client and server")?;
    let mut servers = vec![Server::OfTests];
    if std::env::var_os("TEST_DATABASE_URL").is_none_or(|url| url.is_empty()) {
        servers.insert(0, Server::Durable(PostgresServer::start().await?));
    }
    let mut tables = Vec::new();
    for server in servers {
        tables.push(table(&server, objects, without_indexes).await?);
    }
    let file = arguments.iter().find_map(|argument| argument.strip_prefix("json="));
    let document = json!({ "tables": tables });
    file.map_or(Ok(()), |file| {
        std::fs::write(file, serde_json::to_string_pretty(&document)?).context("json=FILE")
    })
}

async fn table(server: &Server, objects: usize, without_indexes: bool) -> anyhow::Result<Value> {
    let mut out = std::io::stdout();
    let settings = settings::shown(&server.database().await?.url).await?;
    writeln!(out, "\n{settings}\n{:>47}", "ms of CPU per object")?;
    writeln!(
        out,
        "{:>6} {:>8} {:>8} {:>10} {:>8} {:>8}",
        "batch", "workers", "objects", "objects/s", "client", "server"
    )?;
    let mut lines = Vec::new();
    for batch in [1, 10, 64] {
        for workers in [1, 2, 4] {
            let objects = if batch == 1 { objects.div_ceil(10) } else { objects };
            let database = server.database().await?;
            let load = Load { first: 0, objects, batch, workers };
            let measured = run(load, &database.url, without_indexes).await?;
            let [wall, client, server] =
                [measured.took, measured.client, measured.server].map(|time| time.as_secs_f64());
            let each = |seconds: f64| seconds * 1000.0 / objects as f64;
            writeln!(
                out,
                "{batch:>6} {workers:>8} {objects:>8} {:>10.0} {:>8.3} {:>8.3}",
                objects as f64 / wall,
                each(client),
                each(server)
            )?;
            lines.push(json!({
                "batch": batch, "workers": workers, "objects": objects, "wall_s": wall, "client_cpu_s": client,
                "server_cpu_s": server,
            }));
        }
    }
    Ok(json!({ "server": settings, "lines": lines }))
}

/// What is measured.
enum Server {
    /// With PostgreSQL's own settings.
    Durable(PostgresServer),
    /// That of the tests, or of `TEST_DATABASE_URL`.
    OfTests,
}

/// An empty one.
struct Database {
    url: String,
    _of_tests: Option<TestDatabase>,
}

impl Server {
    async fn database(&self) -> anyhow::Result<Database> {
        match self {
            Self::OfTests => {
                let database = testkit::database().await?;
                Ok(Database { url: database.url.clone(), _of_tests: Some(database) })
            }
            Self::Durable(server) => {
                static MADE: AtomicUsize = AtomicUsize::new(0);
                let name = format!("bench_{}", MADE.fetch_add(1, Ordering::Relaxed));
                let url = server.url(&server.address());
                let mut connection = PgConnection::connect(&url).await?;
                let create = AssertSqlSafe(format!("CREATE DATABASE {name}"));
                sqlx::query(create).execute(&mut connection).await?;
                let (server, _) = url.rsplit_once('/').context("a URL with a database")?;
                Ok(Database { url: format!("{server}/{name}"), _of_tests: None })
            }
        }
    }
}

/// What a run took.
#[derive(Debug)]
struct Measured {
    took: Duration,
    /// CPU time of this process.
    client: Duration,
    /// CPU time of the database, where it is one of ours.
    server: Duration,
}

/// Claims and publishes everything in a fresh database.
async fn run(load: Load, database: &str, without_indexes: bool) -> anyhow::Result<Measured> {
    let store = PostgresStore::connect(database, 8).await?;
    let mut connection = PgConnection::connect(database).await?;
    if without_indexes {
        sqlx::query("DROP INDEX manifest_entries_output, manifests_uri").execute(&mut connection).await?;
    }
    let (begun, client, server) = (Instant::now(), cpu::own()?, cpu::postgres());
    load.run(&store).await?;
    let measured = Measured {
        took: begun.elapsed(),
        client: cpu::own()?.saturating_sub(client),
        server: cpu::postgres().saturating_sub(server),
    };
    let done: i64 = sqlx::query_scalar("SELECT count(*) FROM claims WHERE state = 'done'")
        .fetch_one(&mut connection)
        .await?;
    ensure!(usize::try_from(done)? == load.objects, "{done} of {} are done", load.objects);
    Ok(measured)
}
