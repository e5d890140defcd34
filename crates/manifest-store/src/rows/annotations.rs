//! Rows of annotations.

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use annotations::{Category, CategoryDefinition, Record, RecordId, Registry};
use sqlx::FromRow;

use crate::encoding::{from_json, integer, json, number, parsed, sha256};
use crate::{AnnotationLink, ImportRecord, StoreError, StoredAnnotation};

/// An import.
#[derive(Debug, FromRow)]
pub(crate) struct ImportRow {
    sequence: i64,
    active: bool,
    import: String,
    imported_at: i64,
}

impl TryFrom<ImportRow> for ImportRecord {
    type Error = StoreError;

    fn try_from(row: ImportRow) -> Result<Self, StoreError> {
        Ok(Self {
            sequence: row.sequence,
            active: row.active,
            imported_at: row.imported_at,
            import: from_json("annotation import", &row.import)?,
        })
    }
}

/// A record.
#[derive(Debug, FromRow)]
pub(crate) struct AnnotationRow {
    import_id: Vec<u8>,
    record: String,
}

impl TryFrom<AnnotationRow> for StoredAnnotation {
    type Error = StoreError;

    fn try_from(row: AnnotationRow) -> Result<Self, StoreError> {
        Ok(Self { import_id: sha256(&row.import_id)?, record: from_json("annotation record", &row.record)? })
    }
}

/// A record as it is written.
#[derive(Debug)]
pub(crate) struct AnnotationColumns<'r> {
    pub(crate) record_id: &'r str,
    pub(crate) changed_at: i64,
    pub(crate) record: String,
}

impl<'r> AnnotationColumns<'r> {
    /// The records by id; of two with one id the later, as if they had come one after the other.
    pub(crate) fn of(records: &'r [Record]) -> Result<Vec<Self>, StoreError> {
        let by_id: BTreeMap<_, _> = records.iter().map(|record| (record.id.as_str(), record)).collect();
        let columns = |(record_id, record): (&'r str, &'r Record)| {
            Ok(Self { record_id, changed_at: changed_at(record), record: json(record)? })
        };
        by_id.into_iter().map(columns).collect()
    }
}

/// When a record was changed, in microseconds since 1970; -1 where it does not say.
fn changed_at(record: &Record) -> i64 {
    let since = record.changed_at().and_then(|changed| changed.duration_since(UNIX_EPOCH).ok());
    since.and_then(|since| i64::try_from(since.as_micros()).ok()).unwrap_or(-1)
}

/// A category.
#[derive(Debug, FromRow)]
pub(crate) struct CategoryRow {
    id: i64,
    definition: String,
}

impl CategoryRow {
    /// All categories of a dataset.
    pub(crate) fn registry(rows: Vec<Self>) -> Result<Registry, StoreError> {
        rows.into_iter().map(Self::category).collect()
    }

    fn category(self) -> Result<Category, StoreError> {
        let definition: CategoryDefinition = from_json("category", &self.definition)?;
        Ok(Category { id: number("category", self.id)?, definition })
    }
}

/// A category as it is written.
#[derive(Debug)]
pub(crate) struct CategoryColumns<'c> {
    pub(crate) id: i64,
    pub(crate) name: &'c str,
    pub(crate) definition: String,
}

impl<'c> CategoryColumns<'c> {
    pub(crate) fn of(categories: &'c [Category]) -> Result<Vec<Self>, StoreError> {
        let columns = |category: &'c Category| {
            let definition = &category.definition;
            Ok(Self { id: integer(category.id)?, name: &definition.name, definition: json(definition)? })
        };
        categories.iter().map(columns).collect()
    }
}

/// A link.
#[derive(Debug, FromRow)]
pub(crate) struct LinkRow {
    record_id: String,
    image_key: String,
    image_uri: String,
    staged_path: String,
}

impl TryFrom<LinkRow> for AnnotationLink {
    type Error = StoreError;

    fn try_from(row: LinkRow) -> Result<Self, StoreError> {
        Ok(Self {
            record_id: RecordId::from_stored(row.record_id),
            image_key: row.image_key,
            image_uri: parsed("image", &row.image_uri)?,
            staged_path: row.staged_path,
        })
    }
}
