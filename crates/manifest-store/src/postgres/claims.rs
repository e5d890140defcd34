//! Claims in Postgres.

use std::collections::{BTreeSet, HashMap};
use std::sync::PoisonError;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{PgTransaction, Postgres};
use types::{DatasetName, RejectCode, RejectReason, S3Uri, StageName};

use super::catalogue::ensure_datasets;
use super::lists::{KeyArrays, Placed, by_place, column, distinct};
use super::{PostgresStore, commit, keyed, keyed_as};
use crate::encoding::{integer, json, milliseconds, policy_bytes, prose};
use crate::failures::failed;
use crate::rows::{CheckpointRow, FenceRow, GrantRow, ProcessedRow, RejectedRow, RenewalRow, StatusRow};
use crate::{
    Claim, ClaimKey, ClaimOutcome, ClaimStatus, Claims, ProcessedRecord, Publication, RejectedRecord,
    StoreError,
};

#[async_trait]
impl Claims for PostgresStore {
    async fn claim(
        &self,
        keys: &[ClaimKey],
        owner: &str,
        lease: Duration,
    ) -> Result<Vec<ClaimOutcome>, StoreError> {
        let (different, which) = distinct(keys.iter());
        let arrays: KeyArrays<'_> = different.iter().copied().collect();
        let new_datasets = self.unknown_datasets(&different);
        let mut transaction = self.begin().await?;
        if !new_datasets.is_empty() {
            ensure_datasets(&mut transaction, &new_datasets).await?;
        }
        let granted: Vec<Placed<GrantRow>> = arrays
            .query_as(include_str!("../../queries/postgres/claim.sql"))
            .bind(owner)
            .bind(milliseconds(lease))
            .fetch_all(&mut *transaction)
            .await
            .map_err(failed)?;
        let statuses = if granted.len() < different.len() {
            // The statement before has locked these rows too: what they are now, they were then.
            arrays
                .query_as(include_str!("../../queries/postgres/statuses.sql"))
                .fetch_all(&mut *transaction)
                .await
                .map_err(failed)?
        } else {
            Vec::new()
        };
        commit(transaction).await?;
        self.remember_datasets(new_datasets);
        answer_claims(&different, &which, (by_place(granted)?, by_place(statuses)?), lease)
    }

    async fn renew(&self, claims: &[Claim], lease: Duration) -> Result<Vec<bool>, StoreError> {
        let mut transaction = self.begin().await?;
        let (different, which) = distinct(claims.iter().map(|claim| (&claim.key, claim.token.0)));
        let arrays: KeyArrays<'_> = different.iter().map(|(key, _)| *key).collect();
        let renewed: Vec<Placed<RenewalRow>> = arrays
            .query_as(include_str!("../../queries/postgres/renew.sql"))
            .bind(column(&different, |(_, token)| *token))
            .bind(milliseconds(lease))
            .fetch_all(&mut *transaction)
            .await
            .map_err(failed)?;
        commit(transaction).await?;
        let renewed = by_place(renewed)?;
        Ok(which.into_iter().map(|place| renewed.contains_key(&place)).collect())
    }

