//! History in Postgres.

use async_trait::async_trait;
use types::{DatasetName, LineageEdge, S3Uri, StageName};

use super::PostgresStore;
use crate::encoding::integer;
use crate::failures::failed;
use crate::lineage_walk::LineageWalk;
use crate::rows::{EdgeRow, ManifestEntryRow, ManifestRow, join_entries};
use crate::{Direction, History, ManifestRecord, StoreError};

#[async_trait]
impl History for PostgresStore {
    async fn manifests(
        &self,
        dataset: &DatasetName,
        stage: StageName,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<ManifestRecord>, StoreError> {
        let after = after.unwrap_or_default();
        let mut snapshot = self.snapshot().await?;
        let manifests: Vec<ManifestRow> = sqlx::query_as(include_str!("../../queries/manifests.sql"))
            .bind(dataset.as_str())
            .bind(stage.as_str())
            .bind(after)
            .bind(integer(limit)?)
            .fetch_all(&mut *snapshot)
            .await
            .map_err(failed)?;
        let entries: Vec<ManifestEntryRow> =
            sqlx::query_as(include_str!("../../queries/manifest_entries.sql"))
                .bind(dataset.as_str())
                .bind(stage.as_str())
                .bind(after)
                .bind(manifests.last().map_or(after, |manifest| manifest.id))
                .fetch_all(&mut *snapshot)
                .await
                .map_err(failed)?;
        join_entries(dataset, stage, manifests, entries)
    }

    async fn lineage(
        &self,
        uri: &S3Uri,
        direction: Direction,
        limit: u32,
    ) -> Result<Vec<LineageEdge>, StoreError> {
        let sql = match direction {
            Direction::Ancestors => include_str!("../../queries/postgres/edges_up.sql"),
            Direction::Descendants => include_str!("../../queries/postgres/edges_down.sql"),
        };
        let mut snapshot = self.snapshot().await?;
        let mut walk = LineageWalk::new(uri.to_string(), direction, limit);
        while let Some((objects, room)) = walk.next() {
            let rows: Vec<EdgeRow> = sqlx::query_as(sql)
                .bind(objects)
                .bind(room)
                .fetch_all(&mut *snapshot)
                .await
                .map_err(failed)?;
            walk.add(rows.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?);
        }
        Ok(walk.finish())
    }

    async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.pool).await.map_err(failed)?;
        Ok(())
    }
}
