//! Publication in SQLite.

use sqlx::{Connection, SqliteTransaction};
use types::{
    DatasetName, LineageEdge, OriginalRecord, S3Uri, Sha256, ShardEntry, VariantRecord, VersionNumber,
};

use super::annotations::publish_import;
use super::key_columns;
use crate::encoding::{integer, json, policy_bytes, split_rank};
use crate::failures::failed;
use crate::rows::{
    Change, Fence, KeyColumns, ObjectClaimRow, ObjectClaims, ObjectColumns, VersionStateRow, may_publish,
    not_planned,
};
use crate::{Effect, Publication, StoreError};

/// Publishes under a savepoint: wholly, or refused and not at all. The transaction holds the write lock, so what it
/// reads stays as it is. The outer error is about the transaction.
pub(super) async fn publish(
    transaction: &mut SqliteTransaction<'_>,
    publication: &Publication,
) -> Result<Result<(), StoreError>, StoreError> {
    let claim = &publication.claim;
    let object = ObjectColumns::from(&claim.key);
    let mut claims = object_claims(transaction, object).await?;
    match claims.judge(claim, removed_at(transaction, publication).await?) {
        Ok(Fence::Ours) => {
            claims.settle(claim);
            let mut savepoint = transaction.begin().await.map_err(failed)?;
            let mut written = write(&mut savepoint, publication).await;
            if written.is_ok() {
                written = settle(&mut savepoint, claims.changes(object)).await;
            }
            match written {
                Ok(()) => savepoint.commit().await.map_err(failed).map(Ok),
                Err(error @ StoreError::Unavailable(_)) => Err(error),
                Err(refusal) => savepoint.rollback().await.map_err(failed).map(|()| Err(refusal)),
            }
        }
        Ok(Fence::DoneByUs) => Ok(Ok(())),
        Err(refusal) => Ok(Err(refusal)),
    }
}

async fn object_claims(
    transaction: &mut SqliteTransaction<'_>,
    object: ObjectColumns<'_>,
) -> Result<ObjectClaims, StoreError> {
    let rows: Vec<ObjectClaimRow> = sqlx::query_as(include_str!("../../queries/sqlite/object_claims.sql"))
        .bind(object.stage)
        .bind(object.bucket)
        .bind(object.key)
        .bind(object.dataset)
        .fetch_all(&mut **transaction)
        .await
        .map_err(failed)?;
    let mut claims = ObjectClaims::default();
    rows.into_iter().for_each(|row| claims.add(row));
    Ok(claims)
}

/// When the last of its outputs that was condemned was buried, in milliseconds.
async fn removed_at(
    transaction: &mut SqliteTransaction<'_>,
    publication: &Publication,
) -> Result<Option<i64>, StoreError> {
    let entries = publication.manifest.entries.iter().map(|entry| &entry.output_uri);
    let outputs: Vec<_> = entries.chain([&publication.manifest_uri]).map(S3Uri::to_string).collect();
    sqlx::query_scalar(include_str!("../../queries/sqlite/removed_at.sql"))
        .bind(json(&outputs)?)
        .fetch_one(&mut **transaction)
        .await
        .map_err(failed)
}

/// Writes everything but the claims.
async fn write(transaction: &mut SqliteTransaction<'_>, publication: &Publication) -> Result<(), StoreError> {
    let dataset = &publication.claim.key.dataset;
    insert_manifest(transaction, publication).await?;
    insert_lineage(transaction, &publication.lineage).await?;
    for effect in &publication.effects {
        match effect {
            Effect::Original(record) => put_original(transaction, dataset, record).await?,
            Effect::Variants(records) => insert_variants(transaction, dataset, records).await?,
            Effect::AnnotationsImported(import) => publish_import(transaction, dataset, import).await?,
            Effect::ShardBuilt { version, number, shard } => {
                build_shard(transaction, dataset, (*version, *number), shard).await?;
            }
            Effect::VersionPublished { version, manifest_uri, manifest_sha256 } => {
                publish_version(transaction, dataset, *version, (manifest_uri, manifest_sha256)).await?;
            }
        }
    }
    Ok(())
}

