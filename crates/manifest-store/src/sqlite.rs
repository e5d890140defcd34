//! The embedded adapter: one file, any number of readers, one writer at a time.

mod annotations;
mod catalogue;
mod claims;
mod history;
mod publish;
mod upkeep;
mod versions;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sqlx::query::{Query, QueryAs};
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{FromRow, Sqlite, SqliteTransaction};

use crate::failures::{commit_failed, failed, is_busy, migration_failed};
use crate::rows::KeyColumns;
use crate::{ClaimKey, StoreError};

/// How long a statement waits for another *process* that writes to the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(60);
/// How long turning a new file to WAL takes.
const WAL_PAUSE: Duration = Duration::from_millis(20);
/// How long a call waits for its turn behind the other calls of this process.
const TURN_TIMEOUT: Duration = Duration::from_secs(120);
/// Reads run beside the writer and beside each other; more threads than this only contend.
const READERS: u32 = 4;

/// A manifest store in one SQLite file (laptop mode and tests).
///
/// Writers queue for a single connection instead of meeting `SQLITE_BUSY`. A commit is on disk when a call
/// returns (WAL with `synchronous = FULL`): it survives `kill -9` and loss of power.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
    /// The duties that somebody in this process has.
    duties: Arc<Mutex<BTreeSet<String>>>,
}

impl SqliteStore {
    /// Opens the file, creating it if need be (its folder must exist), and brings its schema up to date.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            .foreign_keys(true);
        let cannot_open = |error: sqlx::Error| {
            StoreError::Configuration(format!("cannot open the manifest store {}: {error}", path.display()))
        };
        let writer = connect_writer(options.clone()).await.map_err(cannot_open)?;
        migrate(&writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(TURN_TIMEOUT)
            .connect_with(options.read_only(true).create_if_missing(false))
            .await
            .map_err(cannot_open)?;
        Ok(Self { writer, readers, duties: Arc::default() })
    }

    /// A transaction that may write. It takes the write lock at once: one that began by reading would be
    /// refused the lock, without waiting, if somebody wrote in between.
    async fn begin(&self) -> Result<SqliteTransaction<'static>, StoreError> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)
    }

    /// A transaction that reads one state of the database.
    async fn snapshot(&self) -> Result<SqliteTransaction<'static>, StoreError> {
        self.readers.begin().await.map_err(failed)
    }
}

/// Connects the one writer. SQLite does not wait, whatever its busy timeout, when several processes turn a
/// new file to WAL at once (sqlite.org/wal.html): we do.
async fn connect_writer(options: SqliteConnectOptions) -> Result<SqlitePool, sqlx::Error> {
    let begun = Instant::now();
    loop {
        let connected = SqlitePoolOptions::new()
            .min_connections(1)
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(TURN_TIMEOUT)
            .connect_with(options.clone())
            .await;
        match connected {
            Err(error) if is_busy(&error) && begun.elapsed() < BUSY_TIMEOUT => {
                tokio::time::sleep(WAL_PAUSE).await
            }
            result => return result,
        }
    }
}

async fn commit(transaction: SqliteTransaction<'static>) -> Result<(), StoreError> {
    transaction.commit().await.map_err(commit_failed)
}

/// Two processes may open a new file at once: the second waits for the first and finds nothing to do.
async fn migrate(writer: &SqlitePool) -> Result<(), StoreError> {
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
    sqlx::migrate!("migrations/sqlite").run(&mut *transaction).await.map_err(migration_failed)?;
    commit(transaction).await
}

/// A statement whose first six parameters are a claim key.
fn keyed<'q>(sql: &'static str, key: &ClaimKey) -> Query<'q, Sqlite, SqliteArguments> {
    key_columns(sql, &KeyColumns::from(key))
}

/// The same for the columns of a claim key.
fn key_columns<'q>(sql: &'static str, key: &KeyColumns<'_>) -> Query<'q, Sqlite, SqliteArguments> {
    sqlx::query(sql)
        .bind(key.stage)
        .bind(key.bucket)
        .bind(key.key)
        .bind(key.version)
        .bind(key.dataset)
        .bind(key.policy.clone())
}

/// The same for a statement that answers rows.
fn keyed_as<'q, R>(sql: &'static str, key: &'q ClaimKey) -> QueryAs<'q, Sqlite, R, SqliteArguments>
where
    R: for<'r> FromRow<'r, SqliteRow>,
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
