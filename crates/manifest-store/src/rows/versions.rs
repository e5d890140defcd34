//! Rows of dataset versions, and the rules of their life.

use sqlx::FromRow;
use types::{DatasetName, Sha256, ShardEntry, VersionNumber};

use crate::encoding::{from_json, number, parsed, sha256, split, unreadable, version};
use crate::{PlanOutcome, PlannedShard, ShardStatus, StoreError, VersionRecord, VersionState};

fn state(text: &str) -> Result<VersionState, StoreError> {
    match text {
        "planned" => Ok(VersionState::Planned),
        "published" => Ok(VersionState::Published),
        "abandoned" => Ok(VersionState::Abandoned),
        other => Err(unreadable("version state", other)),
    }
}

/// A dataset version.
#[derive(Debug, FromRow)]
pub(crate) struct VersionRow {
    version: i64,
    state: String,
    input_digest: Vec<u8>,
    settings: String,
    manifest_uri: Option<String>,
    manifest_sha256: Option<Vec<u8>>,
    published_at: Option<i64>,
}

impl TryFrom<VersionRow> for VersionRecord {
    type Error = StoreError;

    fn try_from(row: VersionRow) -> Result<Self, StoreError> {
        let manifest = match (row.manifest_uri, row.manifest_sha256) {
            (Some(uri), Some(digest)) => Some((parsed("manifest", &uri)?, sha256(&digest)?)),
            _ => None,
        };
        Ok(Self {
            version: version(row.version)?,
            state: state(&row.state)?,
            input_digest: sha256(&row.input_digest)?,
            settings: from_json("settings", &row.settings)?,
            manifest,
            published_at: row.published_at,
        })
    }
}

/// The latest published version of a dataset, or the one being built.
#[derive(Debug, FromRow)]
pub(crate) struct OpenVersionRow {
    version: i64,
    state: String,
    input_digest: Vec<u8>,
}

/// What a plan comes to beside what is there already; `None` when it is a new version.
pub(crate) fn decide_plan(
    open: &[OpenVersionRow],
    input_digest: &Sha256,
) -> Result<Option<PlanOutcome>, StoreError> {
    let same = |row: &&OpenVersionRow| row.input_digest == input_digest.as_bytes();
    let mut resumed = None;
    for row in open.iter().filter(same) {
        match state(&row.state)? {
            VersionState::Published => return Ok(Some(PlanOutcome::Unchanged(version(row.version)?))),
            VersionState::Planned => resumed = Some(PlanOutcome::Resumed(version(row.version)?)),
            VersionState::Abandoned => {}
        }
    }
    Ok(resumed)
}

/// The state of one version and the digest of its manifest.
#[derive(Debug, FromRow)]
pub(crate) struct VersionStateRow {
    state: String,
    manifest_sha256: Option<Vec<u8>>,
}

/// Whether a version is to be published now; `false` when that has happened before with the same manifest.
pub(crate) fn may_publish(
    row: Option<VersionStateRow>,
    unbuilt: i64,
    (dataset, number, manifest): (&DatasetName, VersionNumber, &Sha256),
) -> Result<bool, StoreError> {
    let row = row.ok_or_else(|| StoreError::NoSuchVersion(dataset.clone(), number))?;
    let refuse =
        |why: String| Err(StoreError::Invalid(format!("{dataset} {number} cannot be published: {why}")));
    match state(&row.state)? {
        VersionState::Planned if unbuilt == 0 => Ok(true),
        VersionState::Planned => refuse(format!("{unbuilt} of its shards are not built")),
        VersionState::Published if row.manifest_sha256.as_deref() == Some(manifest.as_bytes()) => Ok(false),
        VersionState::Published => refuse("it is, with another manifest".to_owned()),
        VersionState::Abandoned => refuse("it was overtaken by a newer plan".to_owned()),
    }
}

/// Why a shard that was built cannot be written down.
pub(crate) fn not_planned(
    dataset: &DatasetName,
    version: VersionNumber,
    number: u32,
    shard: &ShardEntry,
) -> StoreError {
    let (variant, split) = (&shard.variant, shard.split);
    StoreError::Invalid(format!(
        "shard {number} of {variant} {split} is not planned in {dataset} {version}, \
         or is published with other bytes"
    ))
}

/// A planned shard and its tar.
#[derive(Debug, FromRow)]
pub(crate) struct ShardRow {
    variant: String,
    split: i64,
    number: i64,
    samples: i64,
    built_uri: Option<String>,
    built_samples: Option<i64>,
    built_bytes: Option<i64>,
    built_sha256: Option<Vec<u8>>,
}

impl TryFrom<ShardRow> for ShardStatus {
    type Error = StoreError;

    fn try_from(row: ShardRow) -> Result<Self, StoreError> {
        let split = split(row.split)?;
        let built = match (row.built_uri, row.built_samples, row.built_bytes, row.built_sha256) {
            (Some(uri), Some(samples), Some(bytes), Some(digest)) => Some(ShardEntry {
                variant: row.variant.clone(),
                split,
                uri: parsed("shard", &uri)?,
                samples: number("samples", samples)?,
                bytes: number("bytes", bytes)?,
                sha256: sha256(&digest)?,
            }),
            _ => None,
        };
        let planned = PlannedShard {
            variant: row.variant,
            split,
            number: number("number", row.number)?,
            samples: number("samples", row.samples)?,
        };
        Ok(Self { planned, built })
    }
}
