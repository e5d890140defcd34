//! Claims in SQLite.

use std::collections::BTreeSet;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Sqlite, SqliteTransaction};
use types::{DatasetName, RejectCode, RejectReason, S3Uri, StageName};

use super::{SqliteStore, commit, keyed, keyed_as};
use crate::encoding::{integer, json, milliseconds, policy_bytes, prose};
use crate::failures::failed;
use crate::rows::{CheckpointRow, FenceRow, GrantRow, ProcessedRow, RejectedRow, StatusRow};
use crate::{
    Claim, ClaimKey, ClaimOutcome, ClaimStatus, Claims, ProcessedRecord, Publication, RejectedRecord,
    StoreError,
};

#[async_trait]
impl Claims for SqliteStore {
    async fn claim(
        &self,
        keys: &[ClaimKey],
        owner: &str,
        lease: Duration,
    ) -> Result<Vec<ClaimOutcome>, StoreError> {
        let mut transaction = self.begin().await?;
        let datasets: BTreeSet<&DatasetName> = keys.iter().map(|key| &key.dataset).collect();
        for dataset in datasets {
            sqlx::query("INSERT OR IGNORE INTO datasets (name) VALUES ($1)")
                .bind(dataset.as_str())
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
        let mut outcomes = Vec::with_capacity(keys.len());
        for key in keys {
            let granted: Option<GrantRow> = keyed_as(include_str!("../../queries/sqlite/claim.sql"), key)
                .bind(owner)
                .bind(milliseconds(lease))
                .fetch_optional(&mut *transaction)
                .await
                .map_err(failed)?;
            outcomes.push(match granted {
                Some(grant) => ClaimOutcome::Owned(grant.claim(key)?),
                None => refusal(&mut transaction, key).await?,
            });
        }
        commit(transaction).await?;
        Ok(outcomes)
    }

    async fn renew(&self, claims: &[Claim], lease: Duration) -> Result<Vec<bool>, StoreError> {
        let mut transaction = self.begin().await?;
        let mut renewed = Vec::with_capacity(claims.len());
        for claim in claims {
            let statement =
                held(include_str!("../../queries/sqlite/renew.sql"), claim).bind(milliseconds(lease));
            renewed.push(changed(&mut transaction, statement).await? > 0);
        }
        commit(transaction).await?;
        Ok(renewed)
    }

    async fn publish_all(
        &self,
        publications: &[Publication],
    ) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        let mut transaction = self.begin().await?;
        let mut answers = Vec::with_capacity(publications.len());
        for publication in publications {
            answers.push(super::publish::publish(&mut transaction, publication).await?);
        }
        commit(transaction).await?;
        Ok(answers)
    }

