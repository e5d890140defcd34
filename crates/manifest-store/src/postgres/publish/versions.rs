//! What publications do to dataset versions: rare, and one by one.

use sqlx::PgTransaction;
use types::{DatasetName, S3Uri, Sha256, ShardEntry, VersionNumber};

use crate::encoding::{integer, split_rank};
use crate::failures::failed;
use crate::rows::{VersionStateRow, may_publish, not_planned};
use crate::{Effect, Publication, StoreError};

/// Applies the effects on versions, in their order.
pub(super) async fn apply(
    transaction: &mut PgTransaction<'_>,
    publication: &Publication,
) -> Result<(), StoreError> {
    let dataset = &publication.claim.key.dataset;
    for effect in &publication.effects {
        match effect {
            Effect::ShardBuilt { version, number, shard } => {
                build_shard(transaction, dataset, (*version, *number), shard).await?;
            }
            Effect::VersionPublished { version, manifest_uri, manifest_sha256 } => {
                publish_version(transaction, dataset, *version, (manifest_uri, manifest_sha256)).await?;
            }
            Effect::Original(_) | Effect::Variants(_) | Effect::AnnotationsImported(_) => {}
        }
    }
    Ok(())
}

async fn build_shard(
    transaction: &mut PgTransaction<'_>,
    dataset: &DatasetName,
    (version, number): (VersionNumber, u32),
    shard: &ShardEntry,
) -> Result<(), StoreError> {
    let changed = sqlx::query(include_str!("../../../queries/build_shard.sql"))
        .bind(dataset.as_str())
        .bind(i64::from(version.get()))
        .bind(&shard.variant)
        .bind(split_rank(shard.split))
        .bind(i64::from(number))
        .bind(shard.uri.to_string())
        .bind(integer(shard.samples)?)
        .bind(integer(shard.bytes)?)
        .bind(shard.sha256.as_bytes().as_slice())
        .execute(&mut **transaction)
        .await
        .map_err(failed)?
        .rows_affected();
    if changed == 0 {
        return Err(not_planned(dataset, version, number, shard));
    }
    Ok(())
}

async fn publish_version(
    transaction: &mut PgTransaction<'_>,
    dataset: &DatasetName,
    version: VersionNumber,
    (manifest_uri, manifest_sha256): (&S3Uri, &Sha256),
) -> Result<(), StoreError> {
    let number = i64::from(version.get());
    // A planner that would overtake this version, or find it published, waits for the end of this
    // transaction.
    sqlx::query(include_str!("../../../queries/postgres/lock_dataset.sql"))
        .bind(dataset.as_str())
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
    let state: Option<VersionStateRow> = sqlx::query_as(include_str!("../../../queries/version_state.sql"))
        .bind(dataset.as_str())
        .bind(number)
        .fetch_optional(&mut **transaction)
        .await
        .map_err(failed)?;
    let unbuilt: i64 = sqlx::query_scalar(include_str!("../../../queries/unbuilt_shards.sql"))
        .bind(dataset.as_str())
        .bind(number)
        .fetch_one(&mut **transaction)
        .await
        .map_err(failed)?;
    if may_publish(state, unbuilt, (dataset, version, manifest_sha256))? {
        sqlx::query(include_str!("../../../queries/postgres/publish_version.sql"))
            .bind(dataset.as_str())
            .bind(number)
            .bind(manifest_uri.to_string())
            .bind(manifest_sha256.as_bytes().as_slice())
            .execute(&mut **transaction)
            .await
            .map_err(failed)?;
    }
    Ok(())
}
