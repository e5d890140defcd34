//! Annotations in SQLite.

use annotations::{Record, RecordId, Registry};
use async_trait::async_trait;
use sqlx::SqliteTransaction;
use types::{DatasetName, Sha256};

use super::{SqliteStore, commit};
use crate::encoding::{integer, json};
use crate::failures::failed;
use crate::rows::{AnnotationColumns, AnnotationRow, CategoryColumns, CategoryRow, ImportRow, LinkRow};
use crate::{AnnotationImport, AnnotationLink, Annotations, ImportRecord, StoreError, StoredAnnotation};

#[async_trait]
impl Annotations for SqliteStore {
    async fn put_annotations(
        &self,
        dataset: &DatasetName,
        import: &Sha256,
        records: &[Record],
    ) -> Result<(), StoreError> {
        let columns = AnnotationColumns::of(records)?;
        let mut transaction = self.begin().await?;
        for row in &columns {
            sqlx::query(
                "INSERT OR IGNORE INTO annotation_records (dataset, record_id, import_id, changed_at, record)
                 VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(dataset.as_str())
            .bind(row.record_id)
            .bind(import.as_bytes().as_slice())
            .bind(row.changed_at)
            .bind(row.record.as_str())
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        }
        commit(transaction).await
    }

    async fn annotation_imports(
        &self,
        dataset: &DatasetName,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<ImportRecord>, StoreError> {
        let rows: Vec<ImportRow> =
            sqlx::query_as(include_str!("../../queries/sqlite/annotation_imports.sql"))
                .bind(dataset.as_str())
                .bind(after.unwrap_or_default())
                .bind(integer(limit)?)
                .fetch_all(&self.readers)
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
            .fetch_all(&self.readers)
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
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn categories(&self, dataset: &DatasetName) -> Result<Registry, StoreError> {
        let rows: Vec<CategoryRow> = sqlx::query_as(include_str!("../../queries/categories.sql"))
            .bind(dataset.as_str())
            .fetch_all(&self.readers)
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
        for link in links {
            sqlx::query(include_str!("../../queries/sqlite/link_annotation.sql"))
                .bind(dataset.as_str())
                .bind(link.record_id.as_str())
                .bind(&link.image_key)
                .bind(link.image_uri.to_string())
                .bind(&link.staged_path)
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
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
            .fetch_all(&self.readers)
            .await
            .map_err(failed)?;
        rows.into_iter().map(TryInto::try_into).collect()
    }
}

/// The import's records count from the commit on; its new categories get their numbers.
pub(super) async fn publish_import(
    transaction: &mut SqliteTransaction<'_>,
    dataset: &DatasetName,
    import: &AnnotationImport,
) -> Result<(), StoreError> {
    let source = &import.source;
    sqlx::query(include_str!("../../queries/deactivate_imports.sql"))
        .bind(dataset.as_str())
        .bind(source.uri.bucket().as_str())
        .bind(source.uri.key())
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
    sqlx::query(include_str!("../../queries/sqlite/insert_import.sql"))
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
    transaction: &mut SqliteTransaction<'_>,
    dataset: &DatasetName,
    import: &AnnotationImport,
) -> Result<(), StoreError> {
    let rows: Vec<CategoryRow> = sqlx::query_as(include_str!("../../queries/categories.sql"))
        .bind(dataset.as_str())
        .fetch_all(&mut **transaction)
        .await
        .map_err(failed)?;
    let new = CategoryRow::registry(rows)?.admit(&import.categories);
    for row in CategoryColumns::of(&new)? {
        sqlx::query("INSERT INTO categories (dataset, id, name, definition) VALUES ($1, $2, $3, $4)")
            .bind(dataset.as_str())
            .bind(row.id)
            .bind(row.name)
            .bind(row.definition)
            .execute(&mut **transaction)
            .await
            .map_err(failed)?;
    }
    Ok(())
}
