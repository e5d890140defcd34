//! The catalogue in Postgres.

use std::collections::BTreeSet;

use async_trait::async_trait;
use sqlx::PgTransaction;
use types::{DatasetName, ImageId, OriginalRecord, PolicyHash, VariantRecord};

use super::lists::column;
use super::{PostgresStore, commit};
use crate::encoding::{integer, policy_bytes, split_rank};
use crate::failures::failed;
use crate::rows::{
    DatasetRow, OriginalRow, ProgressRow, ReadyRow, SplitRow, VariantRow, VariantTotalRow, join_variants,
};
use crate::{Catalogue, DatasetProgress, DatasetRecord, ReadySample, SplitAssignment, StoreError};

#[async_trait]
impl Catalogue for PostgresStore {
    async fn ensure_dataset(&self, name: &DatasetName) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        ensure_datasets(&mut transaction, &BTreeSet::from([name.clone()])).await?;
        commit(transaction).await
    }

    async fn set_policy(
        &self,
        name: &DatasetName,
        policy: &PolicyHash,
        canonical: &str,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(include_str!("../../queries/set_policy.sql"))
            .bind(name.as_str())
            .bind(policy_bytes(policy))
            .bind(canonical)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        commit(transaction).await
    }

    async fn datasets(&self) -> Result<Vec<DatasetRecord>, StoreError> {
        self.dataset_records(None).await
    }

    async fn dataset(&self, name: &DatasetName) -> Result<DatasetRecord, StoreError> {
        let records = self.dataset_records(Some(name)).await?;
        records.into_iter().next().ok_or_else(|| StoreError::NoSuchDataset(name.clone()))
    }

    async fn progress(&self, name: &DatasetName, policy: &PolicyHash) -> Result<DatasetProgress, StoreError> {
        let row: ProgressRow = sqlx::query_as(include_str!("../../queries/postgres/progress.sql"))
            .bind(name.as_str())
            .bind(policy_bytes(policy))
            .fetch_one(&self.pool)
            .await
            .map_err(failed)?;
        row.try_into()
    }

    async fn original(&self, name: &DatasetName, key: &str) -> Result<Option<OriginalRecord>, StoreError> {
        let row: Option<OriginalRow> = sqlx::query_as(include_str!("../../queries/original.sql"))
            .bind(name.as_str())
            .bind(key)
            .fetch_optional(&self.pool)
            .await
            .map_err(failed)?;
        row.map(TryInto::try_into).transpose()
    }

    async fn originals(
        &self,
        name: &DatasetName,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<OriginalRecord>, StoreError> {
        let rows: Vec<OriginalRow> = sqlx::query_as(include_str!("../../queries/originals.sql"))
            .bind(name.as_str())
            .bind(after.unwrap_or_default())
            .bind(integer(limit)?)
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn variants(
        &self,
        name: &DatasetName,
        image: &ImageId,
        policy: &PolicyHash,
    ) -> Result<Vec<VariantRecord>, StoreError> {
        let rows: Vec<VariantRow> = sqlx::query_as(include_str!("../../queries/image_variants.sql"))
            .bind(name.as_str())
            .bind(policy_bytes(policy))
            .bind(image.as_bytes().as_slice())
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn ready_samples(
        &self,
        name: &DatasetName,
        policy: &PolicyHash,
        after: Option<&ImageId>,
        limit: u32,
    ) -> Result<Vec<ReadySample>, StoreError> {
        let after = after.map_or(&[][..], |image| image.as_bytes());
        let mut snapshot = self.snapshot().await?;
        let images: Vec<ReadyRow> = sqlx::query_as(include_str!("../../queries/postgres/ready_images.sql"))
            .bind(name.as_str())
            .bind(policy_bytes(policy))
            .bind(after)
            .bind(integer(limit)?)
            .fetch_all(&mut *snapshot)
            .await
            .map_err(failed)?;
        let last = images.last().map_or(&[][..], ReadyRow::image_id);
        let variants: Vec<VariantRow> = sqlx::query_as(include_str!("../../queries/variants.sql"))
            .bind(name.as_str())
            .bind(policy_bytes(policy))
            .bind(after)
            .bind(last)
            .fetch_all(&mut *snapshot)
            .await
            .map_err(failed)?;
        join_variants(images, variants)
    }

    async fn variant_totals(
        &self,
        name: &DatasetName,
        policy: &PolicyHash,
    ) -> Result<Vec<(String, u64, u64)>, StoreError> {
        let rows: Vec<VariantTotalRow> = sqlx::query_as(include_str!("../../queries/variant_totals.sql"))
            .bind(name.as_str())
            .bind(policy_bytes(policy))
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.into_iter().map(VariantTotalRow::total).collect()
    }

    async fn freeze_splits(
        &self,
        name: &DatasetName,
        assignments: &[SplitAssignment],
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(include_str!("../../queries/postgres/insert_splits.sql"))
            .bind(name.as_str())
            .bind(column(assignments, |assignment| assignment.image_id.as_bytes().as_slice()))
            .bind(column(assignments, |assignment| assignment.group_id.as_bytes().as_slice()))
            .bind(column(assignments, |assignment| split_rank(assignment.split)))
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        commit(transaction).await
    }

    async fn splits(
        &self,
        name: &DatasetName,
        after: Option<&ImageId>,
        limit: u32,
    ) -> Result<Vec<SplitAssignment>, StoreError> {
        let rows: Vec<SplitRow> = sqlx::query_as(include_str!("../../queries/splits.sql"))
            .bind(name.as_str())
            .bind(after.map_or(&[][..], |image| image.as_bytes()))
            .bind(integer(limit)?)
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }
}

impl PostgresStore {
    async fn dataset_records(&self, name: Option<&DatasetName>) -> Result<Vec<DatasetRecord>, StoreError> {
        let rows: Vec<DatasetRow> = sqlx::query_as(include_str!("../../queries/datasets.sql"))
            .bind(name.map(DatasetName::as_str))
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }
}

/// Creates the datasets that are not there.
pub(super) async fn ensure_datasets(
    transaction: &mut PgTransaction<'_>,
    names: &BTreeSet<DatasetName>,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../queries/postgres/ensure_datasets.sql"))
        .bind(names.iter().map(DatasetName::as_str).collect::<Vec<_>>())
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
    Ok(())
}
