//! The production adapter: bulk by `UNNEST`, locks in key order, no transaction across other I/O.

mod annotations;
mod catalogue;
mod claims;
mod history;
mod lists;
mod publish;
mod upkeep;
mod versions;

use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::query::{Query, QueryAs};
use sqlx::{ConnectOptions, Connection, Executor, FromRow, PgTransaction, Postgres};
use types::DatasetName;

use crate::failures::{commit_failed, failed, migration_failed};
use crate::rows::KeyColumns;
use crate::{ClaimKey, StoreError};

/// How long the first connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a call waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);

/// Bounds on what a lost or stuck client can hold up; the statement timeout leaves room for counting a large
/// dataset.
/// Plans are made anew each time, which costs a millisecond: one made for any page size reads a whole table per page.
const SESSION: &str = "
    SET lock_timeout = '30s';
    SET statement_timeout = '120s';
    SET idle_in_transaction_session_timeout = '30s';
    SET plan_cache_mode = 'force_custom_plan';
";

/// The lock is taken with the BEGIN, which costs no round trip, and before the first statement that looks at condemned
/// objects, so that it sees what was decided while we waited. The numbers are ours alone in this database: locks by
/// two numbers are apart from those by one ("imag" in ASCII, and 1 for condemning).
const BEGIN_PUBLISHING: &str = "BEGIN; SELECT pg_advisory_xact_lock_shared(1768776039, 1)";
const BEGIN_CONDEMNING: &str = "BEGIN; SELECT pg_advisory_xact_lock(1768776039, 1)";

/// A manifest store in PostgreSQL 15 or later.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    pool: PgPool,
    /// Datasets that this process has seen to exist; none is ever removed.
    datasets: Arc<Mutex<BTreeSet<DatasetName>>>,
}

impl PostgresStore {
    /// Connects and brings the schema up to date; replicas that start together take turns.
    ///
    /// TLS and the rest are the URL's own (`?sslmode=verify-full`). No error shows the URL.
    pub async fn connect(url: &str, max_connections: u32) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url).map_err(|_| {
            StoreError::Configuration(
                "DATABASE_URL: not a valid postgres://USER:PASSWORD@HOST/DATABASE".to_owned(),
            )
        })?;
        let options = options.application_name("imageml");
        reach(&options).await?;
        let pool = PgPoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    connection.execute(SESSION).await?;
                    Ok(())
                })
            })
            .connect_with(options)
            .await
            .map_err(failed)?;
        sqlx::migrate!("migrations/postgres").run(&pool).await.map_err(migration_failed)?;
        Ok(Self { pool, datasets: Arc::default() })
    }

    async fn begin(&self) -> Result<PgTransaction<'static>, StoreError> {
        self.pool.begin().await.map_err(failed)
    }

    /// A transaction that publishes: any number of them side by side, but none beside one that condemns.
    async fn begin_publishing(&self) -> Result<PgTransaction<'static>, StoreError> {
        self.pool.begin_with(BEGIN_PUBLISHING).await.map_err(failed)
    }

    /// A transaction that condemns objects, beside no publication.
    async fn begin_condemning(&self) -> Result<PgTransaction<'static>, StoreError> {
        self.pool.begin_with(BEGIN_CONDEMNING).await.map_err(failed)
    }

    /// A transaction that reads one state of the database.
    async fn snapshot(&self) -> Result<PgTransaction<'static>, StoreError> {
        self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map_err(failed)
    }
}

/// One connection, to fail with the cause: a pool tries until its time is over and then says only that it is.
async fn reach(options: &PgConnectOptions) -> Result<(), StoreError> {
    let place = format!("PostgreSQL at {}:{}", options.get_host(), options.get_port());
    match tokio::time::timeout(CONNECT_TIMEOUT, options.connect()).await {
        Ok(Ok(connection)) => connection.close().await.map_err(failed),
        Ok(Err(error)) => Err(StoreError::Unavailable(format!("{place}: {error}"))),
        Err(_) => Err(StoreError::Unavailable(format!("{place} does not answer"))),
    }
}

async fn commit(transaction: PgTransaction<'static>) -> Result<(), StoreError> {
    transaction.commit().await.map_err(commit_failed)
}

/// A statement whose first six parameters are a claim key.
fn keyed<'q>(sql: &'static str, key: &ClaimKey) -> Query<'q, Postgres, PgArguments> {
    let columns = KeyColumns::from(key);
    sqlx::query(sql)
        .bind(columns.stage)
        .bind(columns.bucket)
        .bind(columns.key)
        .bind(columns.version)
        .bind(columns.dataset)
        .bind(columns.policy)
}

/// The same for a statement that answers rows.
fn keyed_as<'q, R>(sql: &'static str, key: &'q ClaimKey) -> QueryAs<'q, Postgres, R, PgArguments>
where
    R: for<'r> FromRow<'r, PgRow>,
{
    let columns = KeyColumns::from(key);
    sqlx::query_as(sql)
        .bind(columns.stage)
        .bind(columns.bucket)
        .bind(columns.key)
        .bind(columns.version)
        .bind(columns.dataset)
        .bind(columns.policy)
}
