//! Dataset versions in Postgres.

use async_trait::async_trait;
use sqlx::PgTransaction;
use types::{DatasetName, VersionNumber};

use super::lists::column;
use super::{PostgresStore, commit};
use crate::encoding::{integer, json, split_rank, version};
use crate::failures::failed;
use crate::rows::{OpenVersionRow, ShardRow, VersionRow, decide_plan};
use crate::{PlanOutcome, PlannedShard, ShardStatus, StoreError, VersionPlan, VersionRecord, Versions};

#[async_trait]
impl Versions for PostgresStore {
    async fn plan_version(
        &self,
        dataset: &DatasetName,
        plan: &VersionPlan,
    ) -> Result<PlanOutcome, StoreError> {
        let mut transaction = self.begin().await?;
        let known: Option<i32> = sqlx::query_scalar(include_str!("../../queries/postgres/lock_dataset.sql"))
            .bind(dataset.as_str())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed)?;
        known.ok_or_else(|| StoreError::NoSuchDataset(dataset.clone()))?;
        let open: Vec<OpenVersionRow> = sqlx::query_as(include_str!("../../queries/open_versions.sql"))
            .bind(dataset.as_str())
            .fetch_all(&mut *transaction)
            .await
            .map_err(failed)?;
        if let Some(outcome) = decide_plan(&open, &plan.input_digest)? {
            return Ok(outcome);
        }
        let number = insert_version(&mut transaction, dataset, plan).await?;
        insert_shards(&mut transaction, dataset, number, &plan.shards).await?;
        commit(transaction).await?;
        Ok(PlanOutcome::Planned(version(number)?))
    }

    async fn versions(&self, dataset: &DatasetName) -> Result<Vec<VersionRecord>, StoreError> {
        self.version_records(dataset, None).await
    }

    async fn version(
        &self,
        dataset: &DatasetName,
        version: VersionNumber,
    ) -> Result<VersionRecord, StoreError> {
        let records = self.version_records(dataset, Some(version)).await?;
        records.into_iter().next().ok_or_else(|| StoreError::NoSuchVersion(dataset.clone(), version))
    }

    async fn shards(
        &self,
        dataset: &DatasetName,
        version: VersionNumber,
    ) -> Result<Vec<ShardStatus>, StoreError> {
        let rows: Vec<ShardRow> = sqlx::query_as(include_str!("../../queries/shards.sql"))
            .bind(dataset.as_str())
            .bind(i64::from(version.get()))
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }
}

impl PostgresStore {
    async fn version_records(
        &self,
        dataset: &DatasetName,
        version: Option<VersionNumber>,
    ) -> Result<Vec<VersionRecord>, StoreError> {
        let rows: Vec<VersionRow> = sqlx::query_as(include_str!("../../queries/postgres/versions.sql"))
            .bind(dataset.as_str())
            .bind(version.map(|version| i64::from(version.get())))
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }
}

/// Overtakes what is being built and adds the next version; its number.
async fn insert_version(
    transaction: &mut PgTransaction<'_>,
    dataset: &DatasetName,
    plan: &VersionPlan,
) -> Result<i64, StoreError> {
    sqlx::query(include_str!("../../queries/abandon_planned.sql"))
        .bind(dataset.as_str())
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
    sqlx::query_scalar(include_str!("../../queries/insert_version.sql"))
        .bind(dataset.as_str())
        .bind(plan.input_digest.as_bytes().as_slice())
        .bind(json(&plan.settings)?)
        .fetch_one(&mut **transaction)
        .await
        .map_err(failed)
}

async fn insert_shards(
    transaction: &mut PgTransaction<'_>,
    dataset: &DatasetName,
    version: i64,
    shards: &[PlannedShard],
) -> Result<(), StoreError> {
    let samples: Vec<_> = shards.iter().map(|shard| integer(shard.samples)).collect::<Result<_, _>>()?;
    sqlx::query(include_str!("../../queries/postgres/insert_shards.sql"))
        .bind(dataset.as_str())
        .bind(version)
        .bind(column(shards, |shard| shard.variant.as_str()))
        .bind(column(shards, |shard| split_rank(shard.split)))
        .bind(column(shards, |shard| i64::from(shard.number)))
        .bind(samples)
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
    Ok(())
}