    async fn release(&self, claims: &[Claim]) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for claim in claims {
            changed(&mut transaction, held(include_str!("../../queries/sqlite/release.sql"), claim)).await?;
        }
        commit(transaction).await
    }

    async fn postpone(&self, claim: &Claim, after: Duration) -> Result<(), StoreError> {
        let statement =
            held(include_str!("../../queries/sqlite/postpone.sql"), claim).bind(milliseconds(after));
        self.end(statement).await
    }

    async fn fail(&self, claim: &Claim, after: Duration, error: &str) -> Result<(), StoreError> {
        let statement = held(include_str!("../../queries/sqlite/fail.sql"), claim)
            .bind(milliseconds(after))
            .bind(prose(error));
        self.end(statement).await
    }

    async fn quarantine(&self, claim: &Claim, reason: &RejectReason) -> Result<(), StoreError> {
        let statement = held(include_str!("../../queries/sqlite/quarantine.sql"), claim)
            .bind(reason.code.as_str())
            .bind(prose(&reason.detail));
        self.end(statement).await
    }

    async fn release_owner(&self, owner: &str) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let statement = sqlx::query(include_str!("../../queries/sqlite/release_owner.sql")).bind(owner);
        let released = changed(&mut transaction, statement).await?;
        commit(transaction).await?;
        Ok(released)
    }

    async fn statuses(&self, keys: &[ClaimKey]) -> Result<Vec<ClaimStatus>, StoreError> {
        let mut snapshot = self.snapshot().await?;
        let mut statuses = Vec::with_capacity(keys.len());
        for key in keys {
            let row: Option<StatusRow> = keyed_as(include_str!("../../queries/sqlite/status.sql"), key)
                .fetch_optional(&mut *snapshot)
                .await
                .map_err(failed)?;
            statuses.push(row.map_or(Ok(ClaimStatus::Free), StatusRow::status)?);
        }
        Ok(statuses)
    }

    async fn processed(&self, stage: StageName, uri: &S3Uri) -> Result<Vec<ProcessedRecord>, StoreError> {
        let rows: Vec<ProcessedRow> = sqlx::query_as(include_str!("../../queries/sqlite/processed.sql"))
            .bind(stage.as_str())
            .bind(uri.bucket().as_str())
            .bind(uri.key())
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        rows.into_iter().map(|row| row.record(stage, uri)).collect()
    }

    async fn rejected(
        &self,
        dataset: &DatasetName,
        after: Option<&ClaimKey>,
        limit: u32,
    ) -> Result<Vec<RejectedRecord>, StoreError> {
        let rows: Vec<RejectedRow> = sqlx::query_as(include_str!("../../queries/sqlite/rejected.sql"))
            .bind(dataset.as_str())
            .bind(after.map_or("", |key| key.stage.as_str()))
            .bind(after.map_or("", |key| key.object.uri.bucket().as_str()))
            .bind(after.map_or("", |key| key.object.uri.key()))
            .bind(after.map_or("", |key| &key.object.version))
            .bind(after.map_or(Vec::new(), |key| policy_bytes(&key.policy)))
            .bind(integer(limit)?)
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        rows.into_iter().map(|row| row.record(dataset)).collect()
    }

    async fn redrive(
        &self,
        dataset: &DatasetName,
        reason: Option<RejectCode>,
        dry_run: bool,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let statement = sqlx::query(include_str!("../../queries/sqlite/redrive.sql"))
            .bind(dataset.as_str())
            .bind(reason.map(RejectCode::as_str));
        let redriven = changed(&mut transaction, statement).await?;
        if dry_run {
            transaction.rollback().await.map_err(failed)?;
        } else {
            commit(transaction).await?;
        }
        Ok(redriven)
    }

    async fn put_checkpoint(&self, claim: &Claim, name: &str, value: &Value) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let fence: Option<FenceRow> = keyed_as(include_str!("../../queries/sqlite/fence.sql"), &claim.key)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed)?;
        FenceRow::check(fence, claim)?;
        keyed(include_str!("../../queries/put_checkpoint.sql"), &claim.key)
            .bind(name)
            .bind(json(value)?)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        commit(transaction).await
    }

    async fn checkpoints(&self, key: &ClaimKey) -> Result<Vec<(String, Value)>, StoreError> {
        let rows: Vec<CheckpointRow> = keyed_as(include_str!("../../queries/checkpoints.sql"), key)
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        rows.into_iter().map(CheckpointRow::named_value).collect()
    }
}

impl SqliteStore {
    /// Ends a claim by a fenced statement.
    async fn end(&self, statement: Query<'_, Sqlite, SqliteArguments>) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        if changed(&mut transaction, statement).await? == 0 {
            return Err(StoreError::Fenced);
        }
        commit(transaction).await
    }
}

/// A statement whose first seven parameters are a claim key and its token.
fn held<'q>(sql: &'static str, claim: &Claim) -> Query<'q, Sqlite, SqliteArguments> {
    keyed(sql, &claim.key).bind(claim.token.0)
}

async fn changed(
    transaction: &mut SqliteTransaction<'_>,
    statement: Query<'_, Sqlite, SqliteArguments>,
) -> Result<u64, StoreError> {
    Ok(statement.execute(&mut **transaction).await.map_err(failed)?.rows_affected())
}

/// Why a claim was not granted.
async fn refusal(
    transaction: &mut SqliteTransaction<'_>,
    key: &ClaimKey,
) -> Result<ClaimOutcome, StoreError> {
    let row: StatusRow = keyed_as(include_str!("../../queries/sqlite/status.sql"), key)
        .fetch_one(&mut **transaction)
        .await
        .map_err(failed)?;
    row.refusal()
}
