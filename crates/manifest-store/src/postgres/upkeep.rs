//! Upkeep in Postgres.

use std::collections::HashSet;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::{Connection, PgConnection};
use types::{S3Uri, Sha256, StageName};

use super::lists::column;
use super::{PostgresStore, commit};
use crate::encoding::milliseconds;
use crate::failures::failed;
use crate::{Leadership, StoreError, Upkeep};

/// How long the server may take to say that the lock is still ours.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

#[async_trait]
impl Upkeep for PostgresStore {
    async fn lead(&self, duty: &str) -> Result<Option<Box<dyn Leadership>>, StoreError> {
        // The lock is the session's: it goes with this connection, which therefore is never shared.
        let mut connection = self.pool.acquire().await.map_err(failed)?.detach();
        let ours: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(lock_number(duty))
            .fetch_one(&mut connection)
            .await
            .map_err(failed)?;
        if !ours {
            connection.close().await.map_err(failed)?;
            return Ok(None);
        }
        Ok(Some(Box::new(Session { connection: Some(connection) })))
    }

    async fn free_expired(&self, stage: StageName, grace: Duration) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let freed = sqlx::query(include_str!("../../queries/postgres/free_expired.sql"))
            .bind(stage.as_str())
            .bind(milliseconds(grace))
            .execute(&mut *transaction)
            .await
            .map_err(failed)?
            .rows_affected();
        commit(transaction).await?;
        Ok(freed)
    }

    async fn condemn(&self, objects: &[S3Uri]) -> Result<Vec<bool>, StoreError> {
        let uris = column(objects, S3Uri::to_string);
        let mut transaction = self.begin_condemning().await?;
        let condemned: Vec<String> = sqlx::query_scalar(include_str!("../../queries/postgres/condemn.sql"))
            .bind(&uris)
            .fetch_all(&mut *transaction)
            .await
            .map_err(failed)?;
        commit(transaction).await?;
        let condemned: HashSet<String> = condemned.into_iter().collect();
        Ok(uris.iter().map(|uri| condemned.contains(uri)).collect())
    }

    async fn bury(&self, objects: &[S3Uri]) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(include_str!("../../queries/postgres/bury.sql"))
            .bind(column(objects, S3Uri::to_string))
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        sqlx::query(include_str!("../../queries/prune_condemned.sql"))
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        commit(transaction).await
    }
}

/// The number that stands for a duty: the same in every process and release.
fn lock_number(duty: &str) -> i64 {
    let digest = Sha256::of(format!("imageml duty {duty}"));
    let first = digest.as_bytes().first_chunk().expect("a SHA-256 has 32 bytes");
    i64::from_be_bytes(*first)
}

/// The session whose lock says that a duty is ours. Dropping it closes the connection, and the server lets go.
#[derive(Debug)]
struct Session {
    /// `None` once it did not answer.
    connection: Option<PgConnection>,
}

#[async_trait]
impl Leadership for Session {
    // Cancel safety: a connection in the middle of a question is not asked again but given up.
    async fn holds(&mut self) -> bool {
        let Some(mut connection) = self.connection.take() else { return false };
        let answered = tokio::time::timeout(ANSWER_TIMEOUT, connection.ping()).await;
        if matches!(answered, Ok(Ok(()))) {
            self.connection = Some(connection);
        }
        self.connection.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_numbers_differ_by_duty_and_stay_over_releases() {
        assert_ne!(lock_number("janitor"), lock_number("planner"));
        // printf 'imageml duty janitor' | sha256sum | cut -c 1-16
        assert_eq!(lock_number("janitor").cast_unsigned(), 0x9c66_b9f7_f48a_9af2);
    }
}
