//! Upkeep in SQLite.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use types::{S3Uri, StageName};

use super::{SqliteStore, commit};
use crate::encoding::milliseconds;
use crate::failures::failed;
use crate::{Leadership, StoreError, Upkeep};

#[async_trait]
impl Upkeep for SqliteStore {
    async fn lead(&self, duty: &str) -> Result<Option<Box<dyn Leadership>>, StoreError> {
        let ours = self.duties.lock().unwrap_or_else(PoisonError::into_inner).insert(duty.to_owned());
        if !ours {
            return Ok(None);
        }
        Ok(Some(Box::new(Duty { name: duty.to_owned(), of: Arc::clone(&self.duties) })))
    }

    async fn free_expired(&self, stage: StageName, grace: Duration) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let freed = sqlx::query(include_str!("../../queries/sqlite/free_expired.sql"))
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
        let mut transaction = self.begin().await?;
        let mut condemned = Vec::with_capacity(objects.len());
        for uri in objects {
            let inserted = sqlx::query(include_str!("../../queries/sqlite/condemn.sql"))
                .bind(uri.to_string())
                .execute(&mut *transaction)
                .await
                .map_err(failed)?
                .rows_affected();
            condemned.push(inserted > 0);
        }
        commit(transaction).await?;
        Ok(condemned)
    }

    async fn bury(&self, objects: &[S3Uri]) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for uri in objects {
            sqlx::query(include_str!("../../queries/sqlite/bury.sql"))
                .bind(uri.to_string())
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
        sqlx::query(include_str!("../../queries/prune_condemned.sql"))
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        commit(transaction).await
    }
}

/// A duty that somebody in this process has, put back when it is dropped.
#[derive(Debug)]
struct Duty {
    name: String,
    of: Arc<Mutex<BTreeSet<String>>>,
}

#[async_trait]
impl Leadership for Duty {
    async fn holds(&mut self) -> bool {
        true
    }
}

impl Drop for Duty {
    fn drop(&mut self) {
        self.of.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}