/// Writes down what became of the claims.
async fn settle(
    transaction: &mut SqliteTransaction<'_>,
    changes: impl Iterator<Item = (KeyColumns<'_>, Change)>,
) -> Result<(), StoreError> {
    for (key, change) in changes {
        let sql = match change {
            Change::Done => include_str!("../../queries/sqlite/complete.sql"),
            Change::Freed => include_str!("../../queries/sqlite/unsettle.sql"),
        };
        for sql in [include_str!("../../queries/sqlite/delete_checkpoints.sql"), sql] {
            key_columns(sql, &key).execute(&mut **transaction).await.map_err(failed)?;
        }
    }
    Ok(())
}

async fn insert_manifest(
    transaction: &mut SqliteTransaction<'_>,
    publication: &Publication,
) -> Result<(), StoreError> {
    let manifest = &publication.manifest;
    let id: i64 = sqlx::query_scalar(include_str!("../../queries/sqlite/insert_manifest.sql"))
        .bind(manifest.dataset.as_str())
        .bind(manifest.stage.as_str())
        .bind(policy_bytes(&manifest.policy_hash))
        .bind(manifest.source.uri.bucket().as_str())
        .bind(manifest.source.uri.key())
        .bind(&manifest.source.version)
        .bind(publication.manifest_uri.to_string())
        .bind(json(&manifest.metadata)?)
        .fetch_one(&mut **transaction)
        .await
        .map_err(failed)?;
    for (position, entry) in manifest.entries.iter().enumerate() {
        sqlx::query(
            "INSERT INTO manifest_entries
                 (manifest_id, position, source_uri, output_uri, bytes, sha256, fields)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(id)
        .bind(integer(position)?)
        .bind(entry.source_uri.to_string())
        .bind(entry.output_uri.to_string())
        .bind(integer(entry.bytes)?)
        .bind(entry.sha256.as_bytes().as_slice())
        .bind(json(&entry.fields)?)
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
    }
    Ok(())
}

async fn insert_lineage(
    transaction: &mut SqliteTransaction<'_>,
    edges: &[LineageEdge],
) -> Result<(), StoreError> {
    for edge in edges {
        sqlx::query("INSERT OR IGNORE INTO lineage_edges (parent, child, relation) VALUES ($1, $2, $3)")
            .bind(edge.parent.to_string())
            .bind(edge.child.to_string())
            .bind(edge.relation.as_str())
            .execute(&mut **transaction)
            .await
            .map_err(failed)?;
    }
    Ok(())
}

async fn put_original(
    transaction: &mut SqliteTransaction<'_>,
    dataset: &DatasetName,
    record: &OriginalRecord,
) -> Result<(), StoreError> {
    sqlx::query(include_str!("../../queries/sqlite/put_original.sql"))
        .bind(dataset.as_str())
        .bind(&record.key)
        .bind(record.source.uri.bucket().as_str())
        .bind(record.source.uri.key())
        .bind(&record.source.version)
        .bind(record.bronze_uri.bucket().as_str())
        .bind(record.bronze_uri.key())
        .bind(record.image_id.as_bytes().as_slice())
        .bind(record.sha256.as_bytes().as_slice())
        .bind(integer(record.bytes)?)
        .bind(&record.format)
        .bind(integer(record.width)?)
        .bind(integer(record.height)?)
        .bind(i64::from(u16::from(record.orientation)))
        .bind(record.pixel_hash.as_bytes().as_slice())
        .bind(record.perceptual_hash.cast_signed())
        .bind(json(&record.exif)?)
        .bind(i64::from(record.animated))
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
    Ok(())
}

async fn insert_variants(
    transaction: &mut SqliteTransaction<'_>,
    dataset: &DatasetName,
    records: &[VariantRecord],
) -> Result<(), StoreError> {
    for record in records {
        sqlx::query(
            "INSERT OR IGNORE INTO variants (dataset, policy, image_id, variant, source_bucket, source_key,
                                             output_bucket, output_key, width, height, bytes, sha256, affine)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind(dataset.as_str())
        .bind(policy_bytes(&record.normalization_policy_hash))
        .bind(record.image_id.as_bytes().as_slice())
        .bind(&record.variant_name)
        .bind(record.source_uri.bucket().as_str())
        .bind(record.source_uri.key())
        .bind(record.output_uri.bucket().as_str())
        .bind(record.output_uri.key())
        .bind(integer(record.width)?)
        .bind(integer(record.height)?)
        .bind(integer(record.bytes)?)
        .bind(record.sha256.as_bytes().as_slice())
        .bind(json(&record.affine)?)
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
    }
    Ok(())
}

async fn build_shard(
    transaction: &mut SqliteTransaction<'_>,
    dataset: &DatasetName,
    (version, number): (VersionNumber, u32),
    shard: &ShardEntry,
) -> Result<(), StoreError> {
    let changed = sqlx::query(include_str!("../../queries/build_shard.sql"))
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
    transaction: &mut SqliteTransaction<'_>,
    dataset: &DatasetName,
    version: VersionNumber,
    (manifest_uri, manifest_sha256): (&S3Uri, &Sha256),
) -> Result<(), StoreError> {
    let number = i64::from(version.get());
    let state: Option<VersionStateRow> = sqlx::query_as(include_str!("../../queries/version_state.sql"))
        .bind(dataset.as_str())
        .bind(number)
        .fetch_optional(&mut **transaction)
        .await
        .map_err(failed)?;
    let unbuilt: i64 = sqlx::query_scalar(include_str!("../../queries/unbuilt_shards.sql"))
        .bind(dataset.as_str())
        .bind(number)
        .fetch_one(&mut **transaction)
        .await
        .map_err(failed)?;
    if may_publish(state, unbuilt, (dataset, version, manifest_sha256))? {
        sqlx::query(include_str!("../../queries/sqlite/publish_version.sql"))
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
