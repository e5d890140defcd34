//! The rows of any number of publications, one statement for each kind.

use std::collections::HashMap;

use sqlx::PgTransaction;
use types::{DatasetName, ManifestEntry, OriginalRecord, VariantRecord};

use crate::encoding::{integer, json, policy_bytes};
use crate::failures::failed;
use crate::postgres::annotations::publish_import;
use crate::postgres::lists::column;
use crate::{Effect, Publication, StoreError};

/// Writes everything of these publications but their claims and versions.
pub(super) async fn insert(
    transaction: &mut PgTransaction<'_>,
    accepted: &[&Publication],
) -> Result<(), StoreError> {
    insert_manifests(transaction, accepted).await?;
    insert_lineage(transaction, accepted).await?;
    for originals in originals(accepted) {
        put_originals(transaction, &originals).await?;
    }
    insert_variants(transaction, &variants(accepted)).await?;
    publish_imports(transaction, accepted).await
}

/// In the order of the datasets, whose locks they take.
async fn publish_imports(
    transaction: &mut PgTransaction<'_>,
    accepted: &[&Publication],
) -> Result<(), StoreError> {
    let mut imports = Vec::new();
    for publication in accepted {
        for effect in &publication.effects {
            if let Effect::AnnotationsImported(import) = effect {
                imports.push((&publication.claim.key.dataset, import));
            }
        }
    }
    imports.sort_by_key(|(dataset, _)| *dataset);
    for (dataset, import) in imports {
        publish_import(transaction, dataset, import).await?;
    }
    Ok(())
}

async fn insert_manifests(
    transaction: &mut PgTransaction<'_>,
    accepted: &[&Publication],
) -> Result<(), StoreError> {
    let manifests = column(accepted, |one| &one.manifest);
    let metadata: Vec<_> =
        manifests.iter().map(|manifest| json(&manifest.metadata)).collect::<Result<_, _>>()?;
    let mut entries: Vec<(i64, i64, &ManifestEntry)> = Vec::new();
    for (place, manifest) in manifests.iter().enumerate() {
        for (position, entry) in manifest.entries.iter().enumerate() {
            // SQL's ordinality counts from 1, positions from 0.
            entries.push((integer(place + 1)?, integer(position)?, entry));
        }
    }
    let sizes: Vec<_> = entries.iter().map(|entry| integer(entry.2.bytes)).collect::<Result<_, _>>()?;
    let fields: Vec<_> = entries.iter().map(|entry| json(&entry.2.fields)).collect::<Result<_, _>>()?;
    sqlx::query(include_str!("../../../queries/postgres/insert_manifests.sql"))
        .bind(column(&manifests, |manifest| manifest.dataset.as_str()))
        .bind(column(&manifests, |manifest| manifest.stage.as_str()))
        .bind(column(&manifests, |manifest| policy_bytes(&manifest.policy_hash)))
        .bind(column(&manifests, |manifest| manifest.source.uri.bucket().as_str()))
        .bind(column(&manifests, |manifest| manifest.source.uri.key()))
        .bind(column(&manifests, |manifest| manifest.source.version.as_str()))
        .bind(column(accepted, |one| one.manifest_uri.to_string()))
        .bind(metadata)
        .bind(column(&entries, |entry| entry.0))
        .bind(column(&entries, |entry| entry.1))
        .bind(column(&entries, |entry| entry.2.source_uri.to_string()))
        .bind(column(&entries, |entry| entry.2.output_uri.to_string()))
        .bind(sizes)
        .bind(column(&entries, |entry| entry.2.sha256.as_bytes().as_slice()))
        .bind(fields)
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
    Ok(())
}

async fn insert_lineage(
    transaction: &mut PgTransaction<'_>,
    accepted: &[&Publication],
) -> Result<(), StoreError> {
    let edges: Vec<_> = accepted.iter().flat_map(|one| &one.lineage).collect();
    if edges.is_empty() {
        return Ok(());
    }
    sqlx::query(include_str!("../../../queries/postgres/insert_lineage.sql"))
        .bind(column(&edges, |edge| edge.parent.to_string()))
        .bind(column(&edges, |edge| edge.child.to_string()))
        .bind(column(&edges, |edge| edge.relation.as_str()))
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
    Ok(())
}

/// An original, and in which dataset.
type Original<'p> = (&'p DatasetName, &'p OriginalRecord);

