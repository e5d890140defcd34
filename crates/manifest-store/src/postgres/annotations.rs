//! Annotations in Postgres.

use annotations::{Record, RecordId, Registry};
use async_trait::async_trait;
use sqlx::PgTransaction;
use types::{DatasetName, Sha256};

use super::lists::column;
use super::{PostgresStore, commit};
use crate::encoding::{integer, json};
use crate::failures::failed;
use crate::rows::{AnnotationColumns, AnnotationRow, CategoryColumns, CategoryRow, ImportRow, LinkRow};
use crate::{AnnotationImport, AnnotationLink, Annotations, ImportRecord, StoreError, StoredAnnotation};

#[async_trait]
impl Annotations for PostgresStore {
    async fn put_annotations(
        &self,
        dataset: &DatasetName,
        import: &Sha256,
        records: &[Record],
    ) -> Result<(), StoreError> {
        let columns = AnnotationColumns::of(records)?;
        let mut transaction = self.begin().await?;
        sqlx::query(include_str!("../../queries/postgres/put_annotations.sql"))
            .bind(dataset.as_str())
            .bind(import.as_bytes().as_slice())
            .bind(column(&columns, |row| row.record_id))
            .bind(column(&columns, |row| row.changed_at))
            .bind(column(&columns, |row| row.record.as_str()))
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        commit(transaction).await
    }

    async fn annotation_imports(
        &self,
        dataset: &DatasetName,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<ImportRecord>, StoreError> {
        let rows: Vec<ImportRow> =
            sqlx::query_as(include_str!("../../queries/postgres/annotation_imports.sql"))
                .bind(dataset.as_str())
                .bind(after.unwrap_or_default())
                .bind(integer(limit)?)
                .fetch_all(&self.pool)
                .await
                .map_err(failed)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn annotations(
        &self,
        dataset: &DatasetName,
        after: Option<&RecordId>,
        limit: u32,
    ) -> Result<Vec<StoredAnnotation>, StoreError> {
        let rows: Vec<AnnotationRow> = sqlx::query_as(include_str!("../../queries/annotations.sql"))
            .bind(dataset.as_str())
            .bind(after.map_or("", RecordId::as_str))
            .bind(integer(limit)?)
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn annotation_history(
        &self,
        dataset: &DatasetName,
        record: &RecordId,
    ) -> Result<Vec<StoredAnnotation>, StoreError> {
        let rows: Vec<AnnotationRow> = sqlx::query_as(include_str!("../../queries/annotation_history.sql"))
            .bind(dataset.as_str())
            .bind(record.as_str())
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn categories(&self, dataset: &DatasetName) -> Result<Registry, StoreError> {
        let rows: Vec<CategoryRow> = sqlx::query_as(include_str!("../../queries/categories.sql"))
            .bind(dataset.as_str())
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        CategoryRow::registry(rows)
    }

    async fn link_annotations(
        &self,
        dataset: &DatasetName,
        links: &[AnnotationLink],
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(include_str!("../../queries/postgres/link_annotations.sql"))
            .bind(dataset.as_str())
            .bind(column(links, |link| link.record_id.as_str()))
            .bind(column(links, |link| link.image_key.as_str()))
            .bind(column(links, |link| link.image_uri.to_string()))
            .bind(column(links, |link| link.staged_path.as_str()))
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        commit(transaction).await
    }

    async fn annotation_links(
        &self,
        dataset: &DatasetName,
        after: Option<&RecordId>,
        limit: u32,
    ) -> Result<Vec<AnnotationLink>, StoreError> {
        let rows: Vec<LinkRow> = sqlx::query_as(include_str!("../../queries/annotation_links.sql"))
            .bind(dataset.as_str())
            .bind(after.map_or("", RecordId::as_str))
            .bind(integer(limit)?)
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }
}

/// The import's records count from the commit on; its new categories get their numbers. Takes the dataset's lock.
pub(super) async fn publish_import(
    transaction: &mut PgTransaction<'_>,
    dataset: &DatasetName,
    import: &AnnotationImport,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../queries/postgres/lock_dataset.sql"))
        .bind(dataset.as_str())
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
    let source = &import.source;
    sqlx::query(include_str!("../../queries/deactivate_imports.sql"))
        .bind(dataset.as_str())
        .bind(source.uri.bucket().as_str())
        .bind(source.uri.key())
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
    sqlx::query(include_str!("../../queries/postgres/insert_import.sql"))
        .bind(dataset.as_str())
        .bind(import.id.as_bytes().as_slice())
        .bind(source.uri.bucket().as_str())
        .bind(source.uri.key())
        .bind(&source.version)
        .bind(json(import)?)
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
    admit_categories(transaction, dataset, import).await
}

async fn admit_categories(
    transaction: &mut PgTransaction<'_>,
    dataset: &DatasetName,
    import: &AnnotationImport,
) -> Result<(), StoreError> {
    let rows: Vec<CategoryRow> = sqlx::query_as(include_str!("../../queries/categories.sql"))
        .bind(dataset.as_str())
        .fetch_all(&mut **transaction)
        .await
        .map_err(failed)?;
    let new = CategoryRow::registry(rows)?.admit(&import.categories);
    let columns = CategoryColumns::of(&new)?;
    sqlx::query(include_str!("../../queries/postgres/insert_categories.sql"))
        .bind(dataset.as_str())
        .bind(column(&columns, |row| row.id))
        .bind(column(&columns, |row| row.name))
        .bind(column(&columns, |row| row.definition.as_str()))
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
    Ok(())
}
