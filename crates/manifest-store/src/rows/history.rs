//! Rows of history.

use std::collections::HashMap;

use sqlx::FromRow;
use types::{DatasetName, LineageEdge, ManifestEntry, ObjectVersion, Relation, StageManifest, StageName};

use crate::encoding::{from_json, number, parsed, policy, sha256, unreadable, uri};
use crate::{ManifestRecord, StoreError};

/// A published manifest, still without its entries.
#[derive(Debug, FromRow)]
pub(crate) struct ManifestRow {
    pub(crate) id: i64,
    policy: Vec<u8>,
    source_bucket: String,
    source_key: String,
    source_version: String,
    uri: String,
    metadata: String,
}

/// One output in a manifest.
#[derive(Debug, FromRow)]
pub(crate) struct ManifestEntryRow {
    manifest_id: i64,
    source_uri: String,
    output_uri: String,
    bytes: i64,
    sha256: Vec<u8>,
    fields: String,
}

impl TryFrom<ManifestEntryRow> for ManifestEntry {
    type Error = StoreError;

    fn try_from(row: ManifestEntryRow) -> Result<Self, StoreError> {
        Ok(Self {
            source_uri: parsed("source", &row.source_uri)?,
            output_uri: parsed("output", &row.output_uri)?,
            bytes: number("bytes", row.bytes)?,
            sha256: sha256(&row.sha256)?,
            fields: from_json("manifest entry", &row.fields)?,
        })
    }
}

/// Puts entries to their manifests, keeping the order of both.
pub(crate) fn join_entries(
    dataset: &DatasetName,
    stage: StageName,
    manifests: Vec<ManifestRow>,
    entries: Vec<ManifestEntryRow>,
) -> Result<Vec<ManifestRecord>, StoreError> {
    let mut by_manifest: HashMap<i64, Vec<ManifestEntry>> = HashMap::with_capacity(manifests.len());
    for row in entries {
        by_manifest.entry(row.manifest_id).or_default().push(row.try_into()?);
    }
    let join = |row: ManifestRow| {
        Ok(ManifestRecord {
            id: row.id,
            uri: parsed("manifest", &row.uri)?,
            manifest: StageManifest {
                dataset: dataset.clone(),
                stage,
                policy_hash: policy(&row.policy)?,
                source: ObjectVersion {
                    uri: uri(&row.source_bucket, row.source_key)?,
                    version: row.source_version,
                },
                metadata: from_json("manifest", &row.metadata)?,
                entries: by_manifest.remove(&row.id).unwrap_or_default(),
            },
        })
    };
    manifests.into_iter().map(join).collect()
}

/// One step of lineage.
#[derive(Debug, FromRow)]
pub(crate) struct EdgeRow {
    parent: String,
    child: String,
    relation: String,
}

impl TryFrom<EdgeRow> for LineageEdge {
    type Error = StoreError;

    fn try_from(row: EdgeRow) -> Result<Self, StoreError> {
        const KNOWN: [Relation; 4] =
            [Relation::Copied, Relation::Rendered, Relation::Packed, Relation::Listed];
        let relation = KNOWN.into_iter().find(|relation| relation.as_str() == row.relation);
        Ok(Self {
            parent: parsed("parent", &row.parent)?,
            child: parsed("child", &row.child)?,
            relation: relation.ok_or_else(|| unreadable("relation", row.relation))?,
        })
    }
}