    async fn publish_all(
        &self,
        publications: &[Publication],
    ) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        match self.publish_together(publications).await {
            Err(StoreError::Invalid(_)) if publications.len() > 1 => {
                Ok(self.publish_one_by_one(publications).await)
            }
            Err(error @ StoreError::Invalid(_)) => Ok(vec![Err(error)]),
            result => result,
        }
    }

    async fn release(&self, claims: &[Claim]) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        let arrays: KeyArrays<'_> = claims.iter().map(|claim| &claim.key).collect();
        let statement = arrays
            .query(include_str!("../../queries/postgres/release.sql"))
            .bind(column(claims, |claim| claim.token.0));
        changed(&mut transaction, statement).await?;
        commit(transaction).await
    }

    async fn postpone(&self, claim: &Claim, after: Duration) -> Result<(), StoreError> {
        let statement =
            held(include_str!("../../queries/postgres/postpone.sql"), claim).bind(milliseconds(after));
        self.end(statement).await
    }

    async fn fail(&self, claim: &Claim, after: Duration, error: &str) -> Result<(), StoreError> {
        let statement = held(include_str!("../../queries/postgres/fail.sql"), claim)
            .bind(milliseconds(after))
            .bind(prose(error));
        self.end(statement).await
    }

    async fn quarantine(&self, claim: &Claim, reason: &RejectReason) -> Result<(), StoreError> {
        let statement = held(include_str!("../../queries/postgres/quarantine.sql"), claim)
            .bind(reason.code.as_str())
            .bind(prose(&reason.detail));
        self.end(statement).await
    }

    async fn release_owner(&self, owner: &str) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let statement = sqlx::query(include_str!("../../queries/postgres/release_owner.sql")).bind(owner);
        let released = changed(&mut transaction, statement).await?;
        commit(transaction).await?;
        Ok(released)
    }

    async fn statuses(&self, keys: &[ClaimKey]) -> Result<Vec<ClaimStatus>, StoreError> {
        let arrays: KeyArrays<'_> = keys.iter().collect();
        let rows: Vec<Placed<StatusRow>> = arrays
            .query_as(include_str!("../../queries/postgres/statuses.sql"))
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        let mut rows = by_place(rows)?;
        let status = |place| rows.remove(&place).map_or(Ok(ClaimStatus::Free), StatusRow::status);
        (0..keys.len()).map(status).collect()
    }

    async fn processed(&self, stage: StageName, uri: &S3Uri) -> Result<Vec<ProcessedRecord>, StoreError> {
        let rows: Vec<ProcessedRow> = sqlx::query_as(include_str!("../../queries/postgres/processed.sql"))
            .bind(stage.as_str())
            .bind(uri.bucket().as_str())
            .bind(uri.key())
            .fetch_all(&self.pool)
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
        let rows: Vec<RejectedRow> = sqlx::query_as(include_str!("../../queries/postgres/rejected.sql"))
            .bind(dataset.as_str())
            .bind(after.map_or("", |key| key.stage.as_str()))
            .bind(after.map_or("", |key| key.object.uri.bucket().as_str()))
            .bind(after.map_or("", |key| key.object.uri.key()))
            .bind(after.map_or("", |key| &key.object.version))
            .bind(after.map_or(Vec::new(), |key| policy_bytes(&key.policy)))
            .bind(integer(limit)?)
            .fetch_all(&self.pool)
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
        let statement = sqlx::query(include_str!("../../queries/postgres/redrive.sql"))
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
        let fence: Option<FenceRow> = keyed_as(include_str!("../../queries/postgres/fence.sql"), &claim.key)
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
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.into_iter().map(CheckpointRow::named_value).collect()
    }
}

impl PostgresStore {
    /// Those of the datasets that this process has not yet seen to exist.
    fn unknown_datasets(&self, keys: &[&ClaimKey]) -> BTreeSet<DatasetName> {
        let known = self.datasets.lock().unwrap_or_else(PoisonError::into_inner);
        keys.iter().map(|key| &key.dataset).filter(|name| !known.contains(*name)).cloned().collect()
    }

    fn remember_datasets(&self, new: BTreeSet<DatasetName>) {
        self.datasets.lock().unwrap_or_else(PoisonError::into_inner).extend(new);
    }

    /// Ends a claim by a fenced statement.
    async fn end(&self, statement: Query<'_, Postgres, PgArguments>) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        if changed(&mut transaction, statement).await? == 0 {
            return Err(StoreError::Fenced);
        }
        commit(transaction).await
    }
}

/// A statement whose first seven parameters are a claim key and its token.
fn held<'q>(sql: &'static str, claim: &Claim) -> Query<'q, Postgres, PgArguments> {
    keyed(sql, &claim.key).bind(claim.token.0)
}

async fn changed(
    transaction: &mut PgTransaction<'_>,
    statement: Query<'_, Postgres, PgArguments>,
) -> Result<u64, StoreError> {
    Ok(statement.execute(&mut **transaction).await.map_err(failed)?.rows_affected())
}

/// Puts grants and refusals to the keys of a call. Of equal keys the first has what there is, the others find
/// it held.
fn answer_claims(
    different: &[&ClaimKey],
    which: &[usize],
    (mut granted, mut statuses): (HashMap<usize, GrantRow>, HashMap<usize, StatusRow>),
    lease: Duration,
) -> Result<Vec<ClaimOutcome>, StoreError> {
    let mut answered: HashMap<usize, ClaimOutcome> = HashMap::with_capacity(different.len());
    let mut answer = |place: usize| {
        if let Some(before) = answered.get(&place) {
            return Ok(match before {
                ClaimOutcome::Owned(_) => ClaimOutcome::NotNow { retry_in: lease },
                ClaimOutcome::Settled(_) | ClaimOutcome::NotNow { .. } => before.clone(),
            });
        }
        let outcome = match (granted.remove(&place), statuses.remove(&place), different.get(place)) {
            (Some(grant), _, Some(key)) => ClaimOutcome::Owned(grant.claim(key)?),
            (None, Some(status), _) => status.refusal()?,
            _ => return Err(StoreError::Invalid("a claim was neither granted nor refused".to_owned())),
        };
        answered.insert(place, outcome.clone());
        Ok(outcome)
    };
    which.iter().map(|place| answer(*place)).collect()
}