/// The originals in lists without two of one key, which one statement could not replace one after the other. Nearly
/// always one list.
fn originals<'p>(accepted: &[&'p Publication]) -> Vec<Vec<Original<'p>>> {
    let mut lists: Vec<Vec<Original<'p>>> = Vec::new();
    let mut seen: HashMap<(&DatasetName, &str), usize> = HashMap::new();
    for publication in accepted {
        let dataset = &publication.claim.key.dataset;
        for effect in &publication.effects {
            let Effect::Original(record) = effect else { continue };
            let times = seen.entry((dataset, &record.key)).or_default();
            if lists.len() == *times {
                lists.push(Vec::new());
            }
            lists[*times].push((dataset, record));
            *times += 1;
        }
    }
    lists
}

async fn put_originals(
    transaction: &mut PgTransaction<'_>,
    originals: &[Original<'_>],
) -> Result<(), StoreError> {
    let records = column(originals, |(_, record)| *record);
    let sizes: Vec<_> = records.iter().map(|record| integer(record.bytes)).collect::<Result<_, _>>()?;
    let exif: Vec<_> = records.iter().map(|record| json(&record.exif)).collect::<Result<_, _>>()?;
    sqlx::query(include_str!("../../../queries/postgres/put_originals.sql"))
        .bind(column(originals, |(dataset, _)| dataset.as_str()))
        .bind(column(&records, |record| record.key.as_str()))
        .bind(column(&records, |record| record.source.uri.bucket().as_str()))
        .bind(column(&records, |record| record.source.uri.key()))
        .bind(column(&records, |record| record.source.version.as_str()))
        .bind(column(&records, |record| record.bronze_uri.bucket().as_str()))
        .bind(column(&records, |record| record.bronze_uri.key()))
        .bind(column(&records, |record| record.image_id.as_bytes().as_slice()))
        .bind(column(&records, |record| record.sha256.as_bytes().as_slice()))
        .bind(sizes)
        .bind(column(&records, |record| record.format.as_str()))
        .bind(column(&records, |record| i64::from(record.width)))
        .bind(column(&records, |record| i64::from(record.height)))
        .bind(column(&records, |record| i64::from(u16::from(record.orientation))))
        .bind(column(&records, |record| record.pixel_hash.as_bytes().as_slice()))
        .bind(column(&records, |record| record.perceptual_hash.cast_signed()))
        .bind(exif)
        .bind(column(&records, |record| i64::from(record.animated)))
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
    Ok(())
}

fn variants<'p>(accepted: &[&'p Publication]) -> Vec<(&'p DatasetName, &'p VariantRecord)> {
    let mut variants = Vec::new();
    for publication in accepted {
        for effect in &publication.effects {
            if let Effect::Variants(records) = effect {
                variants.extend(records.iter().map(|record| (&publication.claim.key.dataset, record)));
            }
        }
    }
    variants
}

async fn insert_variants(
    transaction: &mut PgTransaction<'_>,
    variants: &[(&DatasetName, &VariantRecord)],
) -> Result<(), StoreError> {
    if variants.is_empty() {
        return Ok(());
    }
    let records = column(variants, |(_, record)| *record);
    let sizes: Vec<_> = records.iter().map(|record| integer(record.bytes)).collect::<Result<_, _>>()?;
    let affines: Vec<_> = records.iter().map(|record| json(&record.affine)).collect::<Result<_, _>>()?;
    sqlx::query(include_str!("../../../queries/postgres/insert_variants.sql"))
        .bind(column(variants, |(dataset, _)| dataset.as_str()))
        .bind(column(&records, |record| policy_bytes(&record.normalization_policy_hash)))
        .bind(column(&records, |record| record.image_id.as_bytes().as_slice()))
        .bind(column(&records, |record| record.variant_name.as_str()))
        .bind(column(&records, |record| record.source_uri.bucket().as_str()))
        .bind(column(&records, |record| record.source_uri.key()))
        .bind(column(&records, |record| record.output_uri.bucket().as_str()))
        .bind(column(&records, |record| record.output_uri.key()))
        .bind(column(&records, |record| i64::from(record.width)))
        .bind(column(&records, |record| i64::from(record.height)))
        .bind(sizes)
        .bind(column(&records, |record| record.sha256.as_bytes().as_slice()))
        .bind(affines)
        .execute(&mut **transaction)
        .await
        .map_err(failed)?;
    Ok(())
}
